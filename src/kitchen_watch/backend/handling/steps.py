"""Take one step of an alert: lock it, ask the rules, write it down, stop and start clocks.

Every step holds the alert's row lock for its transaction and names the version it has seen. So of
two officers who act at once one wins, and the other is told who was faster and with what.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts import feed
from kitchen_watch.backend.alerts.lifecycle import STEPS, CaseFacts, Doer, Step, next_state
from kitchen_watch.backend.alerts.service import visible_alert
from kitchen_watch.backend.alerts.states import AlertState, FeedKind
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.deadlines.clocks import (
    ClockStep,
    accept_deadline,
    fix_deadlines,
)
from kitchen_watch.backend.deadlines.policy import DeadlinePolicy
from kitchen_watch.backend.deadlines.running import Started, settle, start, zone_of
from kitchen_watch.backend.handling.tables import RectificationRow, StatementKind, TransitionRow
from kitchen_watch.backend.organisations.places import node_paths
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.errors import Conflict

ALL_CLOCKS = tuple(ClockStep)


@dataclass(frozen=True, slots=True)
class Hand:
    """Who acts, from where, when, and under which clocks."""

    person: Person
    address: str
    now: datetime
    policy: DeadlinePolicy

    @property
    def actor(self) -> Actor:
        """As the audit log knows them."""
        return Actor(self.person.id, self.address)

    @property
    def doer(self) -> Doer:
        """As the rules know them."""
        return Doer(self.person.id, self.person.role)


def locked_alert(session: Session, hand: Hand, alert_id: int, *, version: int | None = None) -> AlertRow:
    """The alert, locked until the transaction ends.

    Raises:
        NotFound: there is none in the person's scope.
        Conflict: it has moved on since ``version``; says who did what.
    """
    alert = visible_alert(session, hand.person, alert_id)
    session.refresh(alert, with_for_update=True)
    if version is not None and version != alert.version:
        raise Conflict(_overtaken(session, alert))
    return alert


def facts_of(session: Session, alert: AlertRow) -> CaseFacts:
    """What the rules must know of this alert."""
    accusers: set[int] = set()
    submitter = appellant = None
    for row in session.scalars(
        select(TransitionRow).where(TransitionRow.alert_id == alert.id).order_by(TransitionRow.version)
    ):
        if row.step in {Step.VERIFY, Step.ASSIGN}:
            accusers.add(row.person_id)
        elif row.step is Step.SUBMIT:
            submitter = row.person_id
        elif row.step is Step.APPEAL:
            appellant = row.person_id
    return CaseFacts(alert.state, frozenset(accusers), submitter, appellant)


def take(
    session: Session,
    hand: Hand,
    alert: AlertRow,
    step: Step,
    *,
    reason: str | None = None,
    note: str = "",
    **facts: Any,
) -> None:
    """Take a step of a locked alert.

    Raises:
        NotPermitted, Conflict, InvalidRequest: see :func:`.lifecycle.next_state`.
    """
    after = next_state(facts_of(session, alert), step, hand.doer, reason=reason, note=note)
    alert.version += 1
    session.add(
        TransitionRow(
            alert_id=alert.id,
            version=alert.version,
            at=hand.now,
            person_id=hand.person.id,
            step=step,
            from_state=alert.state,
            to_state=after,
            reason=reason,
            note=note,
            facts=facts,
        )
    )
    alert.state, alert.updated_at = after, hand.now
    record(
        session,
        hand.actor,
        f"alert_{step.value}",
        at=hand.now,
        about=("alert", alert.id),
        premises_id=alert.premises_id,
        version=alert.version,
        state=after.value,
        **({} if reason is None else {"reason": reason}),
    )
    session.flush()
    _move_clocks(session, hand, alert, step)


def tell(session: Session, hand: Hand, alert: AlertRow) -> None:
    """Let pages hear that the alert has changed. Call it last: it holds the feed's lock."""
    path = node_paths(session, {alert.premises_id})[alert.premises_id]
    feed.append(session, [feed.news(alert, FeedKind.STATE, node_path=path)], now=hand.now)


def _move_clocks(session: Session, hand: Hand, alert: AlertRow, step: Step) -> None:
    if alert.state in {AlertState.FALSE_ALARM, AlertState.TRANSFERRED, AlertState.MERGED}:
        settle(session, alert, (ClockStep.VERIFY,), now=hand.now)
        settle(session, alert, ALL_CLOCKS, now=hand.now, fell_away=True)
        return
    premises = session.get_one(PremisesRow, alert.premises_id)
    zone, tier, policy, now = zone_of(premises.time_zone), alert.tier, hand.policy, hand.now
    if step in {Step.VERIFY, Step.REOPEN}:
        settle(session, alert, (ClockStep.VERIFY,), now=now)
        found_at = alert.found_at if step is Step.VERIFY else now
        begun = fix_deadlines(policy, tier, found_at=found_at, started_at=now, zone=zone)
        contained = step is Step.VERIFY and _is_contained(session, alert)
        start(
            session,
            policy,
            [Started(alert, one) for one in begun if not (contained and one.step is ClockStep.CONTAIN)],
        )
    elif step is Step.ASSIGN:
        accept = accept_deadline(policy, tier, assigned_at=now, zone=zone)
        start(session, policy, [Started(alert, accept)] if accept is not None else [])
    elif step in {Step.ACCEPT, Step.APPEAL}:
        settle(session, alert, (ClockStep.ACCEPT,), now=now)
    elif step is Step.SUBMIT:
        settle(session, alert, (ClockStep.CONTAIN,), now=now)
    elif step is Step.CLOSE:
        settle(session, alert, ALL_CLOCKS, now=now)


def _is_contained(session: Session, alert: AlertRow) -> bool:
    # A suspicion of tier 1 is shown to both sides at once: the restaurant may act before anybody verifies.
    statement = select(RectificationRow.id).where(
        RectificationRow.alert_id == alert.id, RectificationRow.kind == StatementKind.CONTAINMENT
    )
    return session.scalar(statement.limit(1)) is not None


def _overtaken(session: Session, alert: AlertRow) -> str:
    last = session.execute(
        select(TransitionRow, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == TransitionRow.person_id)
        .where(TransitionRow.alert_id == alert.id)
        .order_by(TransitionRow.version.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return "You name a version of this alert that it has not reached. Look at it again."
    row, name = last
    return (
        f"{name} has {STEPS[row.step].past} this alert at {row.at:%Y-%m-%d %H:%M} UTC, "
        "after you looked at it. Look at it again before you decide."
    )
