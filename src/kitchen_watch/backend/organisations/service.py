"""What people read about the supervised world, each within the own scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from kitchen_watch.backend.alerts.states import FINISHED
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.organisations.places import node_ids, place_names
from kitchen_watch.backend.organisations.schemas import (
    CameraPage,
    CameraView,
    NodeView,
    PremisesDetail,
    PremisesPage,
    PremisesView,
)
from kitchen_watch.backend.organisations.tables import CameraRow, NodeRow, PremisesOfficialRow, PremisesRow
from kitchen_watch.backend.public.service import current_grades
from kitchen_watch.control import CameraState
from kitchen_watch.errors import NotFound

SILENT_AFTER = timedelta(seconds=20)
"""An edge that has said nothing for so long (four heartbeats) counts as not connected."""

MAX_PAGE = 500


def node_tree(session: Session, person: Person) -> list[NodeView]:
    """The nodes the person may see, in the order of the tree; the premises side sees none."""
    rows = session.scalars(select(NodeRow).where(person.scope.nodes()).order_by(NodeRow.path))
    return [
        NodeView(
            id=row.id,
            parent_id=row.parent_id,
            kind=row.kind,
            code=row.code,
            name=row.name,
            name_en=row.name_en,
            path=row.path,
            depth=len(node_ids(row.path)) - 1,
            version=row.version,
        )
        for row in rows
    ]


def premises_list(session: Session, person: Person) -> list[PremisesView]:
    """Every premises in scope, by id."""
    rows = session.scalars(select(PremisesRow).where(person.scope.premises()).order_by(PremisesRow.id))
    return _premises_views(session, list(rows))


def premises_page(
    session: Session, person: Person, *, after: int = 0, limit: int = MAX_PAGE, node_id: int | None = None
) -> PremisesPage:
    """Premises in scope with an id above ``after``, by id; below one node where it is given."""
    query = select(PremisesRow).where(person.scope.premises(), PremisesRow.id > after)
    if node_id is not None:
        query = query.where(PremisesRow.node_id.in_(subtree_ids(node_id)))
    rows = list(session.scalars(query.order_by(PremisesRow.id).limit(limit + 1)))
    return PremisesPage(
        items=_premises_views(session, rows[:limit]),
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


def premises_detail(session: Session, person: Person, premises_id: int, *, now: datetime) -> PremisesDetail:
    """One premises with its cameras.

    Raises:
        NotFound: there is no such premises in the person's scope.
    """
    view = _premises_views(session, [visible_premises(session, person, premises_id)])[0]
    return PremisesDetail(
        **dict(view), cameras=camera_list(session, person, premises_id=premises_id, now=now)
    )


def visible_premises(session: Session, person: Person, premises_id: int) -> PremisesRow:
    """The premises, if this person may see it.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(PremisesRow).where(PremisesRow.id == premises_id, person.scope.premises())
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no premises {premises_id} that you may see.")
    return row


def camera_list(
    session: Session, person: Person, *, now: datetime, premises_id: int | None = None
) -> list[CameraView]:
    """Cameras in scope, of one premises where it is given, by premises and id."""
    query = _cameras(person)
    if premises_id is not None:
        query = query.where(CameraRow.premises_id == premises_id)
    return _camera_views(session, query.order_by(CameraRow.premises_id, CameraRow.camera_id), now)


def camera_views(
    session: Session,
    person: Person,
    *,
    now: datetime,
    where: ColumnElement[bool],
    limit: int | None = None,
    offset: int = 0,
    order: Sequence[ColumnElement[Any]] = (),
) -> list[CameraView]:
    """Cameras in scope for which ``where`` holds (on cameras, premises, states of cameras and edges)."""
    query = _cameras(person).where(where).order_by(*order, CameraRow.premises_id, CameraRow.camera_id)
    return _camera_views(session, query if limit is None else query.limit(limit).offset(offset), now)


def camera_page(
    session: Session,
    person: Person,
    *,
    now: datetime,
    where: ColumnElement[bool] | None = None,
    after: str = "",
    limit: int = MAX_PAGE,
) -> CameraPage:
    """Cameras in scope, those for which ``where`` holds, with an id behind ``after``, by id."""
    query = _cameras(person).where(CameraRow.camera_id > after).order_by(CameraRow.camera_id)
    if where is not None:
        query = query.where(where)
    views = _camera_views(session, query.limit(limit + 1), now)
    return CameraPage(
        items=views[:limit], next_cursor=views[limit - 1].camera_id if len(views) > limit else None
    )


def visible_camera(session: Session, person: Person, camera_id: str) -> CameraRow:
    """The camera, if this person may see it.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(CameraRow).where(CameraRow.camera_id == camera_id, person.scope.owned(CameraRow.premises_id))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no camera {camera_id} that you may see.")
    return row


def camera_detail(session: Session, person: Person, camera_id: str, *, now: datetime) -> CameraView:
    """One camera.

    Raises:
        NotFound: there is no such camera in the person's scope.
    """
    visible_camera(session, person, camera_id)
    return _camera_views(session, _cameras(person).where(CameraRow.camera_id == camera_id), now)[0]


def subtree_ids(node_id: int) -> Select[int]:
    """The ids of a node and everything below it."""
    top = select(NodeRow.path).where(NodeRow.id == node_id).scalar_subquery()
    return select(NodeRow.id).where(NodeRow.path.startswith(top))


_CameraQuery = Select[CameraRow, str, CameraStateRow | None, EdgeStateRow | None]


def _cameras(person: Person) -> _CameraQuery:
    return (
        select(CameraRow, PremisesRow.name, CameraStateRow, EdgeStateRow)
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .outerjoin(CameraStateRow, CameraStateRow.camera_id == CameraRow.camera_id)
        .outerjoin(EdgeStateRow, EdgeStateRow.edge_id == CameraRow.edge_id)
        .where(person.scope.owned(CameraRow.premises_id))
    )


def _camera_views(session: Session, query: _CameraQuery, now: datetime) -> list[CameraView]:
    rows = session.execute(query).all()
    open_alerts = _open_alerts(session, AlertRow.camera_id, [row[0].camera_id for row in rows])
    return [
        _camera_view(camera, name, state, edge, now, open_alerts.get(camera.camera_id, 0))
        for camera, name, state, edge in rows
    ]


def _camera_view(
    camera: CameraRow,
    premises_name: str,
    state: CameraStateRow | None,
    edge: EdgeStateRow | None,
    now: datetime,
    open_alerts: int,
) -> CameraView:
    shown, since_at, reason = None, None, None
    if state is not None:
        shown, since_at, reason = state.state, state.since_at, state.reason
        if edge is None or not is_connected(edge, now):
            shown = CameraState.OFFLINE
            since_at = state.heard_at
            reason = "The edge of this camera is not connected."
    return CameraView(
        camera_id=camera.camera_id,
        name=camera.name,
        name_en=camera.name_en,
        area_type=camera.area_type,
        zone_type=camera.zone_type,
        public=camera.public,
        premises_id=camera.premises_id,
        premises_name=premises_name,
        edge_id=camera.edge_id,
        state=shown,
        since_at=since_at,
        reason=reason,
        heard_at=state.heard_at if state is not None else None,
        width=state.width if state is not None else None,
        height=state.height if state is not None else None,
        codec=state.codec if state is not None else None,
        frame_age_ms=state.frame_age_ms if state is not None else None,
        frames_received=state.frames_received if state is not None else 0,
        frames_analysed=state.frames_analysed if state is not None else 0,
        frames_dropped=state.frames_dropped if state is not None else 0,
        frames_still=state.frames_still if state is not None else 0,
        judged_share=state.judged_share if state is not None else None,
        turns=state.turns if state is not None and shown is CameraState.STREAMING else None,
        open_alerts=open_alerts,
        gb_device_id=camera.gb_device_id,
        gb_channel_id=camera.gb_channel_id,
        enabled=camera.enabled,
        version=camera.version,
    )


def is_connected(edge: EdgeStateRow, now: datetime) -> bool:
    """Whether an edge holds its control connection; a connection that fell silent does not count."""
    return edge.connection_id is not None and now - edge.last_heard_at < SILENT_AFTER


def _premises_views(session: Session, rows: Sequence[PremisesRow]) -> list[PremisesView]:
    ids = [row.id for row in rows]
    places = place_names(session, {row.node_id for row in rows})
    cameras = dict(
        session.execute(
            select(CameraRow.premises_id, func.count())
            .where(CameraRow.premises_id.in_(ids))
            .group_by(CameraRow.premises_id)
        ).all()
    )
    alerts = _open_alerts(session, AlertRow.premises_id, ids)
    officials = {
        premises_id: (name, level)
        for premises_id, name, level in session.execute(
            select(PremisesOfficialRow.premises_id, PersonRow.display_name, PremisesOfficialRow.level)
            .join(PersonRow, PersonRow.id == PremisesOfficialRow.person_id)
            .where(PremisesOfficialRow.premises_id.in_(ids), PremisesOfficialRow.until_at.is_(None))
        )
    }
    grades = current_grades(session, ids)
    return [
        PremisesView(
            id=row.id,
            licence_no=row.licence_no,
            name=row.name,
            name_en=row.name_en,
            business_type=row.business_type,
            address=row.address,
            node_id=row.node_id,
            place=places[row.node_id],
            time_zone=row.time_zone,
            hours=row.hours,
            responsible_person=row.responsible_person,
            phone=row.phone,
            camera_count=cameras.get(row.id, 0),
            open_alerts=alerts.get(row.id, 0),
            latitude=row.latitude,
            longitude=row.longitude,
            inspection_grade=grades.get(row.id),
            risk_grade=row.risk_grade,
            official=officials.get(row.id, ("", None))[0],
            official_level=officials.get(row.id, ("", None))[1],
            rollout_batch=row.rollout_batch,
            uniform=row.uniform,
            active=row.active,
            version=row.version,
        )
        for row in rows
    ]


def _open_alerts(session: Session, column: InstrumentedAttribute[Any], ids: Iterable[Any]) -> dict[Any, int]:
    rows = session.execute(
        select(column, func.count())
        .where(column.in_(list(ids)), AlertRow.ended_at.is_(None), AlertRow.state.not_in(FINISHED))
        .group_by(column)
    )
    return {row[0]: row[1] for row in rows}
