"""What people read about edges and ask of them, each within the own scope."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.edges.schemas import EdgeView
from kitchen_watch.backend.edges.states import store_offer
from kitchen_watch.backend.edges.tables import ConfigurationRow, EdgeStateRow
from kitchen_watch.backend.organisations.service import is_connected
from kitchen_watch.backend.organisations.tables import CameraRow, EdgeRow
from kitchen_watch.errors import NotFound


def edge_list(
    session: Session, person: Person, *, now: datetime, first: int = 0, limit: int | None = None
) -> list[EdgeView]:
    """Edges all of whose cameras are in scope, by id; at most ``limit``, from number ``first`` on."""
    rows = session.execute(
        select(EdgeRow, EdgeStateRow)
        .outerjoin(EdgeStateRow, EdgeStateRow.edge_id == EdgeRow.edge_id)
        .where(person.scope.edges(EdgeRow.edge_id))
        .order_by(EdgeRow.edge_id)
        .offset(first)
        .limit(limit)
    ).all()
    ids = [edge.edge_id for edge, _ in rows]
    cameras: dict[str, list[str]] = defaultdict(list)
    for camera_id, edge_id in session.execute(
        select(CameraRow.camera_id, CameraRow.edge_id)
        .where(CameraRow.edge_id.in_(ids))
        .order_by(CameraRow.camera_id)
    ):
        cameras[edge_id].append(camera_id)
    offers = newest_offers(session, ids)
    return [_view(edge, state, offers.get(edge.edge_id), cameras[edge.edge_id], now) for edge, state in rows]


def visible_edge(session: Session, person: Person, edge_id: str) -> EdgeRow:
    """The edge, if this person may see it.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(EdgeRow).where(EdgeRow.edge_id == edge_id, person.scope.edges(EdgeRow.edge_id))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no edge {edge_id} that you may see.")
    return row


def offer_configuration(
    session: Session,
    person: Person,
    edge_id: str,
    cameras: dict[str, dict[str, Any] | None],
    *,
    address: str,
    now: datetime,
) -> str:
    """Store a configuration for an edge and return its version; it is sent when the edge is there.

    Raises:
        NotFound: there is no such edge in the person's scope.
    """
    visible_edge(session, person, edge_id)
    row = store_offer(session, edge_id, cameras, by=person.id, now=now)
    record(
        session,
        Actor(person.id, address),
        "configuration_offered",
        at=now,
        about=("edge", edge_id),
        version=row.version,
    )
    return row.version


def newest_offers(session: Session, edge_ids: list[str]) -> dict[str, ConfigurationRow]:
    """The configuration that was offered last, by edge."""
    newest = (
        select(ConfigurationRow.edge_id, func.max(ConfigurationRow.created_at).label("at"))
        .where(ConfigurationRow.edge_id.in_(edge_ids))
        .group_by(ConfigurationRow.edge_id)
        .subquery()
    )
    rows = session.scalars(
        select(ConfigurationRow).join(
            newest,
            (ConfigurationRow.edge_id == newest.c.edge_id) & (ConfigurationRow.created_at == newest.c.at),
        )
    )
    return {row.edge_id: row for row in rows}


def _view(
    edge: EdgeRow,
    state: EdgeStateRow | None,
    offer: ConfigurationRow | None,
    camera_ids: list[str],
    now: datetime,
) -> EdgeView:
    return EdgeView(
        edge_id=edge.edge_id,
        name=edge.name,
        enabled=edge.enabled,
        camera_ids=camera_ids,
        connected=state is not None and is_connected(state, now),
        connected_at=state.connected_at if state is not None else None,
        last_heard_at=state.last_heard_at if state is not None else None,
        clock_offset_ms=state.clock_offset_ms if state is not None else None,
        software_version=state.software_version if state is not None else "",
        outbox_pending=state.outbox_pending if state is not None else 0,
        outbox_oldest_s=state.outbox_oldest_s if state is not None else None,
        dead_letters=state.dead_letters if state is not None else 0,
        disk_free_bytes=state.disk_free_bytes if state is not None else None,
        warnings=state.warnings if state is not None else [],
        configuration_version=state.configuration_version if state is not None else None,
        offered_version=offer.version if offer is not None else None,
        configuration_accepted=offer.accepted if offer is not None else None,
        configuration_reason=offer.reason if offer is not None else None,
    )
