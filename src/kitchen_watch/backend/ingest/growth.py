"""How an alert grows with the events of its violation: pure, and the same for every order of arrival.

Each event tells the whole state of its violation, so one that comes out of order need not wait:
the alert is the fold of the events that are here, in the order of their sequence numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kitchen_watch.events import Event, EventKind

MAX_DETAIL = 500
MAX_ZONE = 100


@dataclass(frozen=True, slots=True)
class Growth:
    """What is known of a violation from its events so far; ``model``, ``rule``, ``detections`` as JSON."""

    first_sequence: int
    last_sequence: int
    events_received: int
    occurred_at: datetime
    server_offset_ms: int | None
    started_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    confidence: float
    tier: int
    zone_id: str | None
    detail: str | None
    model: dict[str, Any] | None
    rule: dict[str, Any]
    detections: list[dict[str, Any]]
    reopenings: int


def begin(event: Event) -> Growth:
    """What the first event tells."""
    return Growth(
        first_sequence=event.sequence,
        last_sequence=event.sequence,
        events_received=1,
        occurred_at=event.occurred_at,
        server_offset_ms=event.server_offset_ms,
        started_at=event.started_at,
        last_seen_at=event.last_seen_at,
        ended_at=_ended_at(event),
        confidence=event.confidence,
        tier=event.tier,
        zone_id=_zone_id(event),
        detail=_detail(event),
        model=_model(event),
        rule=event.rule.model_dump(mode="json"),
        detections=_detections(event),
        reopenings=0,
    )


def grow(known: Growth, event: Event) -> Growth:
    """The same violation after an event with a higher sequence number."""
    ended_at = _ended_at(event)
    return replace(
        known,
        last_sequence=event.sequence,
        events_received=known.events_received + 1,
        started_at=min(known.started_at, event.started_at),
        last_seen_at=max(known.last_seen_at, event.last_seen_at),
        ended_at=ended_at,
        confidence=max(known.confidence, event.confidence),
        zone_id=known.zone_id or _zone_id(event),
        detail=_detail(event) or known.detail,
        model=known.model or _model(event),
        detections=known.detections or _detections(event),
        reopenings=known.reopenings + (known.ended_at is not None and ended_at is None),
    )


def fold(events: Iterable[Event]) -> Growth:
    """What all these events tell, whatever their order. There must be at least one."""
    ordered: Sequence[Event] = sorted(events, key=lambda event: event.sequence)
    known = begin(ordered[0])
    for event in ordered[1:]:
        known = grow(known, event)
    return known


def _ended_at(event: Event) -> datetime | None:
    if event.kind is EventKind.CLOSED:
        return event.ended_at or event.last_seen_at
    return event.ended_at


def _zone_id(event: Event) -> str | None:
    return event.zone_id[:MAX_ZONE] if event.zone_id else None


def _detail(event: Event) -> str | None:
    return event.detail[:MAX_DETAIL] if event.detail else None


def _model(event: Event) -> dict[str, Any] | None:
    return event.model.model_dump(mode="json") if event.model is not None else None


def _detections(event: Event) -> list[dict[str, Any]]:
    return [detection.model_dump(mode="json") for detection in event.detections]
