"""Measures a detector on labelled pictures, through the very path the edge runs; needs neither
torch nor Ultralytics.

Every class is scored only on the groups that label it. A site is a picture's file name without
its last `_number`; the figures of a site pool all folders that label the class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypedDict

import numpy as np
import numpy.typing as npt

from kitchen_watch.edge.detect.detection import Detection
from kitchen_watch.errors import ConfigError
from kitchen_watch.training import metrics, scoring
from kitchen_watch.training.dataset import LABELS, Example, picture_size, read_picture
from kitchen_watch.training.metrics import Scored
from kitchen_watch.training.scoring import Found, Tally

LEAST = 0.005
"""Detections below this confidence change no average precision in the third digit."""


class Finder(Protocol):
    """The part of the edge's detector that evaluation needs."""

    def infer(
        self, images: Sequence[npt.NDArray[np.uint8]], *, least: float | None = None
    ) -> list[tuple[Detection, ...]]:
        """Detections of each BGR picture, any size; `least` replaces the card's thresholds."""
        ...


class Figures(TypedDict):
    """One class on some pictures; None where the pictures cannot tell (no truth, or nothing found)."""

    truths: int
    ap50: float | None
    ap50_95: float | None
    precision: float | None
    recall: float | None
    threshold: float


class Result(TypedDict):
    """What `kitchen-watch evaluate --json` prints."""

    model: dict[str, str]
    images: int
    classes: dict[str, Figures]
    groups: dict[str, dict[str, Figures]]
    negatives: dict[str, int]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All detections on all pictures, with their scores and the thresholds they are judged at."""

    pairs: list[tuple[Example, Found]]
    tally: Tally
    thresholds: dict[str, float]

    def result(self, model: dict[str, str]) -> Result:
        """The figures by class and by site, rounded to four digits."""
        labels = [label for label in LABELS if self.tally.of_class(label).truths]
        sites: dict[str, dict[str, Figures]] = {}
        for site in self.tally.sites():
            of_site = {label: self.tally.of_site(site, label) for label in LABELS}
            sites[site] = {
                label: figures(scored, self.thresholds[label])
                for label, scored in of_site.items()
                if scored.truths
            }
        boxes, pictures = scoring.false_alarms(self.pairs, self.thresholds)
        return Result(
            model=model,
            images=len(self.pairs),
            classes={label: figures(self.tally.of_class(label), self.thresholds[label]) for label in labels},
            groups=sites,
            negatives={"pictures": pictures, "false_alarms": boxes},
        )


def evaluate(
    finder: Finder,
    examples: Sequence[Example],
    thresholds: dict[str, float],
    tick: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Run `finder` over all pictures; `tick` is called once a picture. Raises ConfigError
    where there is none.
    """
    if not examples:
        raise ConfigError("There are no pictures to evaluate on.")
    pairs = list(_found(finder, examples, tick))
    return Evaluation(pairs, scoring.tally(pairs), thresholds)


def chosen_thresholds(tally: Tally) -> dict[str, float]:
    """For each class the lowest threshold that keeps precision at 0.9 on the pictures tallied."""
    return {label: metrics.choose_threshold(tally.of_class(label)) for label in LABELS}


def figures(scored: Scored, threshold: float) -> Figures:
    """The Figures of one class at one threshold."""
    precision, recall = metrics.at_threshold(scored, threshold)
    return Figures(
        truths=scored.truths,
        ap50=_rounded(metrics.ap50(scored)),
        ap50_95=_rounded(metrics.ap50_95(scored)),
        precision=_rounded(precision),
        recall=_rounded(recall),
        threshold=threshold,
    )


def _found(
    finder: Finder, examples: Sequence[Example], tick: Callable[[], None]
) -> Iterator[tuple[Example, Found]]:
    # Pictures of one shape after another: the runtime compiles a network for each shape it meets.
    for example in sorted(examples, key=_aspect):
        picture = np.ascontiguousarray(read_picture(example.picture)[:, :, ::-1])
        (detections,) = finder.infer([picture], least=LEAST)
        rows = [
            (LABELS.index(one.label), one.confidence, *one.box) for one in detections if one.label in LABELS
        ]
        tick()
        yield example, np.array(rows, dtype=np.float32).reshape(-1, 6)


def _aspect(example: Example) -> float:
    width, height = picture_size(example.picture)
    return width / height


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
