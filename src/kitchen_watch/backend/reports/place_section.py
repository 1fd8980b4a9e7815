"""Premises and cameras of a report, and the cameras that are not seen at its cut-off."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.organisations.camera_lists import HEALTHY
from kitchen_watch.backend.organisations.overview import NEVER_HEARD
from kitchen_watch.backend.organisations.scope import Scope
from kitchen_watch.backend.organisations.service import SILENT_AFTER
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.backend.presence.coverage import covered_by_grid
from kitchen_watch.backend.presence.figures import PresenceFigures, presence_figures
from kitchen_watch.backend.reports.content import Cell, Count, Figure, Rows, Section
from kitchen_watch.backend.reports.drawing import Scene
from kitchen_watch.control import CameraState

_Columns = TypeVarTuple("_Columns")
OFFLINE_COLUMNS = ["premises", "camera", "camera_state", "since"]


def place_section(scene: Scene) -> Section:
    """How much there is to watch, how much of it has a camera, and what is not seen."""
    scope = Scope(paths=(scene.node.path,))
    premises = _count(scene, select(func.count()).select_from(PremisesRow).where(scope.premises(), _open()))
    covered = scene.ledger.once(("covered",), lambda: covered_by_grid(scene.session, scene.now))
    inside = scene.ledger.below(scene.node.path)
    seen = sum(many for node_id, (_all, many) in covered.items() if node_id in inside)
    minutes = _minutes(scene)
    cameras = select(func.count()).select_from(CameraRow).where(_cameras(scope))
    total, blind = _count(scene, cameras), _count(scene, unseen(cameras, scene.now))
    return Section(
        key="places",
        figures=[
            Figure(key="premises", now=Count(value=premises)),
            Figure(key="coverage", now=Count(value=seen, out_of=premises)),
            Figure(key="cameras", now=Count(value=total)),
            Figure(key="cameras_unseen", now=Count(value=blind, out_of=total)),
            Figure(key="minutes_watched", now=Count(value=minutes.watched, out_of=minutes.operating)),
        ],
        tables=[Rows(key="cameras_unseen", columns=OFFLINE_COLUMNS, rows=_list(scene, scope))],
    )


def _minutes(scene: Scene) -> PresenceFigures:
    """Of the period's calendar days, by which minutes are counted; the last one so far."""
    zone, period = scene.settings.zone, scene.period
    since = datetime.combine(period.first, time(), zone)
    return presence_figures(
        scene.session, scene.node.path, since, datetime.combine(period.last, time(), zone) + timedelta(days=1)
    )


def _open() -> ColumnElement[bool]:
    return PremisesRow.active.is_(True)


def _cameras(scope: Scope) -> ColumnElement[bool]:
    return and_(scope.owned(CameraRow.premises_id), CameraRow.enabled.is_(True))


def _count(scene: Scene, query: Select[int]) -> int:
    return scene.session.scalar(query) or 0


def unseen(query: Select[*_Columns], now: datetime) -> Select[*_Columns]:
    """Cameras whose picture does not come: said so, silent, or never heard of."""
    return (
        query.outerjoin(CameraStateRow, CameraStateRow.camera_id == CameraRow.camera_id)
        .outerjoin(EdgeStateRow, EdgeStateRow.edge_id == CameraRow.edge_id)
        .where(
            or_(
                CameraStateRow.camera_id.is_(None),
                CameraStateRow.state.not_in(HEALTHY),
                EdgeStateRow.connection_id.is_(None),
                EdgeStateRow.last_heard_at <= now - SILENT_AFTER,
            )
        )
    )


def _list(scene: Scene, scope: Scope) -> list[list[Cell]]:
    query = (
        select(
            PremisesRow.name,
            CameraRow.name,
            CameraStateRow.state,
            CameraStateRow.heard_at,
            EdgeStateRow.connection_id,
            EdgeStateRow.last_heard_at,
        )
        .select_from(CameraRow)
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .where(_cameras(scope))
        .order_by(CameraStateRow.heard_at.asc().nulls_first(), CameraRow.camera_id)
        .limit(scene.settings.top * 2)
    )
    rows: list[list[Cell]] = []
    for premises, camera, state, heard_at, connection, edge_heard_at in scene.session.execute(
        unseen(query, scene.now)
    ):
        silent = connection is None or edge_heard_at <= scene.now - SILENT_AFTER
        shown = NEVER_HEARD if state is None else CameraState.OFFLINE if silent else state
        since = heard_at.isoformat() if heard_at is not None else None
        rows.append([premises, camera, str(shown), since])
    return rows
