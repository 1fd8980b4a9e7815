"""One growing violation: it opens, grows, closes, and opens again as itself within the cooldown.

However many heads or tracks show it, and however often they are lost and found, a situation (one
code in one zone of one camera) has at most one violation open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from kitchen_watch.edge.rules.parameters import rule_version
from kitchen_watch.edge.rules.violation import ChangeKind, Violation, ViolationChange

MOST_TRACKS = 32
"""Track ids kept per violation; the oldest go first."""
CONFIDENCE_RISE = 0.1
"""A peak so much higher is worth telling before the next regular growth."""
RISE_INTERVAL_S = 2.0
GROWTH_SHARE = 0.1
"""A lasting violation is told again after this share of its age: an outage of a day is no news every
ten seconds."""
LONGEST_QUIET_S = 600.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose violation it would be: everything about it that never changes."""

    camera_id: str
    code: str
    tier: int
    zone_id: str | None
    parameters: dict[str, Any]
    needs_model: bool

    @property
    def rule_id(self) -> str:
        """The code, or code/zone where the rule looks at zones."""
        return self.code if self.zone_id is None else f"{self.code}/{self.zone_id}"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What shows the violation at this moment. ``since`` is when it began to hold."""

    since: datetime
    confidence: float
    track_ids: tuple[int, ...] = ()
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How a situation closes, re-opens and tells of its growth; seconds."""

    absent: float
    cooldown: float
    grow: float


class Situation:
    """The life of one violation after another. Two times run: ``watched`` (seconds in which the
    condition could be seen: absence counts only there) and ``elapsed`` (seconds that only grow).
    """

    def __init__(self, identity: Identity, pace: Pace, new_id: Callable[[], UUID]) -> None:
        self.identity = identity
        self._pace = pace
        self._new_id = new_id
        self._version = rule_version(identity.parameters)
        self._current: Violation | None = None
        self._last_seen_watched = 0.0
        self._last_seen_elapsed = 0.0
        self._told_elapsed = 0.0
        self._told_confidence = 0.0

    @property
    def open(self) -> Violation | None:
        """The open violation, with its latest state."""
        violation = self._current
        return violation if violation is not None and violation.ended_at is None else None

    def recent(self, elapsed: float) -> Violation | None:
        """The closed violation that a recurrence would still re-open."""
        violation = self._current
        if violation is None or violation.ended_at is None or not self._in_cooldown(elapsed):
            return None
        return violation

    def step(
        self,
        at: datetime,
        *,
        watched: float,
        elapsed: float,
        holds: Sighting | None,
        stays: Sighting | None,
    ) -> list[ViolationChange]:
        """One moment in which the condition could be seen.

        ``holds``: it fulfils the rule. ``stays``: it shows at least so much that an open violation
        goes on. Neither: absent.
        """
        if self.open is None:
            return [] if holds is None else [self._begin(at, watched, elapsed, holds)]
        sighting = holds or stays
        if sighting is not None:
            return self._go_on(at, watched, elapsed, sighting)
        if watched - self._last_seen_watched >= self._pace.absent:
            return [self.close(at)]
        return []

    def close(self, at: datetime) -> ViolationChange:
        """End the open violation where it was last seen."""
        assert self._current is not None
        self._current = replace(self._current, ended_at=self._current.last_seen_at)
        return ViolationChange(ChangeKind.CLOSED, self._current, at)

    def resume(self, violation: Violation, *, watched: float, elapsed: float, ended_ago: float = 0.0) -> None:
        """Take over a violation of an earlier life: open, or closed ``ended_ago`` seconds before."""
        self._current = violation
        self._last_seen_watched = watched
        self._last_seen_elapsed = elapsed - max(0.0, ended_ago)
        self._told_elapsed = elapsed
        self._told_confidence = violation.confidence

    def _begin(self, at: datetime, watched: float, elapsed: float, sighting: Sighting) -> ViolationChange:
        if self._current is not None and self._in_cooldown(elapsed):
            self._current = self._grown(replace(self._current, ended_at=None), at, sighting)
            kind = ChangeKind.REOPENED
        else:
            kind = ChangeKind.OPENED
            identity = self.identity
            started_at = min(sighting.since, at)
            self._current = Violation(
                violation_id=self._new_id(),
                camera_id=identity.camera_id,
                code=identity.code,
                tier=identity.tier,
                rule_id=identity.rule_id,
                rule_version=self._version,
                parameters=identity.parameters,
                zone_id=identity.zone_id,
                started_at=started_at,
                last_seen_at=at,
                ended_at=None,
                confidence=sighting.confidence,
                track_ids=sighting.track_ids[-MOST_TRACKS:],
                needs_model=identity.needs_model,
                detail=sighting.detail,
            )
        self._seen(watched, elapsed)
        return self._tell(kind, at, elapsed)

    def _go_on(
        self, at: datetime, watched: float, elapsed: float, sighting: Sighting
    ) -> list[ViolationChange]:
        assert self._current is not None
        self._current = self._grown(self._current, at, sighting)
        self._seen(watched, elapsed)
        quiet = elapsed - self._told_elapsed
        risen = self._current.confidence >= self._told_confidence + CONFIDENCE_RISE
        age = (at - self._current.started_at).total_seconds()
        due = max(self._pace.grow, min(LONGEST_QUIET_S, age * GROWTH_SHARE))
        if quiet >= due or (risen and quiet >= RISE_INTERVAL_S):
            return [self._tell(ChangeKind.GREW, at, elapsed)]
        return []

    def _grown(self, violation: Violation, at: datetime, sighting: Sighting) -> Violation:
        new = tuple(track for track in sighting.track_ids if track not in violation.track_ids)
        return replace(
            violation,
            last_seen_at=max(violation.last_seen_at, at),
            confidence=max(violation.confidence, sighting.confidence),
            track_ids=(*violation.track_ids, *new)[-MOST_TRACKS:],
            detail=sighting.detail or violation.detail,
        )

    def _seen(self, watched: float, elapsed: float) -> None:
        self._last_seen_watched = watched
        self._last_seen_elapsed = elapsed

    def _tell(self, kind: ChangeKind, at: datetime, elapsed: float) -> ViolationChange:
        assert self._current is not None
        self._told_elapsed = elapsed
        self._told_confidence = self._current.confidence
        return ViolationChange(kind, self._current, at)

    def _in_cooldown(self, elapsed: float) -> bool:
        return elapsed - self._last_seen_elapsed < self._pace.cooldown
