"""What the rules are told at one moment: tracks, health facts, or that the camera is offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kitchen_watch.edge.tracks import Opinion, Track


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """What the picture itself says of the camera. ``None`` means unknown, and never accuses."""

    covered: bool | None = None
    frozen: bool | None = None
    moved: bool | None = None
    blurred: bool | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at one camera.

    Give one per analysed frame, and one about every second (at least every five) while the camera
    is offline: time between observations that lie further apart counts as unobserved.

    ``at`` is aware UTC (the frame's ``captured_at``, or now while offline). ``size`` is width and
    height in pixels of the analysed picture, for rules with a minimum size. ``analysed`` is False
    where nobody looked for objects (offline, or a frame of which only the health was read).
    ``opinions`` are second looks by track id; ``None`` where nobody takes second looks, and then
    suspicions count nowhere and firm sightings count alone.
    """

    at: datetime
    tracks: tuple[Track, ...] = ()
    health: HealthFacts | None = None
    offline: bool = False
    size: tuple[int, int] = (640, 360)
    analysed: bool = True
    opinions: Mapping[int, Opinion] | None = None
