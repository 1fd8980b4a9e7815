"""What edges say of themselves, stored; and configurations offered to them, with their answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.fencing import still_owner
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.edges.tables import CameraStateRow, ConfigurationRow, EdgeStateRow
from kitchen_watch.backend.organisations.tables import CameraRow
from kitchen_watch.control import CameraStatus, ConfigurationAnswer, ConfigurationOffer, Heartbeat, Hello

MAX_WARNINGS = 20
MAX_TEXT = 300
MAX_WARNING = 1000
"""A sentence that is cut off is known to no translation."""
_MS = timedelta(milliseconds=1)


def store_hello(database: Database, hello: Hello, *, connection_id: UUID, now: datetime) -> None:
    """The edge has connected."""
    with database.write() as session:
        row = _edge_state(session, hello.edge_id, now)
        row.connection_id = connection_id
        row.connected_at = now
        row.software_version = hello.software_version[:64]
        row.model_sha256 = (hello.model_sha256 or "")[:64] or None
        row.configuration_version = hello.configuration_version


def store_heartbeat(
    database: Database,
    edge_id: str,
    beat: Heartbeat,
    *,
    connection_id: UUID,
    fencing_token: int | None,
    now: datetime,
) -> bool:
    """The edge lives; cameras that are not its own are not believed. Nothing is believed of an owner
    that another one has replaced; whether it was."""
    with database.write() as session:
        if not still_owner(session, edge_id, fencing_token):
            return False
        row = _edge_state(session, edge_id, now)
        row.connection_id = connection_id
        row.clock_offset_ms = round((now - beat.sent_at) / _MS)
        row.outbox_pending = beat.outbox_pending
        row.outbox_oldest_s = beat.outbox_oldest_s
        row.dead_letters = beat.dead_letters
        row.disk_free_bytes = beat.disk_free_bytes
        row.warnings = [warning[:MAX_WARNING] for warning in beat.warnings[:MAX_WARNINGS]]
        _store_cameras(session, edge_id, beat.cameras, now)
    return True


def store_disconnect(database: Database, edge_id: str, connection_id: UUID) -> None:
    """That connection is gone; a newer one of the same edge is left alone."""
    with database.write() as session:
        session.execute(
            update(EdgeStateRow)
            .where(EdgeStateRow.edge_id == edge_id, EdgeStateRow.connection_id == connection_id)
            .values(connection_id=None)
        )


def store_answer(database: Database, edge_id: str, answer: ConfigurationAnswer, *, now: datetime) -> None:
    """The edge accepted or refused an offer; an offer of another edge is not touched."""
    with database.write() as session:
        row = session.get(ConfigurationRow, answer.offer_id)
        if row is None or row.edge_id != edge_id or row.answered_at is not None:
            return
        row.answered_at = now
        row.accepted = answer.accepted
        row.reason = (answer.reason or "")[:500] or None
        if answer.accepted:
            _edge_state(session, edge_id, now).configuration_version = answer.version


def store_offer(
    session: Session,
    edge_id: str,
    cameras: dict[str, dict[str, Any] | None],
    *,
    by: int | None,
    now: datetime,
    made_of: dict[str, Any] | None = None,
) -> ConfigurationRow:
    """A new configuration for an edge; it takes the place of one that is not answered yet."""
    offer_id = uuid4()
    before = newest_configuration(session, edge_id)
    at = now if before is None or before.created_at < now else before.created_at + timedelta(microseconds=1)
    row = ConfigurationRow(
        offer_id=offer_id,
        edge_id=edge_id,
        version=f"{now:%Y%m%dT%H%M%S}-{offer_id.hex[:8]}",
        cameras=cameras,
        made_of=made_of or {},
        offered_by=by,
        created_at=at,
    )
    session.add(row)
    return row


def pending_offer(database: Database, edge_id: str) -> ConfigurationOffer | None:
    """The newest configuration, unless the edge has answered it and still has what it accepted."""
    with database.read() as session:
        row = newest_configuration(session, edge_id)
        state = session.get(EdgeStateRow, edge_id)
        if row is None or row.accepted is False:
            return None
        if row.accepted and (state is None or state.configuration_version == row.version):
            return None
        return ConfigurationOffer(offer_id=row.offer_id, version=row.version, cameras=row.cameras)


def newest_configuration(session: Session, edge_id: str) -> ConfigurationRow | None:
    """What was offered last."""
    return session.scalars(
        select(ConfigurationRow)
        .where(ConfigurationRow.edge_id == edge_id)
        .order_by(ConfigurationRow.created_at.desc())
        .limit(1)
    ).one_or_none()


def _edge_state(session: Session, edge_id: str, now: datetime) -> EdgeStateRow:
    row = session.get(EdgeStateRow, edge_id)
    if row is None:
        row = EdgeStateRow(edge_id=edge_id, last_heard_at=now, warnings=[])
        session.add(row)
    row.last_heard_at = now
    return row


def _store_cameras(session: Session, edge_id: str, cameras: tuple[CameraStatus, ...], now: datetime) -> None:
    own = set(
        session.scalars(
            select(CameraRow.camera_id).where(
                CameraRow.edge_id == edge_id,
                CameraRow.camera_id.in_({camera.camera_id for camera in cameras}),
            )
        )
    )
    known = {
        row.camera_id: row
        for row in session.scalars(select(CameraStateRow).where(CameraStateRow.camera_id.in_(own)))
    }
    for camera in cameras:
        if camera.camera_id not in own:
            continue
        row = known.get(camera.camera_id)
        if row is None:
            row = known[camera.camera_id] = CameraStateRow(camera_id=camera.camera_id)
            session.add(row)
        row.state = camera.state
        row.since_at = camera.since
        row.reason = (camera.reason or "")[:MAX_TEXT] or None
        row.heard_at = now
        row.frames_received = camera.frames_received
        row.frames_analysed = camera.frames_analysed
        row.frames_still = camera.frames_still
        row.frames_dropped = camera.frames_dropped
        row.judged_share = camera.judged_share
        row.take_turns(camera.turns)
        row.frame_age_ms = camera.frame_age_ms
        row.width = camera.width
        row.height = camera.height
        row.codec = (camera.codec or "")[:40] or None
