"""Coverage and presence of what somebody may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, func, not_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.organisations.camera_lists import in_trouble
from kitchen_watch.backend.organisations.service import is_connected
from kitchen_watch.backend.organisations.tables import CameraRow, NodeRow, PremisesRow
from kitchen_watch.backend.presence.coverage import batches, covered_by_grid, zone_coverage
from kitchen_watch.backend.presence.figures import day_of
from kitchen_watch.backend.presence.opening import is_open_at
from kitchen_watch.backend.presence.schemas import (
    AreaView,
    BatchView,
    BlindView,
    CoverageView,
    DayView,
    ZoneGapView,
)
from kitchen_watch.backend.presence.settings import PresenceSettings
from kitchen_watch.backend.presence.tables import CameraDayRow, CoverageDayRow
from kitchen_watch.backend.statistics.figures import Share
from kitchen_watch.backend.statistics.questions import below_path
from kitchen_watch.backend.statistics.schemas import share_view
from kitchen_watch.backend.statistics.service import child_on_the_way
from kitchen_watch.errors import NotFound

_Columns = TypeVarTuple("_Columns")

SHOWN = 200
MOST_DAYS = 366


def coverage(
    session: Session,
    person: Person,
    settings: PresenceSettings,
    *,
    now: datetime,
    node_id: int | None = None,
    days: int = 30,
) -> CoverageView:
    """How far the cameras have got in a subtree, who is watching, who is blind.

    Raises:
        NotFound: no such node in their scope.
    """
    own, nodes = _place(session, person, node_id)
    place = person.scope.premises()
    if own is not None:
        place &= PremisesRow.node_id.in_(select(NodeRow.id).where(below_path(own.path)))
    groups = batches(session, place, now)
    premises = sum(one.premises for one in groups)
    covered = sum(one.covered for one in groups)
    asked, there, gaps = zone_coverage(session, place, settings.required_zones)
    by_day, by_grid = _minutes(session, set(nodes), day_of(now - timedelta(days=days - 1), zone_in(session)))
    cameras = session.scalar(_cameras(place)) or 0
    blind = _blind(session, place, now)
    blind_count = session.scalar(_with_state(_cameras(place)).where(in_trouble(now))) or 0
    in_turn, longest = session.execute(
        _with_state(
            select(func.count(), func.max(CameraStateRow.turn_revisit_s))
            .select_from(CameraRow)
            .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
            .where(CameraRow.enabled.is_(True), PremisesRow.active.is_(True), place)
        ).where(CameraStateRow.turn_share.is_not(None), not_(in_trouble(now)))
    ).one()
    return CoverageView(
        target=settings.target,
        covered=share_view(Share(covered, premises)),
        watched=share_view(_sum(by_day.values())),
        cameras_blind=share_view(Share(blind_count, cameras)),
        in_turn=share_view(Share(in_turn, cameras)),
        longest_revisit_s=longest,
        zones=share_view(Share(there, asked)),
        batches=[
            BatchView(name=one.name, covered=share_view(Share(one.covered, one.premises))) for one in groups
        ],
        areas=_areas(session, own, nodes, by_grid, now),
        days=_days(session, set(nodes), by_day, now, days),
        blind=blind,
        zone_gaps=[
            ZoneGapView(
                premises_id=gap.premises_id, name=gap.name, name_en=gap.name_en, missing=list(gap.missing)
            )
            for gap in gaps[:SHOWN]
        ],
    )


def _place(
    session: Session, person: Person, node_id: int | None
) -> tuple[NodeRow | None, dict[int, NodeRow]]:
    nodes = {row.id: row for row in session.scalars(select(NodeRow).where(person.scope.nodes()))}
    if node_id is None:
        roots = [row for row in nodes.values() if row.parent_id not in nodes]
        return (roots[0] if len(roots) == 1 else None), nodes
    own = nodes.get(node_id)
    if own is None:
        raise NotFound(f"There is no node {node_id} that you may see.")
    return own, {one: row for one, row in nodes.items() if row.path.startswith(own.path)}


def _cameras(place: ColumnElement[bool]) -> Select[int]:
    return (
        select(func.count())
        .select_from(CameraRow)
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .where(CameraRow.enabled.is_(True), PremisesRow.active.is_(True), place)
    )


def _with_state(query: Select[*_Columns]) -> Select[*_Columns]:
    return query.outerjoin(CameraStateRow, CameraStateRow.camera_id == CameraRow.camera_id).outerjoin(
        EdgeStateRow, EdgeStateRow.edge_id == CameraRow.edge_id
    )


def _minutes(session: Session, node_ids: set[int], since: str) -> tuple[dict[str, Share], dict[int, Share]]:
    by_day: dict[str, Share] = defaultdict(lambda: Share(0, 0))
    by_grid: dict[int, Share] = defaultdict(lambda: Share(0, 0))
    rows = session.execute(
        select(
            CameraDayRow.day,
            CameraDayRow.node_id,
            func.sum(CameraDayRow.watched),
            func.sum(CameraDayRow.operating),
        )
        .where(CameraDayRow.day >= since, CameraDayRow.node_id.in_(node_ids))
        .group_by(CameraDayRow.day, CameraDayRow.node_id)
    )
    for day, node_id, watched, operating in rows:
        one = Share(int(watched), int(operating))
        by_day[day] = _sum((by_day[day], one))
        by_grid[node_id] = _sum((by_grid[node_id], one))
    return dict(by_day), dict(by_grid)


def _sum(shares: Iterable[Share]) -> Share:
    part = whole = 0
    for one in shares:
        part, whole = part + one.part, whole + one.whole
    return Share(part, whole)


def _areas(
    session: Session,
    own: NodeRow | None,
    nodes: dict[int, NodeRow],
    watched: dict[int, Share],
    now: datetime,
) -> list[AreaView]:
    covered: dict[int, list[Share]] = defaultdict(list)
    minutes: dict[int, list[Share]] = defaultdict(list)
    start = own.path if own is not None else "/"
    for grid, (count, active) in covered_by_grid(session, now).items():
        if grid in nodes:
            covered[child_on_the_way(nodes[grid].path, start)].append(Share(active, count))
    for grid, share in watched.items():
        minutes[child_on_the_way(nodes[grid].path, start)].append(share)
    return [
        AreaView(
            node_id=child,
            name=nodes[child].name,
            name_en=nodes[child].name_en,
            covered=share_view(_sum(covered[child])),
            watched=share_view(_sum(minutes[child])),
        )
        for child in sorted({*covered, *minutes} & set(nodes), key=lambda one: nodes[one].path)
    ]


def _days(
    session: Session, node_ids: set[int], watched: dict[str, Share], now: datetime, days: int
) -> list[DayView]:
    since = day_of(now - timedelta(days=days - 1), zone_in(session))
    covered = {
        day: Share(int(part), int(whole))
        for day, part, whole in session.execute(
            select(CoverageDayRow.day, func.sum(CoverageDayRow.covered), func.sum(CoverageDayRow.premises))
            .where(CoverageDayRow.day >= since, CoverageDayRow.node_id.in_(node_ids))
            .group_by(CoverageDayRow.day)
        )
    }
    nothing = Share(0, 0)
    first = date.fromisoformat(since)
    names = [(first + timedelta(days=number)).isoformat() for number in range(days)]
    return [
        DayView(
            day=date.fromisoformat(day),
            covered=share_view(covered.get(day, nothing)),
            watched=share_view(watched.get(day, nothing)),
        )
        for day in names
    ]


def _blind(session: Session, place: ColumnElement[bool], now: datetime) -> list[BlindView]:
    query = _with_state(
        select(CameraRow, PremisesRow, CameraStateRow, EdgeStateRow)
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .where(CameraRow.enabled.is_(True), PremisesRow.active.is_(True), place)
    )
    rows = session.execute(query.where(in_trouble(now)).order_by(CameraRow.camera_id).limit(10 * SHOWN)).all()
    today = {
        row.camera_id: Share(row.watched, row.operating)
        for row in session.scalars(
            select(CameraDayRow).where(
                CameraDayRow.day == day_of(now, zone_in(session)),
                CameraDayRow.camera_id.in_([camera.camera_id for camera, *_ in rows]),
            )
        )
    }
    found = []
    for camera, premises, state, edge in rows:
        silent = edge is None or not is_connected(edge, now)
        found.append(
            BlindView(
                camera_id=camera.camera_id,
                name=camera.name,
                name_en=camera.name_en,
                premises_id=premises.id,
                premises=premises.name,
                premises_en=premises.name_en,
                state="unknown" if state is None else "silent" if silent else state.state.value,
                reason=state.reason if state is not None and not silent else None,
                open_now=is_open_at(premises.hours, now.astimezone(zone_of(premises.time_zone))),
                watched_today=share_view(today.get(camera.camera_id, Share(0, 0))),
            )
        )
    return sorted(found, key=lambda one: not one.open_now)[:SHOWN]
