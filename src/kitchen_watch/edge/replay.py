"""A video file analysed as if it were a camera: same detector, tracker and rules, the file's own time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from kitchen_watch.edge.detect.detection import Detector
from kitchen_watch.edge.looking import build_analysis
from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.rules.rule_set import RuleSet
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.edge.settings import AnalysisSettings
from kitchen_watch.edge.streams.health import HealthMonitor, HealthSettings
from kitchen_watch.edge.streams.replay import FileStream

REPLAY_EPOCH = datetime(2026, 1, 1, 4, 0, tzinfo=UTC)
"""The moment at which every replayed file begins: noon in Shanghai, the same in every run."""

MISSING_TOLERANCE_S = 2.0
"""Announced lengths are rough; files with a clock of their own end a little early."""

Progress = Callable[[float, float | None], None]
"""Called with seconds analysed and seconds in all (``None`` where the file does not say)."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a file showed. Violations are ordered by their beginning."""

    violations: tuple[Violation, ...]
    frames_analysed: int
    duration_s: float
    missing_s: float = 0.0
    """How much of the length that the file announces is not in it: a file that was cut off."""

    def as_json(self) -> list[dict[str, object]]:
        """One plain object per violation; times in seconds from the file's first frame."""
        return [
            {
                "code": violation.code,
                "started_s": _seconds(violation.started_at),
                "ended_s": _seconds(violation.ended_at or violation.last_seen_at),
                "confidence": round(violation.confidence, 3),
            }
            for violation in self.violations
        ]


async def replay_file(
    path: Path,
    *,
    detector: Detector,
    rule_set: RuleSet,
    hours: OpeningHours | None = None,
    settings: AnalysisSettings = AnalysisSettings(),
    progress: Progress = lambda _done, _total: None,
) -> ReplayResult:
    """Analyse ``path`` from its first to its last frame, as fast as the detector can.

    Raises:
        StreamError: the file cannot be read as a video.
        DetectorError: inference failed.
    """
    stream = FileStream(path, settings.frames_per_second, settings.fit, REPLAY_EPOCH)
    violations: dict[UUID, Violation] = {}
    analysis = build_analysis(
        detector=detector,
        health=HealthMonitor(HealthSettings()),
        rules=RuleBook("replay", rule_set, hours=hours),
        hours=hours,
        settings=settings,
    )
    total = stream.duration.total_seconds() if stream.duration else None
    analysed, last_at = 0, REPLAY_EPOCH
    async for frame in stream.newest():
        seen = await analysis.look(frame)
        last_at = frame.captured_at
        if seen is None:
            continue
        analysed += 1
        for change in seen.changes:
            violations[change.violation.violation_id] = change.violation
        progress(_seconds(last_at), total)
    for change in analysis.rules.finish(last_at):
        violations[change.violation.violation_id] = change.violation
    ordered = sorted(violations.values(), key=lambda violation: (violation.started_at, violation.code))
    watched = _seconds(last_at)
    missing = 0.0 if total is None else max(0.0, total - watched - MISSING_TOLERANCE_S)
    return ReplayResult(tuple(ordered), analysed, watched, missing)


def _seconds(at: datetime) -> float:
    return round((at - REPLAY_EPOCH).total_seconds(), 3)
