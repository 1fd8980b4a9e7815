"""Take a batch of events: each exactly once, whatever is repeated, concurrent or out of order.

Exactly once rests on the database: an event's id and its place in its violation are unique, the
batch is one transaction, and batches of one edge are taken one after the other (its row is
locked). Events out of order are not parked: see :mod:`.growth`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts import feed
from kitchen_watch.backend.alerts.states import AlertState, FeedKind
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.deadlines.clocks import verify_deadline
from kitchen_watch.backend.deadlines.policy import DeadlinePolicy
from kitchen_watch.backend.deadlines.running import Started, start, zone_of
from kitchen_watch.backend.evidence.intake import store_manifests, wanted_files
from kitchen_watch.backend.ingest.fitness import unstorable
from kitchen_watch.backend.ingest.growth import MAX_DETAIL, Growth, begin, fold, grow
from kitchen_watch.backend.ingest.tables import EventRow
from kitchen_watch.backend.organisations.places import node_paths
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.backend.writing import among, as_values, new_ids, write_rows
from kitchen_watch.events import SCHEMA, Event, EventKind, EventResult, EventVerdict

_Key = tuple[UUID, int]

_KINDS = {
    EventKind.OPENED: FeedKind.UPDATED,  # the opening event of an alert that a later event has made
    EventKind.UPDATED: FeedKind.UPDATED,
    EventKind.CLOSED: FeedKind.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a batch: one result per event in their order, and files that are still wanted."""

    results: tuple[EventResult, ...]
    missing_files: tuple[str, ...]
    accepted: tuple[Event, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a camera is, as an alert keeps it."""

    edge_id: str
    premises_id: int
    node_id: int
    time_zone: str


def take_events(
    session: Session,
    edge_id: str,
    raw_events: Sequence[Any],
    *,
    now: datetime,
    max_file_bytes: int,
    policy: DeadlinePolicy,
    look_for_nul: bool = True,
) -> Taken:
    """Take one batch of an edge within the caller's write transaction, to which the edge was admitted
    (:func:`.admit`): that holds its row, so that its batches are taken one after the other.

    ``look_for_nul`` may be false where the body was seen to hold none (see :func:`.may_hold_nul`).
    """
    parsed = [_parse(raw, look_for_nul=look_for_nul) for raw in raw_events]
    events = [event for event in parsed if isinstance(event, Event)]
    intake = _Intake(session, edge_id, events, now, policy)
    results: list[EventResult] = []
    for raw, event in zip(raw_events, parsed, strict=True):
        results.append(intake.take(event, raw) if isinstance(event, Event) else event)
    intake.store()
    return Taken(
        tuple(results),
        wanted_files(session, edge_id, events, max_bytes=max_file_bytes),
        tuple(event for event, _ in intake.accepted),
    )


def _parse(raw: Any, *, look_for_nul: bool) -> Event | EventResult:
    event_id = str(raw.get("event_id", ""))[:64] if isinstance(raw, dict) else ""
    schema = raw.get("schema_version", SCHEMA) if isinstance(raw, dict) else SCHEMA
    if schema != SCHEMA:
        # Not final: after an upgrade of the backend the same event can be taken.
        reason = f"This backend does not know events of the form {str(schema)[:64]}; upgrade it."
        return EventResult(event_id=event_id, verdict=EventVerdict.DEFERRED, reason=reason)
    try:
        event = Event.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the event"
        reason = f"{where}: {first['msg']}."
    else:
        unfit = unstorable(event, raw, look_for_nul=look_for_nul)
        if unfit is None:
            return event
        reason = unfit
    return EventResult(event_id=event_id, verdict=EventVerdict.REFUSED, reason=reason)


class _Intake:
    """One batch on its way in: what the database knows of it, read in a few queries."""

    def __init__(
        self, session: Session, edge_id: str, events: Sequence[Event], now: datetime, policy: DeadlinePolicy
    ) -> None:
        self._session = session
        self._policy = policy
        self._edge_id = edge_id
        self._now = now
        self._places = _read_places(session, {event.camera_id for event in events})
        violations = {event.violation_id for event in events}
        self._alerts = {
            row.violation_id: row
            for row in session.scalars(
                select(AlertRow)
                .where(among(session, AlertRow.violation_id, violations))
                .order_by(AlertRow.id)  # always locked in one order: two writers cannot wait for each other
                .with_for_update()
            )
        }
        self._growths = {violation_id: _read(row) for violation_id, row in self._alerts.items()}
        self._opened: list[AlertRow] = []
        self._keys: dict[UUID, _Key] = {}
        self._taken: dict[_Key, UUID] = {}
        for event_id, violation_id, sequence in session.execute(
            select(EventRow.event_id, EventRow.violation_id, EventRow.sequence).where(
                among(session, EventRow.violation_id, violations)
                | among(session, EventRow.event_id, {event.event_id for event in events})
            )
        ):
            self._keep(event_id, (violation_id, sequence))
        self._news: list[tuple[AlertRow, FeedKind]] = []
        self._unsettled: set[UUID] = set()
        self.accepted: list[tuple[Event, Any]] = []

    def take(self, event: Event, raw: Any) -> EventResult:
        """The verdict on one event; what is accepted is put into its alert."""
        key = (event.violation_id, event.sequence)
        verdict, reason = self._judge(event, key)
        if verdict is EventVerdict.ACCEPTED:
            self._keep(event.event_id, key)
            self.accepted.append((event, raw))
            self._put(event)
        return EventResult(event_id=str(event.event_id), verdict=verdict, reason=reason)

    def store(self) -> None:
        """Write everything; the feed last, because numbering it holds its lock."""
        if not self.accepted:
            return
        self._settle()
        for violation_id in {event.violation_id for event, _ in self.accepted}:
            _write(self._alerts[violation_id], self._growths[violation_id])
        begun = self._write_opened()
        write_rows(self._session, EventRow, [self._event_values(*pair) for pair in self.accepted])
        start(self._session, self._policy, begun)
        store_manifests(
            self._session,
            [(event, raw, self._alerts[event.violation_id].id) for event, raw in self.accepted],
            now=self._now,
        )
        self._session.flush()
        paths = node_paths(self._session, {alert.premises_id for alert, _ in self._news})
        feed.append(
            self._session,
            [feed.news(alert, kind, node_path=paths[alert.premises_id]) for alert, kind in self._news],
            now=self._now,
        )

    def _judge(self, event: Event, key: _Key) -> tuple[EventVerdict, str | None]:
        refused, deferred = EventVerdict.REFUSED, EventVerdict.DEFERRED
        if event.edge_id != self._edge_id:
            return refused, f"The event is signed by {self._edge_id} but names the edge {event.edge_id}."
        if event.event_id in self._keys:
            if self._keys[event.event_id] == key:
                return EventVerdict.DUPLICATE, None
            return refused, "This event id was used for another event."
        if key in self._taken:
            return refused, f"Number {event.sequence} of this violation is another event."
        alert = self._alerts.get(event.violation_id)
        if alert is not None:
            if (alert.edge_id, alert.camera_id) != (event.edge_id, event.camera_id):
                return refused, "The violation belongs to another camera."
            return EventVerdict.ACCEPTED, None
        place = self._places.get(event.camera_id)
        if place is None:
            return deferred, f"The camera {event.camera_id} is not registered here yet. Register it."
        if place.edge_id != self._edge_id:
            return refused, f"The camera {event.camera_id} belongs to another edge."
        return EventVerdict.ACCEPTED, None

    def _put(self, event: Event) -> None:
        alert = self._alerts.get(event.violation_id)
        if alert is None:
            alert = self._open(event)
            self._news.append((alert, FeedKind.OPENED))
            if event.kind is EventKind.CLOSED:
                self._news.append((alert, FeedKind.CLOSED))
            return
        known = self._growths[event.violation_id]
        if event.sequence > known.last_sequence and event.violation_id not in self._unsettled:
            self._growths[event.violation_id] = grow(known, event)
        else:
            self._unsettled.add(event.violation_id)
        alert.updated_at = self._now
        self._news.append((alert, _KINDS[event.kind]))

    def _open(self, event: Event) -> AlertRow:
        place = self._places[event.camera_id]
        alert = AlertRow(
            violation_id=event.violation_id,
            edge_id=event.edge_id,
            camera_id=event.camera_id,
            premises_id=place.premises_id,
            node_id=place.node_id,
            code=event.code,
            state=AlertState.PENDING_VERIFICATION,
            found_at=self._now,
            updated_at=self._now,
        )
        self._growths[event.violation_id] = begin(event)
        self._opened.append(alert)
        self._alerts[event.violation_id] = alert
        return alert

    def _write_opened(self) -> list[Started]:
        """New alerts with their ids, all in one statement; the clocks that begin with them."""
        begun = []
        ids = new_ids(self._session, AlertRow, len(self._opened))
        for alert, alert_id in zip(self._opened, ids, strict=True):
            alert.id, alert.due_at = alert_id, None
            zone = zone_of(self._places[alert.camera_id].time_zone)
            deadline = verify_deadline(self._policy, alert.tier, found_at=self._now, zone=zone)
            if deadline is not None:
                alert.due_at = deadline.due_at
                begun.append(Started(alert, deadline))
        write_rows(self._session, AlertRow, [as_values(alert) for alert in self._opened])
        self._session.flush()
        return begun

    def _settle(self) -> None:
        """Alerts that were overtaken: fold all their events anew."""
        for violation_id in self._unsettled:
            bodies = self._session.scalars(select(EventRow.body).where(EventRow.violation_id == violation_id))
            events = [Event.model_validate(body) for body in bodies]
            events += [event for event, _ in self.accepted if event.violation_id == violation_id]
            self._growths[violation_id] = fold(events)

    def _keep(self, event_id: UUID, key: _Key) -> None:
        self._keys[event_id] = key
        self._taken[key] = event_id

    def _event_values(self, event: Event, raw: Any) -> dict[str, Any]:
        return {
            "event_id": event.event_id,
            "violation_id": event.violation_id,
            "sequence": event.sequence,
            "alert_id": self._alerts[event.violation_id].id,
            "edge_id": event.edge_id,
            "kind": event.kind,
            "occurred_at": event.occurred_at,
            "server_offset_ms": event.server_offset_ms,
            "received_at": self._now,
            "confidence": event.confidence,
            "detail": (event.detail or "")[:MAX_DETAIL] or None,
            "body": {key: value for key, value in raw.items() if key != "evidence"},
        }


def _read_places(session: Session, camera_ids: set[str]) -> dict[str, _Place]:
    rows = session.execute(
        select(
            CameraRow.camera_id,
            CameraRow.edge_id,
            PremisesRow.id,
            PremisesRow.node_id,
            PremisesRow.time_zone,
        )
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .where(CameraRow.camera_id.in_(camera_ids))
    )
    return {camera_id: _Place(edge, premises, node, zone) for camera_id, edge, premises, node, zone in rows}


def _read(alert: AlertRow) -> Growth:
    from_row = {name: getattr(alert, name) for name in Growth.__slots__}
    return Growth(**from_row)


def _write(alert: AlertRow, known: Growth) -> None:
    for name in Growth.__slots__:
        setattr(alert, name, getattr(known, name))
