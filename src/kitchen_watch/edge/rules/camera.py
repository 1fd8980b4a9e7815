"""Camera faults: offline, covered, frozen, moved, blurred; raised once, closed by themselves.

An unknown fact neither accuses nor acquits: it lets no time pass for its rule.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from kitchen_watch.edge.rules.held import HeldFor
from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.observation import HealthFacts
from kitchen_watch.edge.rules.parameters import CameraParameters, OfflineParameters
from kitchen_watch.edge.rules.rule import Look, Place
from kitchen_watch.edge.rules.situation import Sighting, Situation
from kitchen_watch.edge.rules.violation import ViolationChange

LONGEST_OFFLINE_STEP = 15.0
"""Seconds that one interval counts at most while offline; a jump of the clock is no outage."""

Fact = Callable[[HealthFacts], bool | None]

FACTS: dict[str, Fact] = {
    "CAM_COVERED": lambda health: health.covered,
    "CAM_FROZEN": lambda health: None if health.covered else health.frozen,
    # What a covered lens shows says nothing about where it points or how sharp it is.
    "CAM_MOVED": lambda health: None if health.covered else health.moved,
    "CAM_BLURRED": lambda health: None if health.covered else health.blurred,
}
DETAILS = {
    "CAM_COVERED": "The picture is black or covered.",
    "CAM_FROZEN": "The picture stands still.",
    "CAM_MOVED": "The camera no longer shows its reference view.",
    "CAM_BLURRED": "The picture is blurred, the lens possibly greasy.",
}


class PictureRule:
    """A fault that the picture shows for so long."""

    def __init__(self, code: str, parameters: CameraParameters, place: Place) -> None:
        self.code = code
        self.pauses = parameters.pauses
        self.watched = 0.0
        self._fact = FACTS[code]
        self._held = HeldFor[str](parameters.held_s, parameters.fraction)
        self._situation = place.situation(code, parameters, needs_model=False)

    @property
    def situations(self) -> tuple[Situation, ...]:
        """The one situation of the camera."""
        return (self._situation,)

    def judge(self, look: Look) -> list[ViolationChange]:
        """Move on by one reading of the picture, where it says anything about this fault."""
        health = look.observation.health
        fact = None if health is None else self._fact(health)
        if fact is None:
            return []
        self.watched += look.step
        self._held.look(self.watched, look.at, [self.code] if fact else [])
        since = self._held.holding().get(self.code) if fact else None
        stays = fact and bool(self._held.staying())
        return self._situation.step(
            look.at,
            watched=self.watched,
            elapsed=look.elapsed,
            holds=None if since is None else self._sighting(since),
            stays=self._sighting(look.at) if stays else None,
        )

    def pause(self) -> None:
        """Offline: what was building up proves nothing when it comes back."""
        self._held.forget()

    def _sighting(self, since: datetime) -> Sighting:
        return Sighting(since=since, confidence=1.0, detail=DETAILS[self.code])


class OfflineRule:
    """No picture from the camera for so long; longer outside opening hours."""

    def __init__(self, code: str, parameters: OfflineParameters, place: Place, hours: OpeningHours) -> None:
        self.code = code
        self.pauses = parameters.pauses
        self.watched = 0.0
        self._parameters = parameters
        self._hours = hours
        self._gone_since: datetime | None = None
        self._gone = 0.0
        self._situation = place.situation(
            code, parameters, needs_model=False, context={"hours": hours.model_dump(mode="json")}
        )

    @property
    def situations(self) -> tuple[Situation, ...]:
        """The one situation of the camera."""
        return (self._situation,)

    def judge(self, look: Look) -> list[ViolationChange]:
        """Move on by one moment, online or not."""
        self.watched += look.step
        sighting = None
        long_enough = False
        if look.observation.offline:
            if self._gone_since is None:
                self._gone_since, self._gone = look.at, 0.0
            else:
                self._gone += min(look.gap, LONGEST_OFFLINE_STEP)
            wanted = (
                self._parameters.held_s if self._hours.is_open(look.at) else self._parameters.closed_held_s
            )
            long_enough = self._gone >= wanted
            sighting = Sighting(
                since=self._gone_since, confidence=1.0, detail="There is no picture from the camera."
            )
        else:
            self._gone_since = None
        return self._situation.step(
            look.at,
            watched=self.watched,
            elapsed=look.elapsed,
            holds=sighting if long_enough else None,
            stays=sighting,
        )

    def pause(self) -> None:
        """An outage is what this rule is about: nothing pauses it."""
