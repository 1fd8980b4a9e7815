"""Finds what a detector got wrong at its thresholds: misses, false alarms, and which class was
taken for which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kitchen_watch.training.dataset import LABELS, Example
from kitchen_watch.training.metrics import overlap
from kitchen_watch.training.scoring import Found

OVERLAP = 0.5
RIVALS = (("hat", "no_hat"), ("mask", "no_mask"), ("rat", "cockroach"))
"""Classes of one kind of thing: only within a kind can one be taken for another."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One box that was missed, or found where nothing of its class is.

    `confidence` is the detection's own, or of a miss the best that the detector gave there.
    """

    example: Example
    label: str
    box: npt.NDArray[np.float32]
    confidence: float


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Misses and false alarms, the most telling first, and the confusion matrix.

    `confusion` is (classes + 1, classes + 1): truth by what was found, the last row and column
    being nothing.
    """

    misses: list[Mistake]
    false_alarms: list[Mistake]
    confusion: npt.NDArray[np.int64]


def find(pairs: Iterable[tuple[Example, Found]], thresholds: Mapping[str, float]) -> Mistakes:
    """Judge the detections of `pairs` (see Found) at `thresholds`, unknown classes left out."""
    misses: list[Mistake] = []
    alarms: list[Mistake] = []
    nothing = len(LABELS)
    confusion = np.zeros((nothing + 1, nothing + 1), dtype=np.int64)
    least = np.array([thresholds[label] for label in LABELS])
    for example, everything in pairs:
        known = np.array([label in example.labelled for label in LABELS])
        taken = everything[:, 1] >= least[everything[:, 0].astype(int)]
        found = everything[taken & known[everything[:, 0].astype(int)]]
        found = found[np.argsort(-found[:, 1], kind="stable")]
        truth = example.boxes[known[example.boxes[:, 0].astype(int)]]
        truth_of, found_as = _partners(found, truth)
        for row, index in enumerate(truth_of):
            kind = int(found[row, 0])
            confusion[int(truth[index, 0]) if index >= 0 else nothing, kind] += 1
            if index < 0 or int(truth[index, 0]) != kind:
                box, confidence = found[row, 2:], float(found[row, 1])
                alarms.append(Mistake(example, LABELS[kind], box, confidence))
        for index in np.flatnonzero(found_as < 0):
            kind = int(truth[index, 0])
            confusion[kind, nothing] += 1
            best = _best_at(everything, kind, truth[index, 1:])
            misses.append(Mistake(example, LABELS[kind], truth[index, 1:], best))
    misses.sort(key=lambda one: one.confidence)
    alarms.sort(key=lambda one: -one.confidence)
    return Mistakes(misses, alarms, confusion)


def _partners(
    found: Found, truth: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each detection its truth and for each truth its detection, -1 for none; own class
    before a rival.
    """
    truth_of = np.full(len(found), -1, dtype=np.int64)
    found_as = np.full(len(truth), -1, dtype=np.int64)
    if len(found) == 0 or len(truth) == 0:
        return truth_of, found_as
    overlaps = overlap(found[:, 2:], truth[:, 1:])
    same = found[:, None, 0] == truth[None, :, 0]
    rival = np.zeros_like(same)
    for one, other in RIVALS:
        a, b = LABELS.index(one), LABELS.index(other)
        rival |= (found[:, None, 0] == a) & (truth[None, :, 0] == b)
        rival |= (found[:, None, 0] == b) & (truth[None, :, 0] == a)
    for allowed in (same, rival):
        for row in range(len(found)):
            if truth_of[row] >= 0:
                continue
            free = np.where(allowed[row] & (found_as < 0), overlaps[row], 0.0)
            best = int(free.argmax())
            if free[best] >= OVERLAP:
                truth_of[row], found_as[best] = best, row
    return truth_of, found_as


def _best_at(found: Found, kind: int, box: npt.NDArray[np.float32]) -> float:
    same = found[found[:, 0] == kind]
    if len(same) == 0:
        return 0.0
    there = overlap(same[:, 2:], box[None])[:, 0] >= OVERLAP
    return float(same[there, 1].max()) if there.any() else 0.0
