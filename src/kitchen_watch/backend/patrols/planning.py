"""Who is away, how often a part of the tree is swept, and where the sweep stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.organisations.places import node_ids
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.organisations.writing import Author, check_version
from kitchen_watch.backend.patrols.queue import premises_short
from kitchen_watch.backend.patrols.roster import Swept, patrol_officers, swept_premises
from kitchen_watch.backend.patrols.schemas import (
    AbsenceBody,
    AbsenceList,
    AbsenceView,
    PersonBrief,
    PolicyBody,
    PolicyView,
    SweepView,
    UnitView,
    WarningView,
)
from kitchen_watch.backend.patrols.settings import PatrolSettings
from kitchen_watch.backend.patrols.sweep import Forecast, Unit, unit_forecast, units
from kitchen_watch.backend.patrols.tables import PatrolAbsenceRow, PatrolPolicyRow, SweepWarningRow
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound, NotPermitted

MAX_LATE_LISTED = 20
WARNINGS_SHOWN = timedelta(days=31)


def sweep_view(
    session: Session, person: Person, settings: PatrolSettings, *, now: datetime, node_id: int | None = None
) -> SweepView:
    """Where the sweep stands in everything this person answers for, with the forecast by part of the tree."""
    below = "" if node_id is None else _node(session, person, node_id).path
    swept = swept_premises(session, settings, true())
    own = {
        one.place.premises_id
        for one in swept
        if one.path.startswith(below)
        and person.scope.covers(premises_id=one.place.premises_id, node_path=one.path)
    }
    judged = [
        (unit, unit_forecast(unit, now=now, weekday=now.astimezone(zone_in(session)).weekday()))
        for unit in units_of(session, swept, now=now)
        if any(one.premises_id in own for one in unit.places)
    ]
    nodes = _nodes_by_id(session, {node_ids(unit.path)[-1] for unit, _ in judged})
    found = [_unit_view(session, nodes, unit, told, own, now) for unit, told in judged]
    return SweepView(
        at=now,
        premises=sum(one.premises for one in found),
        looked_at=sum(one.looked_at for one in found),
        due=sum(one.due for one in found),
        late_now=sum(one.late_now for one in found),
        will_be_late=sum(one.will_be_late for one in found),
        units=found,
        warnings=_warnings(session, person, now),
    )


def units_of(session: Session, swept: Iterable[Swept], *, now: datetime) -> list[Unit]:
    """The parts of the tree as they are manned now. A forecast needs all premises: officers are shared."""
    return units([(one.place, one.path) for one in swept], patrol_officers(session), now=now)


def _unit_view(
    session: Session, nodes: dict[int, NodeRow], unit: Unit, told: Forecast, own: set[int], now: datetime
) -> UnitView:
    # Where the level above answers for a grid, its other grids are not this person's to know about.
    places = [one for one in unit.places if one.premises_id in own]
    late = [key for key in told.late if key in own]
    limits = {one.premises_id: one.limit_at for one in places}
    listed = premises_short(session, late[:MAX_LATE_LISTED])
    node = nodes[node_ids(unit.path)[-1]]
    return UnitView(
        node_id=node.id,
        node_name=node.name,
        node_name_en=node.name_en,
        premises=len(places),
        looked_at=sum(one.last_at is not None and now <= one.limit_at for one in places),
        due=sum(one.target_at <= now for one in places),
        late_now=sum(one.limit_at < now for one in places),
        officers=len(unit.officers),
        capacity=told.capacity,
        needed=told.needed,
        will_be_late=len(late),
        first_late_at=min((limits[key] for key in late), default=None),
        late_premises=[listed[key] for key in late[:MAX_LATE_LISTED]],
    )


def absence_list(session: Session, person: Person, *, now: datetime) -> AbsenceList:
    """Officers of the own area who are away now or later."""
    rows = session.execute(
        select(PatrolAbsenceRow, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == PatrolAbsenceRow.person_id)
        .join(NodeRow, NodeRow.id == PersonRow.node_id)
        .where(
            person.scope.nodes(), (PatrolAbsenceRow.until_at.is_(None)) | (PatrolAbsenceRow.until_at > now)
        )
        .order_by(PatrolAbsenceRow.since_at, PatrolAbsenceRow.id)
    ).all()
    return AbsenceList(
        items=[
            AbsenceView(
                id=row.id,
                person=PersonBrief(id=row.person_id, name=name),
                since_at=row.since_at,
                until_at=row.until_at,
                note=row.note,
            )
            for row, name in rows
        ]
    )


def officers_below(session: Session, person: Person) -> list[PersonBrief]:
    """Grid officers of the own area who can log in, by name."""
    rows = session.execute(
        select(PersonRow.id, PersonRow.display_name)
        .join(NodeRow, NodeRow.id == PersonRow.node_id)
        .where(PersonRow.role == Role.GRID_OFFICER, PersonRow.disabled.is_(False), person.scope.nodes())
        .order_by(PersonRow.display_name, PersonRow.id)
    )
    return [PersonBrief(id=person_id, name=name) for person_id, name in rows]


def add_absence(session: Session, by: Author, body: AbsenceBody) -> None:
    """Say that an officer is away: of oneself, or of somebody in the own area.

    Raises:
        NotFound: there is no such officer in the own area.
        InvalidRequest: it ends before it begins.
    """
    _officer(session, by.person, body.person_id)
    if body.until_at is not None and body.until_at <= body.since_at:
        raise InvalidRequest("An absence must end after it begins.")
    row = PatrolAbsenceRow(
        person_id=body.person_id,
        since_at=body.since_at,
        until_at=body.until_at,
        note=body.note,
        entered_by=by.person.id,
        entered_at=by.now,
    )
    session.add(row)
    session.flush()
    by.note(session, "absence_entered", ("person", body.person_id), absence=row.id)


def end_absence(session: Session, by: Author, absence_id: int) -> None:
    """The officer is back, or does not go.

    Raises:
        NotFound: there is no such absence in the own area.
        Conflict: it is over.
    """
    row = session.get(PatrolAbsenceRow, absence_id)
    if row is None:
        raise NotFound(f"There is no absence {absence_id} that you may see.")
    _officer(session, by.person, row.person_id)
    if row.until_at is not None and row.until_at <= by.now:
        raise Conflict("This absence is over.")
    if row.since_at >= by.now:
        session.delete(row)
    else:
        row.until_at = by.now
    by.note(session, "absence_ended", ("person", row.person_id), absence=absence_id)
    session.flush()


def policy_view(session: Session, person: Person, settings: PatrolSettings, node_id: int) -> PolicyView:
    """The rules in force at a node.

    Raises:
        NotFound: there is no such node in scope.
    """
    node = _node(session, person, node_id)
    rows = {
        row.node_id: row
        for row in session.scalars(
            select(PatrolPolicyRow).where(PatrolPolicyRow.node_id.in_(node_ids(node.path)))
        )
    }
    for above in reversed(node_ids(node.path)):
        if above in rows:
            return PolicyView(
                node_id=node_id,
                period_days=rows[above].period_days,
                looks=rows[above].looks,
                set_at_node_id=above,
                version=rows[node_id].version if node_id in rows else None,
            )
    return PolicyView(
        node_id=node_id,
        period_days=settings.period_days,
        looks=settings.looks,
        set_at_node_id=None,
        version=None,
    )


def set_policy(session: Session, by: Author, node_id: int, body: PolicyBody) -> None:
    """Set the rules of a node and everything below it that has none of its own.

    Raises:
        NotPermitted: a node above the own area.
        InvalidRequest: more than a look a day.
        Conflict: somebody was faster.
    """
    _node(session, by.person, node_id)
    if max(body.looks.values()) > body.period_days:
        raise InvalidRequest("More than one look a day cannot be promised; lengthen the period.")
    row = session.get(PatrolPolicyRow, node_id)
    looks = dict(body.looks)
    if row is None:
        if body.version is not None:
            raise Conflict(
                "Somebody else has changed this meanwhile. Look at it again, then repeat your change."
            )
        session.add(
            PatrolPolicyRow(
                node_id=node_id, period_days=body.period_days, looks=looks, version=1, changed_at=by.now
            )
        )
    else:
        row.version = check_version(row.version, body.version)
        row.period_days, row.looks, row.changed_at = body.period_days, looks, by.now
    by.note(session, "sweep_rules_set", ("node", node_id), period_days=body.period_days, looks=looks)
    session.flush()


def _officer(session: Session, person: Person, person_id: int) -> PersonRow:
    row = session.execute(
        select(PersonRow)
        .join(NodeRow, NodeRow.id == PersonRow.node_id)
        .where(PersonRow.id == person_id, PersonRow.role == Role.GRID_OFFICER, person.scope.nodes())
    ).scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no grid officer {person_id} in your area.")
    if person.role not in {Role.ADMIN, Role.SUPERVISOR} and row.id != person.id:
        own = session.get(NodeRow, person.node_id) if person.node_id is not None else None
        theirs = session.get_one(NodeRow, row.node_id)
        if own is None or theirs.path == own.path:
            raise NotPermitted("Only an officer, or somebody above, may say that they are away.")
    return row


def _node(session: Session, person: Person, node_id: int) -> NodeRow:
    row = session.scalars(select(NodeRow).where(NodeRow.id == node_id, person.scope.nodes())).one_or_none()
    if row is None:
        raise NotFound(f"There is no node {node_id} that you may see.")
    return row


def _nodes_by_id(session: Session, ids: set[int]) -> dict[int, NodeRow]:
    return {row.id: row for row in session.scalars(select(NodeRow).where(NodeRow.id.in_(ids)))}


def _warnings(session: Session, person: Person, now: datetime) -> list[WarningView]:
    rows = session.execute(
        select(SweepWarningRow, NodeRow)
        .join(NodeRow, NodeRow.id == SweepWarningRow.node_id)
        .where(person.scope.nodes(), SweepWarningRow.at > now - WARNINGS_SHOWN)
        .order_by(SweepWarningRow.id.desc())
        .limit(100)
    ).all()
    return [
        WarningView(
            node_id=row.node_id,
            node_name=node.name,
            node_name_en=node.name_en,
            day=row.day,
            at=row.at,
            late=row.late,
            first_late_at=row.first_late_at,
            capacity=row.capacity,
            needed=row.needed,
        )
        for row, node in rows
    ]
