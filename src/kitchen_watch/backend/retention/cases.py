"""Cases whose time may be over, read from the database in bounded pieces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.backend.handling.tables import PhotoRow, TransitionRow
from kitchen_watch.backend.holds.held import held_alerts
from kitchen_watch.backend.retention.policy import Case, Term, evidence_term, photos_term, shortest_term
from kitchen_watch.backend.retention.settings import RetentionSettings

_MERGES = 20
"""An alert that went on in another that went on in another: so far it is followed."""


@dataclass(frozen=True, slots=True)
class Expired:
    """An alert whose evidence or photos may go by policy, and the holds' word on it."""

    alert: AlertRow
    evidence: Term | None
    photos: Term | None
    held: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One batch: what is over in it, the last alert looked at, and whether there is more."""

    expired: list[Expired]
    last_id: int
    looked_at: int
    more: bool


def expired_cases(
    session: Session,
    policy: RetentionSettings,
    *,
    after: int,
    limit: int,
    now: datetime,
    pressed: bool = False,
    lock: bool = False,
) -> Piece:
    """Finished alerts with an id above ``after`` that still have files, and whose time is over.

    With ``lock`` they are locked until the transaction ends; one that somebody works on is left for
    the next run. The caller that deletes holds ``lock_holds`` already.
    """
    files = select(EvidenceFileRow.id).where(
        EvidenceFileRow.alert_id == AlertRow.id, EvidenceFileRow.completed_at.is_not(None)
    )
    photos = select(PhotoRow.id).where(PhotoRow.alert_id == AlertRow.id, PhotoRow.deleted_at.is_(None))
    something = files.exists() if pressed else or_(files.exists(), photos.exists())
    youngest = now - _shortest(policy, pressed=pressed)
    ids = list(
        session.scalars(
            select(AlertRow.id)
            .where(
                AlertRow.id > after, AlertRow.state.in_(FINISHED), AlertRow.found_at <= youngest, something
            )
            .order_by(AlertRow.id)
            .limit(limit)
        )
    )
    query = select(AlertRow).where(AlertRow.id.in_(ids)).order_by(AlertRow.id)
    alerts = list(session.scalars(query.with_for_update(skip_locked=True) if lock else query))
    cases, targets = _cases(session, alerts)
    term_of = shortest_term if pressed else evidence_term
    over = []
    for alert in alerts:
        case = cases[alert.id]
        evidence = _over(term_of(policy, case), now)
        photo = None if pressed else _over(photos_term(policy, case), now)
        if evidence or photo:
            over.append((alert, evidence, photo))
    held = _held(session, [alert.id for alert, _, _ in over], targets, now)
    return Piece(
        expired=[Expired(alert, evidence, photo, alert.id in held) for alert, evidence, photo in over],
        last_id=ids[-1] if ids else after,
        looked_at=len(ids),
        more=len(ids) == limit,
    )


def _shortest(policy: RetentionSettings, *, pressed: bool) -> timedelta:
    if pressed:
        return policy.evidence_minimum
    return min(
        policy.evidence,
        policy.evidence_of_transferred,
        policy.evidence_of_false_alarms or policy.evidence,
        *policy.evidence_of_tier.values(),
        *policy.evidence_of_code.values(),
    )


def _over(term: Term | None, now: datetime) -> Term | None:
    return term if term is not None and term.ends_at <= now else None


def _cases(session: Session, alerts: Iterable[AlertRow]) -> tuple[dict[int, Case], dict[int, list[int]]]:
    """The case of each alert, and the alerts in which it went on."""
    cases, targets = {}, {}
    rows = {alert.id: alert for alert in alerts}
    finished = _finished_at(session, rows)
    for alert in rows.values():
        chain: list[int] = []
        state, at, here = alert.state, finished.get(alert.id), alert.id
        while state is AlertState.MERGED and len(chain) < _MERGES:
            into = session.scalar(
                select(TransitionRow.facts)
                .where(TransitionRow.alert_id == here, TransitionRow.to_state == AlertState.MERGED)
                .order_by(TransitionRow.version.desc())
                .limit(1)
            )
            if not into or "into_alert_id" not in into:
                break
            here = int(into["into_alert_id"])
            chain.append(here)
            other = session.get_one(AlertRow, here)
            state, at = other.state, _finished_at(session, {here: other}).get(here)
        cases[alert.id] = Case(state, alert.tier, alert.code, at)
        targets[alert.id] = chain
    return cases, targets


def _finished_at(session: Session, rows: dict[int, AlertRow]) -> dict[int, datetime]:
    """When each reached the state it is in, if that is a final one and a person brought it there."""
    found = session.execute(
        select(TransitionRow.alert_id, func.max(TransitionRow.at))
        .join(AlertRow, AlertRow.id == TransitionRow.alert_id)
        .where(TransitionRow.alert_id.in_(rows), TransitionRow.to_state == AlertRow.state)
        .group_by(TransitionRow.alert_id)
    )
    return {alert_id: at for alert_id, at in found if rows[alert_id].state in FINISHED}


def _held(session: Session, ids: list[int], targets: dict[int, list[int]], now: datetime) -> set[int]:
    asked = {*ids, *(target for one in ids for target in targets[one])}
    held = held_alerts(session, asked, now=now)
    return {one for one in ids if held.intersection({one, *targets[one]})}
