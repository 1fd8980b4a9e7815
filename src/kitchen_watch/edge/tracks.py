"""A track: one object's identity over frames. Plain data, without any tracking library."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kitchen_watch.edge.detect.detection import Box


@dataclass(frozen=True, slots=True)
class Track:
    """What is known of one object at one analysed frame.

    Only objects seen in this very frame are given to the rules. ``group`` says which labels are
    states of the same thing (a head is hat or no_hat; a face is mask or no_mask), so that a track
    keeps its identity when its label changes; ``label`` is what was seen in this frame.
    ``track_id`` is unique per camera for the life of the process.
    """

    track_id: int
    group: str
    label: str
    confidence: float
    box: Box
    first_seen_at: datetime
    seen_at: datetime
    hits: int
    """Number of analysed frames in which it was seen, weakly or firmly, this one included."""
    travelled: float = 0.0
    """How far it moved as a whole so far, in picture widths. Steps shorter than a fifth of its own
    box, and boxes that only grow or shrink at one side, do not count, so that the trembling of what
    stands still never adds up to a walk."""
    firm: bool = True
    """False where this frame gave no more than a suspicion of ``label``: it accuses nobody unless a
    second look agrees."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What looking again at one track says of its label so far."""

    label: str
    looks: int
    """Looks that are remembered."""
    agreeing: int
    """Those of them that saw the same."""
    surest: float
    """Highest confidence of the label in any of them."""
    agrees: bool
    """Enough of them, and surely enough, to accuse."""

    @property
    def sentence(self) -> str:
        """For the evidence."""
        return (
            f"Second look at {self.label}: {self.agreeing} of {self.looks} agree, surest {self.surest:.2f}."
        )
