"""What the giver of turns sees of a camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kitchen_watch.control import TurnStatus
from kitchen_watch.edge.turns.load import Counts
from kitchen_watch.edge.turns.needs import Needs


@dataclass(frozen=True, slots=True)
class Facts:
    """A camera at one moment."""

    streaming: bool
    counts: Counts
    pixels: int | None
    """Of one picture as it is decoded; ``None`` before the first."""
    open_tier: int | None
    """The most urgent open violation that a camera must be looked at for; faults of it are none."""
    building_up: bool
    """Somebody is suspected, and nothing is open yet."""


class CameraFacts(Protocol):
    """Settings that matter here."""

    @property
    def camera_id(self) -> str:
        """Its id."""
        ...

    @property
    def always_watched(self) -> bool:
        """Somebody wants it watched without a break."""
        ...


class TurnTaker(Protocol):
    """A camera that can be looked at, or wait."""

    rate: float
    needs: Needs
    turns: TurnStatus | None
    judged_share: float | None

    @property
    def settings(self) -> CameraFacts:
        """Its settings."""
        ...

    def facts(self) -> Facts:
        """How it is now."""
        ...

    def attend(self, here: bool) -> None:
        """Look at it, or let it wait."""
        ...
