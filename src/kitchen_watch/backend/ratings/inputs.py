"""Reads what ratings are made of, for many premises in few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.lifecycle import Step
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.deadlines.clocks import ClockStep
from kitchen_watch.backend.deadlines.tables import DeadlineRow
from kitchen_watch.backend.handling.tables import TransitionRow
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.backend.patrols.tables import CheckState, PatrolCheckRow
from kitchen_watch.backend.presence.figures import day_of
from kitchen_watch.backend.presence.tables import CameraDayRow
from kitchen_watch.backend.ratings.formula import Findings, RatedAlert, RatingInputs
from kitchen_watch.backend.ratings.settings import RatingFormula
from kitchen_watch.backend.self_checks.due import owed

UNCOUNTED = (AlertState.PENDING_VERIFICATION, AlertState.FALSE_ALARM, AlertState.MERGED)
"""Nobody has confirmed it, it was none, or it counts as the alert that it went on in."""
NOT_MEASURED: tuple[int | None, int | None] = (None, None)
RESTAURANTS_OWN = (ClockStep.ACCEPT, ClockStep.CONTAIN, ClockStep.FIX)
"""Verifying late is the territory side's fault."""


def read_inputs(
    session: Session,
    premises_ids: Collection[int],
    *,
    since_at: datetime,
    until_at: datetime,
    now: datetime,
    formula: RatingFormula,
    chosen: Select[int] | None = None,
) -> dict[int, RatingInputs]:
    """Inputs by premises, of what was found in the half-open span; as it stands now.

    ``chosen`` is the query that ``premises_ids`` came from: a city's ids are too many to name them all.
    """
    wanted = and_(
        AlertRow.premises_id.in_(premises_ids if chosen is None else chosen),
        AlertRow.found_at >= since_at - formula.repeat_within,
        AlertRow.found_at < until_at,
        AlertRow.state.not_in(UNCOUNTED),
    )
    late, in_time, overdue = _deadlines(session, wanted, now)
    returned: dict[int, int] = dict(session.execute(_returns(wanted)).all())
    alerts: dict[int, list[RatedAlert]] = defaultdict(list)
    rows = session.execute(
        select(
            AlertRow.premises_id, AlertRow.id, AlertRow.code, AlertRow.tier, AlertRow.found_at, AlertRow.state
        )
        .where(wanted)
        .order_by(AlertRow.premises_id, AlertRow.id)
    )
    for premises_id, alert_id, code, tier, found_at, state in rows:
        closed = state is AlertState.CLOSED
        alerts[premises_id].append(
            RatedAlert.model_construct(
                alert_id=alert_id,
                code=code,
                tier=tier,
                found_at=found_at,
                late=late.get(alert_id, 0),
                returned=returned.get(alert_id, 0),
                closed=closed,
                closed_in_time=closed and alert_id in in_time,
                overdue=alert_id in overdue,
            )
        )
    checks = _self_checks(
        session,
        PremisesRow.id.in_(premises_ids if chosen is None else chosen),
        since_at,
        min(until_at, now),
        formula,
    )
    presence = _presence(session, premises_ids if chosen is None else chosen, since_at, until_at)
    patrols = _patrols(session, premises_ids if chosen is None else chosen, since_at, until_at)
    return {
        premises_id: RatingInputs.model_construct(
            premises_id=premises_id,
            since_at=since_at,
            until_at=until_at,
            alerts=tuple(alerts[premises_id]),
            online_minutes=presence.get(premises_id, NOT_MEASURED)[0],
            operating_minutes=presence.get(premises_id, NOT_MEASURED)[1],
            checks=tuple(patrols.get(premises_id, ())),
            self_checks_due=checks.get(premises_id, NOT_MEASURED)[0],
            self_checks_missing=checks.get(premises_id, NOT_MEASURED)[1],
        )
        for premises_id in premises_ids
    }


def _presence(
    session: Session, chosen: Collection[int] | Select[int], since_at: datetime, until_at: datetime
) -> dict[int, tuple[int, int]]:
    """Camera minutes watched and camera minutes open, of the local days of the span."""
    zone = zone_in(session)
    cameras = select(CameraRow.camera_id).where(CameraRow.premises_id.in_(chosen))
    rows = session.execute(
        select(CameraDayRow.premises_id, func.sum(CameraDayRow.streamed), func.sum(CameraDayRow.operating))
        .where(
            CameraDayRow.camera_id.in_(cameras),  # the way into the table's key
            CameraDayRow.premises_id.in_(chosen),
            CameraDayRow.day >= day_of(since_at, zone),
            CameraDayRow.day <= day_of(until_at - timedelta(microseconds=1), zone),
        )
        .group_by(CameraDayRow.premises_id)
    )
    return {premises_id: (int(watched), int(operating)) for premises_id, watched, operating in rows}


def _patrols(
    session: Session, chosen: Collection[int] | Select[int], since_at: datetime, until_at: datetime
) -> dict[int, list[Findings]]:
    """Checks by officers that were completed in the span and found something."""
    found: dict[int, list[Findings]] = defaultdict(list)
    for premises_id, check_id, findings in session.execute(
        select(PatrolCheckRow.premises_id, PatrolCheckRow.id, PatrolCheckRow.findings)
        .where(
            PatrolCheckRow.premises_id.in_(chosen),
            PatrolCheckRow.state == CheckState.COMPLETED,
            PatrolCheckRow.finished_at >= since_at,
            PatrolCheckRow.finished_at < until_at,
            PatrolCheckRow.findings > 0,
        )
        .order_by(PatrolCheckRow.id)
    ):
        found[premises_id].append(Findings(check_id=check_id, findings=findings))
    return found


def _self_checks(
    session: Session,
    chosen: ColumnElement[bool],
    since_at: datetime,
    until_at: datetime,
    formula: RatingFormula,
) -> dict[int, tuple[int, int]]:
    if not formula.self_check:
        return {}
    return owed(session, chosen, formula.self_check_kinds, since_at, until_at)


def _deadlines(
    session: Session, wanted: ColumnElement[bool], now: datetime
) -> tuple[dict[int, int], set[int], set[int]]:
    """Missed deadlines by alert; the alerts that were closed in time; those whose last clock has run out."""
    missed = or_(DeadlineRow.met.is_(False), and_(DeadlineRow.settled_at.is_(None), DeadlineRow.due_at < now))
    fix = DeadlineRow.step == ClockStep.FIX
    rows = session.execute(
        select(
            DeadlineRow.alert_id,
            func.sum(case((missed, 1), else_=0)),
            func.sum(case((and_(fix, DeadlineRow.met.is_(True)), 1), else_=0)),
            func.sum(case((and_(fix, missed), 1), else_=0)),
        )
        .join(AlertRow, AlertRow.id == DeadlineRow.alert_id)
        .where(wanted, DeadlineRow.step.in_(RESTAURANTS_OWN))
        .group_by(DeadlineRow.alert_id)
    ).all()
    late = {alert_id: int(count) for alert_id, count, _, _ in rows if count}
    overdue = {alert_id for alert_id, _, _, count in rows if count}
    return late, {alert_id for alert_id, _, count, _ in rows if count} - overdue, overdue


def _returns(wanted: ColumnElement[bool]) -> Select[int, int]:
    return (
        select(TransitionRow.alert_id, func.count())
        .join(AlertRow, AlertRow.id == TransitionRow.alert_id)
        .where(wanted, TransitionRow.step == Step.RETURN)
        .group_by(TransitionRow.alert_id)
    )
