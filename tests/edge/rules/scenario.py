"""A simulated kitchen camera: what is shown for how long, and what the rule book makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from uuid import UUID

from kitchen_watch.edge.detect.detection import Box
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.rules.observation import HealthFacts, Observation
from kitchen_watch.edge.rules.rule_set import CameraRules, RuleSet
from kitchen_watch.edge.rules.violation import ChangeKind, Violation, ViolationChange
from kitchen_watch.edge.tracking import GROUPS
from kitchen_watch.edge.tracks import Opinion, Track

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""12:00 in Shanghai, a Monday."""
CATALOGUE = Path(__file__).resolve().parents[3] / "configs" / "rules.yaml"
GOOD = HealthFacts(covered=False, frozen=False, moved=False, blurred=False)
COVERED = HealthFacts(covered=True)

Shown = Iterable[Track] | Callable[[int], Iterable[Track]]


def seen(
    label: str,
    track_id: int = 1,
    *,
    x: float = 0.5,
    y: float = 0.3,
    width: float = 0.06,
    height: float = 0.12,
    confidence: float = 0.8,
    travelled: float = 0.0,
) -> Track:
    """One object around (x, y); by default a head of 43 px in a 640x360 picture."""
    return Track(
        track_id=track_id,
        group=GROUPS.get(label, label),
        label=label,
        confidence=confidence,
        box=Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2),
        first_seen_at=NOON,
        seen_at=NOON,
        hits=2,
        travelled=travelled,
    )


@cache
def catalogue(*overrides: str) -> RuleSet:
    return RuleSet.load(CATALOGUE).override(*overrides)


class Camera:
    """Feeds a rule book frame by frame, five a second, and keeps every change."""

    def __init__(
        self, *overrides: str, rules: CameraRules | None = None, at: datetime = NOON, ids: int = 0
    ) -> None:
        camera = rules or CameraRules()
        numbers = count(ids + 1)
        self.book = RuleBook(
            "kitchen1",
            catalogue(*overrides).for_camera(camera),
            zones=camera.zones,
            hours=camera.hours,
            new_id=lambda: UUID(int=next(numbers)),
        )
        self.at = at
        self.changes: list[ViolationChange] = []

    def show(
        self,
        what: Shown = (),
        *,
        seconds: float,
        rate: float = 5.0,
        health: HealthFacts | None = GOOD,
        size: tuple[int, int] = (640, 360),
        opinions: Mapping[int, Opinion] | None = None,
    ) -> list[ViolationChange]:
        """Show the same tracks (or ``what(frame_number)``) for so long; the changes meanwhile."""
        new: list[ViolationChange] = []
        for number in range(round(seconds * rate)):
            self.at += timedelta(seconds=1 / rate)
            tracks = tuple(what(number) if callable(what) else what)
            observation = Observation(at=self.at, tracks=tracks, health=health, size=size, opinions=opinions)
            new += self.book.judge(observation)
        self.changes += new
        return new

    def lose(self, seconds: float) -> list[ViolationChange]:
        """The camera is offline for so long."""
        new: list[ViolationChange] = []
        for _ in range(round(seconds)):
            self.at += timedelta(seconds=1)
            new += self.book.judge(Observation(at=self.at, offline=True, analysed=False))
        self.changes += new
        return new

    def stall(self, seconds: float) -> None:
        """Time passes without any observation."""
        self.at += timedelta(seconds=seconds)

    def open(self) -> list[str]:
        return sorted(violation.rule_id for violation in self.book.open_violations())


def told(changes: Iterable[ViolationChange]) -> list[tuple[str, str]]:
    """``[("NO_HAT", "opened"), ...]`` without the growth."""
    return [
        (change.violation.rule_id, change.kind.value) for change in changes if change.kind != ChangeKind.GREW
    ]


def only(changes: Iterable[ViolationChange], kind: ChangeKind) -> Violation:
    (violation,) = (change.violation for change in changes if change.kind == kind)
    return violation
