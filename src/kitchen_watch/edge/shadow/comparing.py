"""Two models' detections of one frame, side by side. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kitchen_watch.edge.detect.detection import Detection

SAME_PLACE = 0.5
"""Least intersection over union of two boxes that show the same thing."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both saw, and what only one of them did. Weak detections count for neither."""

    both: tuple[Detection, ...]
    only_current: tuple[Detection, ...]
    only_shadow: tuple[Detection, ...]

    @property
    def differs(self) -> bool:
        """Whether one saw what the other did not."""
        return bool(self.only_current or self.only_shadow)


def compare(current: Sequence[Detection], shadow: Sequence[Detection]) -> Comparison:
    """Pair firm detections of the same label and place, the surest first, each at most once."""
    left = sorted((one for one in shadow if one.firm), key=lambda one: -one.confidence)
    both: list[Detection] = []
    only: list[Detection] = []
    for mine in sorted((one for one in current if one.firm), key=lambda one: -one.confidence):
        there = [one for one in left if one.label == mine.label and one.box.overlap(mine.box) >= SAME_PLACE]
        if there:
            left.remove(max(there, key=lambda one: one.box.overlap(mine.box)))
            both.append(mine)
        else:
            only.append(mine)
    return Comparison(tuple(both), tuple(only), tuple(left))
