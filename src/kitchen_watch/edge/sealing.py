"""From a rule's step to what crosses the wire: the event's draft and the detections it shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from kitchen_watch.edge.rules.violation import ChangeKind, Violation, ViolationChange
from kitchen_watch.edge.tracks import Track
from kitchen_watch.events import DetectionSeen, EventKind, ModelUsed, RuleUsed

KINDS = {
    ChangeKind.OPENED: EventKind.OPENED,
    ChangeKind.GREW: EventKind.UPDATED,
    ChangeKind.REOPENED: EventKind.UPDATED,
    ChangeKind.CLOSED: EventKind.CLOSED,
}


def event_kind(change: ViolationChange) -> EventKind:
    """The kind of event that tells of this step."""
    return KINDS[change.kind]


def rule_used(violation: Violation) -> RuleUsed:
    """The rule with the parameters that were in force."""
    return RuleUsed(
        rule_id=violation.rule_id, version=violation.rule_version, parameters=violation.parameters
    )


def model_used(violation: Violation, model: ModelUsed | None) -> ModelUsed | None:
    """The detector, for violations that rest on one; camera faults rest on none."""
    return model if violation.needs_model else None


def detections_seen(tracks: Sequence[Track]) -> tuple[DetectionSeen, ...]:
    """Every track of the frame as the snapshot shows it."""
    return tuple(
        DetectionSeen(
            label=track.label,
            confidence=min(1.0, max(0.0, track.confidence)),
            box=tuple(round(min(1.0, max(0.0, edge)), 5) for edge in track.box),
            track_id=track.track_id,
        )
        for track in tracks
    )


def offset_ms(server_offset: timedelta | None) -> int | None:
    """Server time minus device time in whole milliseconds, where it is known."""
    return None if server_offset is None else round(server_offset.total_seconds() * 1000)
