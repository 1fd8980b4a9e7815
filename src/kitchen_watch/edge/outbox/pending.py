"""SQL for what is still to be delivered: events in order per violation, then their files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from kitchen_watch.edge.outbox.appending import put_meta
from kitchen_watch.edge.outbox.database import Connection, Row
from kitchen_watch.edge.outbox.records import (
    EventState,
    FileState,
    ListedEvent,
    OutboxCounts,
    Outcome,
    PendingEvent,
    PendingUpload,
)
from kitchen_watch.edge.outbox.schema import micros, moment
from kitchen_watch.events import Event, EventKind, EvidenceKind

HORIZON = timedelta(hours=2)
"""A retry or lease further ahead than this was written before the clock was set back: it is due."""

_DUE = "(next_attempt_at <= :now OR next_attempt_at > :horizon)"
_LISTED = (
    "SELECT event_id, violation_id, sequence, kind, v.code, v.camera_id, state, attempts, created_at,"
    " next_attempt_at, last_error FROM events JOIN violations v USING (violation_id)"
)
ALL = 2**62
"""A limit that is none."""


def lease_events(
    connection: Connection, *, limit: int, now: datetime, lease: timedelta
) -> list[PendingEvent]:
    """Up to ``limit`` due events, oldest first, at most one per violation: its earliest undelivered."""
    rows = connection.execute(
        f"SELECT number, body, attempts FROM events e WHERE state = 'pending' AND {_DUE}"  # noqa: S608
        " AND (lease_until IS NULL OR lease_until <= :now OR lease_until > :horizon)"
        " AND NOT EXISTS (SELECT 1 FROM events p WHERE p.state = 'pending'"
        "                 AND p.violation_id = e.violation_id AND p.sequence < e.sequence)"
        " ORDER BY number LIMIT :limit",
        {**_times(now), "limit": limit},
    ).fetchall()
    until = micros(now + lease)
    connection.executemany(
        "UPDATE events SET lease_until = ? WHERE number = ?", [(until, row["number"]) for row in rows]
    )
    readable = ((row, _readable(connection, row, now)) for row in rows)
    return [PendingEvent(event, row["attempts"]) for row, event in readable if event is not None]


def settle(connection: Connection, outcomes: Iterable[Outcome], *, now: datetime) -> int:
    """Write down what became of leased events; the number newly delivered.

    An event that is delivered already stays so, whatever a late answer says.
    """
    delivered = 0
    for outcome in outcomes:
        retry_at = outcome.retry_at or now
        cursor = connection.execute(
            "UPDATE events SET state = :state, last_error = :reason, lease_until = NULL,"
            " attempts = attempts + CASE WHEN :state = 'delivered' THEN 0 ELSE 1 END,"
            " next_attempt_at = :retry_at, settled_at = CASE WHEN :state = 'pending' THEN NULL ELSE :now END"
            " WHERE event_id = :event_id AND state = 'pending'",
            {
                "state": outcome.state.value,
                "reason": outcome.reason,
                "retry_at": micros(retry_at),
                "now": micros(now),
                "event_id": str(outcome.event_id),
            },
        )
        if cursor.rowcount and outcome.state is EventState.DELIVERED:
            delivered += 1
            # The backend knows its files by name now, and will take them.
            connection.execute(
                "UPDATE uploads SET state = 'pending' WHERE state = 'waiting' AND chain_index IN"
                " (SELECT chain_index FROM manifests WHERE event_id = ?)",
                (str(outcome.event_id),),
            )
    _count_delivered(connection, delivered)
    return delivered


def release(connection: Connection, event_ids: Iterable[UUID]) -> None:
    """Give leased events back unchanged, as if nobody had taken them."""
    connection.executemany(
        "UPDATE events SET lease_until = NULL WHERE event_id = ? AND state = 'pending'",
        [(str(event_id),) for event_id in event_ids],
    )


def requeue(connection: Connection, event_ids: Sequence[UUID] | None, *, now: datetime) -> int:
    """Make dead events pending again (``None``: all of them); the number of events."""
    values = {"now": micros(now)}
    update = (
        "UPDATE events SET state = 'pending', attempts = 0, lease_until = NULL, settled_at = NULL,"
        " next_attempt_at = :now WHERE state = 'dead'"
    )
    if event_ids is None:
        return connection.execute(update, values).rowcount
    return sum(
        connection.execute(
            f"{update} AND event_id = :event_id", {**values, "event_id": str(event_id)}
        ).rowcount
        for event_id in event_ids
    )


def listed(connection: Connection, *, state: EventState, limit: int = ALL) -> list[ListedEvent]:
    """Events in one state, oldest first."""
    rows = connection.execute(f"{_LISTED} WHERE state = ? ORDER BY number LIMIT ?", (state.value, limit))
    return [
        ListedEvent(
            event_id=UUID(row["event_id"]),
            violation_id=UUID(row["violation_id"]),
            sequence=row["sequence"],
            kind=EventKind(row["kind"]),
            code=row["code"],
            camera_id=row["camera_id"],
            state=EventState(row["state"]),
            attempts=row["attempts"],
            created_at=moment(row["created_at"]),
            next_attempt_at=moment(row["next_attempt_at"]),
            last_error=row["last_error"],
        )
        for row in rows
    ]


def counts(connection: Connection) -> OutboxCounts:
    """How much is where."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM events WHERE state = 'pending') AS pending,"
        " (SELECT count(*) FROM events WHERE state = 'dead') AS dead,"
        " (SELECT count(*) FROM uploads WHERE state IN ('waiting', 'pending')) AS uploads_pending,"
        " (SELECT count(*) FROM uploads WHERE state IN ('missing', 'damaged')) AS uploads_lost,"
        " (SELECT value FROM meta WHERE key = 'delivered_total') AS delivered"
    ).fetchone()
    return OutboxCounts(
        pending=row["pending"],
        delivered=int(row["delivered"] or 0),
        dead=row["dead"],
        uploads_pending=row["uploads_pending"],
        uploads_lost=row["uploads_lost"],
    )


def oldest_pending(connection: Connection) -> datetime | None:
    """When the oldest undelivered event was recorded."""
    row = connection.execute(
        "SELECT created_at FROM events WHERE state = 'pending' ORDER BY number LIMIT 1"
    ).fetchone()
    return None if row is None else moment(row[0])


def next_due(connection: Connection, *, now: datetime) -> datetime | None:
    """When the next event or file becomes due that is not yet; ``None`` if none is put off."""
    row = connection.execute(
        "SELECT min(due) FROM (SELECT min(next_attempt_at) AS due FROM events"
        "   WHERE state = 'pending' AND next_attempt_at > :now"
        " UNION ALL SELECT min(next_attempt_at) FROM uploads"
        "   WHERE state = 'pending' AND next_attempt_at > :now) AS waiting",
        {"now": micros(now)},
    ).fetchone()
    return None if row[0] is None else moment(row[0])


def next_upload(connection: Connection, *, now: datetime, data_dir: Path) -> PendingUpload | None:
    """The file to go on with: of an acknowledged event, pictures before clips, oldest first."""
    row = connection.execute(
        f"SELECT * FROM uploads WHERE state = 'pending' AND {_DUE}"  # noqa: S608
        " ORDER BY priority, upload_id LIMIT 1",
        _times(now),
    ).fetchone()
    if row is None:
        return None
    return PendingUpload(
        upload_id=row["upload_id"],
        sha256=row["sha256"],
        path=data_dir / row["path"],
        kind=EvidenceKind(row["kind"]),
        size_bytes=row["size_bytes"],
        offset=row["received_bytes"],
        attempts=row["attempts"],
        key=row["path"],
    )


def upload_advanced(connection: Connection, upload_id: int, received_bytes: int) -> None:
    """The backend holds so many bytes now."""
    connection.execute(
        "UPDATE uploads SET received_bytes = ?, attempts = 0, last_error = NULL WHERE upload_id = ?",
        (received_bytes, upload_id),
    )


def upload_settled(connection: Connection, upload_id: int, state: FileState, reason: str | None) -> None:
    """The file is delivered, or will never be."""
    connection.execute(
        "UPDATE uploads SET state = ?, last_error = ? WHERE upload_id = ?",
        (state.value, reason, upload_id),
    )


def upload_postponed(connection: Connection, upload_id: int, retry_at: datetime, reason: str) -> None:
    """Not before ``retry_at``."""
    connection.execute(
        "UPDATE uploads SET attempts = attempts + 1, next_attempt_at = ?, last_error = ? WHERE upload_id = ?",
        (micros(retry_at), reason, upload_id),
    )


def uploads_wanted(connection: Connection, sha256s: Iterable[str], *, now: datetime) -> int:
    """The backend says it lacks these: send again what was taken for delivered; the number of files."""
    return sum(
        connection.execute(
            "UPDATE uploads SET state = 'pending', received_bytes = 0, next_attempt_at = ?"
            " WHERE sha256 = ? AND state = 'delivered' AND chain_index IN"
            " (SELECT chain_index FROM manifests WHERE removed_at IS NULL)",
            (micros(now), sha256),
        ).rowcount
        for sha256 in sha256s
    )


def _readable(connection: Connection, row: Row, now: datetime) -> Event | None:
    """The event; one that cannot be read any more becomes a dead letter instead of stopping all others."""
    try:
        return Event.model_validate_json(row["body"])
    except ValidationError as error:
        connection.execute(
            "UPDATE events SET state = 'dead', last_error = ?, lease_until = NULL, settled_at = ?"
            " WHERE number = ?",
            (f"cannot be read by this version: {error.errors()[0]['msg']}", micros(now), row["number"]),
        )
        return None


def _count_delivered(connection: Connection, number: int) -> None:
    if number:
        row = connection.execute("SELECT value FROM meta WHERE key = 'delivered_total'").fetchone()
        put_meta(connection, "delivered_total", str(number + int(row["value"] if row else 0)))


def _times(now: datetime) -> dict[str, int]:
    return {"now": micros(now), "horizon": micros(now + HORIZON)}
