"""From a rule's step to what the outbox stores: the event's draft and the detections it shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kitchen_watch.edge.evidence.package import PackageFiles
from kitchen_watch.edge.outbox.records import ClipState, EventDraft
from kitchen_watch.edge.rules.violation import ChangeKind, Violation, ViolationChange
from kitchen_watch.edge.tracks import Track
from kitchen_watch.events import MAX_DETECTIONS, MAX_TEXT, DetectionSeen, EventKind, ModelUsed

KINDS = {
    ChangeKind.OPENED: EventKind.OPENED,
    ChangeKind.GREW: EventKind.UPDATED,
    ChangeKind.REOPENED: EventKind.UPDATED,
    ChangeKind.CLOSED: EventKind.CLOSED,
}


def draft_of_change(
    change: ViolationChange,
    *,
    model: ModelUsed,
    tracks: Sequence[Track],
    server_offset: timedelta | None,
    package: PackageFiles | None,
    clip: ClipState | None,
    detail: str | None,
) -> EventDraft:
    """What a step of a violation says to the backend. Camera faults rest on no model."""
    return EventDraft(
        kind=KINDS[change.kind],
        violation=change.violation,
        occurred_at=change.at,
        model=model if change.violation.needs_model else None,
        detections=detections_seen(tracks),
        server_offset_ms=offset_ms(server_offset),
        detail=shortened(detail),
        package=package,
        clip=clip,
    )


def draft_of_clip(
    violation: Violation,
    *,
    model: ModelUsed,
    at: datetime,
    server_offset: timedelta | None,
    package: PackageFiles | None,
    detail: str | None,
) -> EventDraft:
    """The update that brings a violation's clip, or says why there is none."""
    return EventDraft(
        kind=EventKind.UPDATED,
        violation=violation,
        occurred_at=at,
        model=model if violation.needs_model else None,
        server_offset_ms=offset_ms(server_offset),
        detail=shortened(detail),
        package=package,
        clip=ClipState.DONE,
    )


def detections_seen(tracks: Sequence[Track]) -> tuple[DetectionSeen, ...]:
    """The tracks of the frame as the snapshot shows them, the surest ones of a crowd; boxes clipped."""
    surest = sorted(tracks, key=lambda track: track.confidence, reverse=True)[:MAX_DETECTIONS]
    return tuple(
        DetectionSeen(
            label=track.label,
            confidence=min(1.0, max(0.0, track.confidence)),
            box=(_in_picture(track.box.x1), _in_picture(track.box.y1),
                 _in_picture(track.box.x2), _in_picture(track.box.y2)),
            track_id=track.track_id,
        )
        for track in surest
    )  # fmt: skip


def shortened(sentence: str | None) -> str | None:
    """A sentence as long as the contract allows."""
    return sentence if sentence is None else sentence[:MAX_TEXT]


def offset_ms(server_offset: timedelta | None) -> int | None:
    """Server time minus device time in whole milliseconds, where it is known."""
    return None if server_offset is None else round(server_offset / timedelta(milliseconds=1))


def _in_picture(coordinate: float) -> float:
    return round(min(1.0, max(0.0, coordinate)), 5)
