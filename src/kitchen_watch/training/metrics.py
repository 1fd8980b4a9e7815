"""The arithmetic of detection quality: matching, precision and recall, average precision, the
choice of a threshold.

Average precision is COCO's: the precision envelope read at 101 recall points (0, 0.01, ... 1), a
detection being right when it overlaps a still unmatched truth of its class by the IoU asked for,
the most confident detection first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FIRST_FEW = 5
USEFUL_RECALL = 0.3

Floats = npt.NDArray[np.float64]
Boxes = npt.NDArray[np.float32]

IOUS: tuple[float, ...] = tuple(0.5 + 0.05 * k for k in range(10))


@dataclass(frozen=True, slots=True)
class Scored:
    """All detections of one class over some pictures.

    `confidence` is (n,), `right` is (n, 10): whether the detection is right at each IoU of IOUS;
    `truths` counts the labelled boxes.
    """

    confidence: Floats
    right: npt.NDArray[np.bool_]
    truths: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision and recall at IoU 0.5 for every threshold, most confident first; all arrays are (n,)."""

    confidence: Floats
    precision: Floats
    recall: Floats


def overlap(a: Boxes, b: Boxes) -> Floats:
    """IoU of every box of `a` (n, 4: x1 y1 x2 y2) with every box of `b` (m, 4), as (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2]).astype(np.float64)
    high = np.minimum(a[:, None, 2:], b[None, :, 2:]).astype(np.float64)
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    areas_a = np.prod((a[:, 2:] - a[:, :2]).astype(np.float64), axis=1)
    areas_b = np.prod((b[:, 2:] - b[:, :2]).astype(np.float64), axis=1)
    return np.asarray(shared / np.maximum(areas_a[:, None] + areas_b[None] - shared, 1e-12))


def match(found: Boxes, confidence: Floats, truth: Boxes) -> npt.NDArray[np.bool_]:
    """Which detections of one class in one picture are right, (n, 10) over IOUS; each truth is
    taken once.
    """
    right = np.zeros((len(found), len(IOUS)), dtype=np.bool_)
    if len(found) == 0 or len(truth) == 0:
        return right
    overlaps = overlap(found, truth)
    for column, least in enumerate(IOUS):
        free = np.ones(len(truth), dtype=np.bool_)
        for row in np.argsort(-confidence, kind="stable"):
            candidates = np.where(free, overlaps[row], 0.0)
            best = int(candidates.argmax())
            if candidates[best] >= least:
                right[row, column] = True
                free[best] = False
    return right


def pooled(parts: Iterable[Scored]) -> Scored:
    """One Scored over the pictures of all `parts`."""
    parts = list(parts)
    return Scored(
        np.concatenate([np.zeros(0), *(part.confidence for part in parts)]),
        np.concatenate([np.zeros((0, len(IOUS)), np.bool_), *(part.right for part in parts)]),
        sum(part.truths for part in parts),
    )


def curve(scored: Scored, iou_index: int = 0) -> Curve:
    """Precision and recall when the threshold passes each detection in turn (COCO's definition)."""
    order = np.argsort(-scored.confidence, kind="stable")
    hits = np.cumsum(scored.right[order, iou_index])
    seen = np.arange(1, len(order) + 1)
    return Curve(scored.confidence[order], hits / seen, hits / max(scored.truths, 1))


def average_precision(scored: Scored, iou_index: int = 0) -> float | None:
    """COCO's 101-point average precision, or None where there is nothing to find."""
    if scored.truths == 0:
        return None
    at = curve(scored, iou_index)
    envelope = np.maximum.accumulate(at.precision[::-1])[::-1]
    places = np.searchsorted(at.recall, np.linspace(0, 1, 101), side="left")
    return float(np.where(places < len(envelope), np.append(envelope, 0.0)[places], 0.0).mean())


def ap50(scored: Scored) -> float | None:
    """Average precision at IoU 0.5."""
    return average_precision(scored, 0)


def ap50_95(scored: Scored) -> float | None:
    """Mean of the average precisions at IoU 0.5, 0.55 ... 0.95."""
    if scored.truths == 0:
        return None
    return float(np.mean([average_precision(scored, k) or 0.0 for k in range(len(IOUS))]))


def at_threshold(scored: Scored, threshold: float) -> tuple[float | None, float | None]:
    """Precision and recall at IoU 0.5 of the detections with at least `threshold` confidence."""
    taken = scored.confidence >= threshold
    hits = int(scored.right[taken, 0].sum())
    precision = hits / int(taken.sum()) if taken.any() else None
    recall = hits / scored.truths if scored.truths else None
    return precision, recall


def choose_threshold(
    scored: Scored, *, precision: float = 0.9, floor: float = 0.2, ceiling: float = 0.9
) -> float:
    """The lowest threshold at which precision is at least `precision`: the most that may be believed.

    Where no threshold reaches it, the one with the best precision among those that still find
    USEFUL_RECALL; where even that finds nothing right, `ceiling`. Never outside `floor` .. `ceiling`.
    """
    at = curve(scored)
    # The first few detections swing between 0 and 1 and decide nothing.
    settled = np.arange(1, len(at.precision) + 1) >= min(FIRST_FEW, max(scored.truths, 1))
    good = settled & (at.precision >= precision)
    if not good.any():
        useful = settled & (at.recall >= USEFUL_RECALL)
        best = at.precision[useful].max(initial=0.0)
        good = useful & (at.precision >= best) & (best > 0.5)
    if not good.any():
        return ceiling
    lowest = float(at.confidence[np.flatnonzero(good)[-1]])
    # Rounded up: a hundredth below could let in the mistakes that this threshold keeps out.
    return float(np.clip(np.ceil(lowest * 100 - 1e-6) / 100, floor, ceiling))


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of the values that exist."""
    real = [value for value in values if value is not None]
    return sum(real) / len(real) if real else None
