"""Scores detections against labelled pictures, each class only where it is labelled, pooled by
class and by site.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kitchen_watch.training.dataset import LABELS, Example
from kitchen_watch.training.metrics import Scored, match, pooled

Found = npt.NDArray[np.float32]
"""Detections of one picture, (n, 6): class index, confidence, x1 y1 x2 y2 in 0..1."""


@dataclass
class Tally:
    """Scored detections by (site, label), collected picture by picture."""

    parts: dict[tuple[str, str], list[Scored]] = field(default_factory=lambda: defaultdict(list))

    def add(self, example: Example, found: Found) -> None:
        """Score the detections of one picture for the classes its group labels."""
        for index, label in enumerate(LABELS):
            if label not in example.labelled:
                continue
            mine = found[found[:, 0] == index]
            truth = example.boxes[example.boxes[:, 0] == index, 1:]
            confidence = mine[:, 1].astype(np.float64)
            right = match(mine[:, 2:], confidence, truth)
            self.parts[example.site, label].append(Scored(confidence, right, len(truth)))

    def of_class(self, label: str) -> Scored:
        """All pictures that label `label`."""
        return pooled(p for (_, name), parts in self.parts.items() if name == label for p in parts)

    def of_site(self, site: str, label: str) -> Scored:
        """The pictures of one site that label `label`."""
        return pooled(self.parts.get((site, label), []))

    def sites(self) -> list[str]:
        """The sites that have been scored."""
        return sorted({site for site, _ in self.parts})


def tally(pairs: Iterable[tuple[Example, Found]]) -> Tally:
    """The Tally of all pictures."""
    result = Tally()
    for example, found in pairs:
        result.add(example, found)
    return result


def false_alarms(pairs: Iterable[tuple[Example, Found]], thresholds: Mapping[str, float]) -> tuple[int, int]:
    """Boxes above the thresholds in pictures that hold nothing, and the number of such pictures."""
    boxes = pictures = 0
    least = np.array([thresholds[label] for label in LABELS])
    for example, found in pairs:
        if len(example.boxes) == 0 and len(example.labelled) == len(LABELS):
            pictures += 1
            boxes += int((found[:, 1] >= least[found[:, 0].astype(int)]).sum())
    return boxes, pictures
