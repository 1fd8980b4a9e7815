"""From rows to the sweep: premises with their last looks, the rules of their part of the tree, officers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.forms.tables import CheckFormRow, CheckFormVersionRow
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.patrols.settings import PatrolSettings
from kitchen_watch.backend.patrols.sweep import Officer, Place, SweepRules
from kitchen_watch.backend.patrols.tables import (
    CheckState,
    PatrolAbsenceRow,
    PatrolCheckRow,
    PatrolPolicyRow,
)


@dataclass(frozen=True, slots=True)
class Swept:
    """A premises in business, as the sweep sees it, and the path of the grid in which it lies."""

    place: Place
    node_id: int
    path: str


def rules_by_path(session: Session, settings: PatrolSettings) -> dict[str, SweepRules]:
    """Rules by the path of the node that sets them; those of the settings under ``""``."""
    found = {"": _rules(settings, settings.period_days, settings.looks)}
    rows = session.execute(
        select(NodeRow.path, PatrolPolicyRow).join(NodeRow, NodeRow.id == PatrolPolicyRow.node_id)
    ).all()
    for path, policy in rows:
        found[path] = _rules(settings, policy.period_days, policy.looks)
    return found


def rules_at(rules: Mapping[str, SweepRules], path: str) -> SweepRules:
    """The rules of the nearest node on the way up from ``path``."""
    return rules[max((set_at for set_at in rules if path.startswith(set_at)), key=len)]


def swept_premises(
    session: Session,
    settings: PatrolSettings,
    where: ColumnElement[bool],
    *,
    until_at: datetime | None = None,
) -> list[Swept]:
    """Every premises in business for which ``where`` holds; looks after ``until_at`` do not count."""
    rules = rules_by_path(session, settings)
    began_at = sweep_began_at(session)
    looks = select(PatrolCheckRow.premises_id, func.max(PatrolCheckRow.finished_at).label("last_at")).where(
        PatrolCheckRow.state == CheckState.COMPLETED
    )
    if until_at is not None:
        looks = looks.where(PatrolCheckRow.finished_at < until_at)
    last = looks.group_by(PatrolCheckRow.premises_id).subquery()
    rows = session.execute(
        select(
            PremisesRow.id,
            PremisesRow.risk_grade,
            PremisesRow.created_at,
            PremisesRow.node_id,
            NodeRow.path,
            last.c.last_at,
        )
        .join(NodeRow, NodeRow.id == PremisesRow.node_id)
        .outerjoin(last, last.c.premises_id == PremisesRow.id)
        .where(PremisesRow.active.is_(True), where)
        .order_by(PremisesRow.id)
    ).all()
    known: dict[str, SweepRules] = {}
    found = []
    for premises_id, grade, created_at, node_id, path, last_at in rows:
        if path not in known:
            known[path] = rules_at(rules, path)
        since_at = max(created_at, began_at) if began_at is not None else created_at
        found.append(Swept(Place(premises_id, grade, last_at, since_at, known[path]), node_id, path))
    return found


def sweep_began_at(session: Session) -> datetime | None:
    """When the first patrol form was published: nothing could be looked at with a form before that."""
    return session.scalar(
        select(func.min(CheckFormVersionRow.published_at))
        .join(CheckFormRow, CheckFormRow.id == CheckFormVersionRow.form_id)
        .where(CheckFormRow.kind == FormKind.PATROL)
    )


def patrol_officers(session: Session) -> list[Officer]:
    """Grid officers who can log in, with their last finished look and their absences."""
    last = dict(
        session.execute(
            select(PatrolCheckRow.person_id, func.max(PatrolCheckRow.finished_at))
            .where(PatrolCheckRow.state == CheckState.COMPLETED)
            .group_by(PatrolCheckRow.person_id)
        ).all()
    )
    away: dict[int, list[tuple[datetime, datetime | None]]] = {}
    for row in session.scalars(select(PatrolAbsenceRow).order_by(PatrolAbsenceRow.id)):
        away.setdefault(row.person_id, []).append((row.since_at, row.until_at))
    began_at = sweep_began_at(session)
    people = session.execute(
        select(PersonRow.id, PersonRow.created_at, NodeRow.path)
        .join(NodeRow, NodeRow.id == PersonRow.node_id)
        .where(PersonRow.role == Role.GRID_OFFICER, PersonRow.disabled.is_(False))
        .order_by(PersonRow.id)
    ).all()
    return [
        Officer(
            person_id=person_id,
            path=path,
            last_at=last.get(person_id),
            since_at=max(created_at, began_at) if began_at is not None else created_at,
            away=tuple(away.get(person_id, ())),
        )
        for person_id, created_at, path in people
    ]


def _rules(settings: PatrolSettings, period_days: int, looks: Mapping[str, int]) -> SweepRules:
    return SweepRules(
        period=timedelta(days=period_days),
        looks=dict(looks),
        reserve=timedelta(days=settings.reserve_days),
        looks_per_day=settings.looks_per_day,
        workdays=frozenset(settings.workdays),
        silent_after=timedelta(days=settings.silent_days),
    )
