"""What people do to alerts: each function is one action in the caller's write transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.lifecycle import Step
from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.service import record
from kitchen_watch.backend.deadlines.clocks import ClockStep, MomentKind
from kitchen_watch.backend.deadlines.issuing import Occasion, issue
from kitchen_watch.backend.deadlines.running import settle
from kitchen_watch.backend.handling.owners import owners_of
from kitchen_watch.backend.handling.steps import Hand, locked_alert, take, tell
from kitchen_watch.backend.handling.tables import (
    AppealRow,
    AssignmentRow,
    PhotoRow,
    RectificationRow,
    StatementKind,
)
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound, NotPermitted

TO_BEGIN = frozenset({AlertState.ACCEPTED, AlertState.RETURNED, AlertState.APPEAL_REJECTED})
WITH_PREMISES = TO_BEGIN | {AlertState.ASSIGNED, AlertState.RECTIFYING}
CONTAINABLE = WITH_PREMISES | {AlertState.PENDING_VERIFICATION, AlertState.VERIFIED, AlertState.REOPENED}


def simple_step(
    session: Session,
    hand: Hand,
    alert_id: int,
    step: Step,
    *,
    version: int,
    note: str = "",
    reason: str | None = None,
) -> AlertRow:
    """A step that needs nothing but words: verify, reject, accept, begin, reopen, transfer."""
    alert = locked_alert(session, hand, alert_id, version=version)
    take(session, hand, alert, step, reason=reason, note=note)
    tell(session, hand, alert)
    return alert


def assign(session: Session, hand: Hand, alert_id: int, *, version: int, note: str) -> AlertRow:
    """Give it to both owners: the premises and the territory side."""
    alert = locked_alert(session, hand, alert_id, version=version)
    owners = owners_of(session, alert, otherwise=hand.person.id)
    take(session, hand, alert, Step.ASSIGN, note=note)
    session.add(
        AssignmentRow(
            alert_id=alert.id,
            premises_owner_id=owners.premises,
            territory_owner_id=owners.territory,
            assigned_by=hand.person.id,
            at=hand.now,
        )
    )
    tell(session, hand, alert)
    return alert


def merge(
    session: Session, hand: Hand, alert_id: int, *, version: int, into_alert_id: int, note: str
) -> AlertRow:
    """Let it go on in another alert of the same premises."""
    if into_alert_id == alert_id:
        raise InvalidRequest("An alert cannot be merged into itself.")
    # Always locked in one order: two people who merge crosswise cannot wait for each other.
    locked = {key: locked_alert(session, hand, key) for key in sorted({alert_id, into_alert_id})}
    alert, target = locked_alert(session, hand, alert_id, version=version), locked[into_alert_id]
    if target.premises_id != alert.premises_id:
        raise InvalidRequest("Only alerts of the same premises can be merged.")
    if target.state in FINISHED:
        raise Conflict(f"Alert {target.id} is finished; nothing can go on in it.")
    take(session, hand, alert, Step.MERGE, note=note, into_alert_id=target.id)
    tell(session, hand, alert)
    return alert


def submit(
    session: Session, hand: Hand, alert_id: int, *, version: int, text: str, photo_ids: Sequence[int]
) -> AlertRow:
    """Hand in the rectification; one that was not formally begun is begun at the same time."""
    alert = locked_alert(session, hand, alert_id, version=version)
    if alert.state in TO_BEGIN:
        take(session, hand, alert, Step.BEGIN)
    take(session, hand, alert, Step.SUBMIT, note=text)
    row = _statement(session, hand, alert, StatementKind.RECTIFICATION, text)
    photos = session.scalars(
        select(PhotoRow).where(
            PhotoRow.alert_id == alert.id,
            PhotoRow.id.in_(photo_ids),
            PhotoRow.rectification_id.is_(None),
        )
    ).all()
    if len(photos) != len(set(photo_ids)):
        raise InvalidRequest("A photo is not one that was uploaded for this and not submitted yet.")
    for photo in photos:
        photo.rectification_id = row.id
    tell(session, hand, alert)
    return alert


def contain(session: Session, hand: Hand, alert_id: int, *, text: str) -> AlertRow:
    """Say what was done at once, so that it does no harm until it is rectified."""
    alert = locked_alert(session, hand, alert_id)
    if not hand.person.is_premises_side:
        raise NotPermitted("Only the restaurant's own people may do this.")
    if alert.state not in CONTAINABLE:
        raise Conflict("This alert is out of your hands; a statement is not waited for.")
    _statement(session, hand, alert, StatementKind.CONTAINMENT, text)
    settle(session, alert, (ClockStep.CONTAIN,), now=hand.now)
    alert.updated_at = hand.now
    _write_down(session, hand, alert, "alert_contained")
    tell(session, hand, alert)
    return alert


def review(
    session: Session, hand: Hand, alert_id: int, *, version: int, accepted: bool, note: str
) -> AlertRow:
    """Close the case, or return the rectification and say what is missing."""
    alert = locked_alert(session, hand, alert_id, version=version)
    take(session, hand, alert, Step.CLOSE if accepted else Step.RETURN, note=note)
    row = session.scalars(
        select(RectificationRow)
        .where(
            RectificationRow.alert_id == alert.id,
            RectificationRow.kind == StatementKind.RECTIFICATION,
            RectificationRow.reviewed_at.is_(None),
        )
        .order_by(RectificationRow.id.desc())
        .limit(1)
    ).one()
    row.reviewed_by, row.reviewed_at = hand.person.id, hand.now
    row.accepted, row.review = accepted, note
    tell(session, hand, alert)
    return alert


def appeal(session: Session, hand: Hand, alert_id: int, *, version: int, text: str) -> AlertRow:
    """Object to the alert; another officer than those who verified or assigned it decides."""
    alert = locked_alert(session, hand, alert_id, version=version)
    take(session, hand, alert, Step.APPEAL, note=text)
    session.add(AppealRow(alert_id=alert.id, person_id=hand.person.id, at=hand.now, text=text))
    tell(session, hand, alert)
    return alert


def decide_appeal(
    session: Session,
    hand: Hand,
    alert_id: int,
    *,
    version: int,
    upheld: bool,
    reason: str | None,
    note: str,
) -> AlertRow:
    """Uphold the appeal: it was a false alarm. Or reject it: it must be rectified."""
    alert = locked_alert(session, hand, alert_id, version=version)
    step = Step.UPHOLD_APPEAL if upheld else Step.REJECT_APPEAL
    take(session, hand, alert, step, reason=reason if upheld else None, note=note)
    row = session.scalars(
        select(AppealRow).where(AppealRow.alert_id == alert.id, AppealRow.decided_at.is_(None))
    ).one()
    row.decided_by, row.decided_at, row.upheld, row.decision = hand.person.id, hand.now, upheld, note
    tell(session, hand, alert)
    return alert


def remind(session: Session, hand: Hand, alert_id: int, *, note: str) -> AlertRow:
    """A reminder (催办) by a person, besides those of the timer."""
    return _issue(session, hand, alert_id, MomentKind.REMINDER, level=0, note=note)


def supervise(session: Session, hand: Hand, alert_id: int, *, level: int | None, note: str) -> AlertRow:
    """A supervision (督办) by a person; without a level, the one above the present."""
    return _issue(session, hand, alert_id, MomentKind.SUPERVISION, level=level, note=note)


def _issue(
    session: Session, hand: Hand, alert_id: int, kind: MomentKind, *, level: int | None, note: str
) -> AlertRow:
    alert = locked_alert(session, hand, alert_id)
    if not hand.person.is_regulator:
        raise NotPermitted("Only supervision staff may do this.")
    if alert.state in FINISHED:
        raise Conflict("This alert is finished; there is nothing to remind of or to supervise.")
    highest = hand.policy.highest_level
    if level is None:
        level = min(alert.supervision_level + 1, highest)
    if level > highest or (level < alert.supervision_level and kind is MomentKind.SUPERVISION):
        raise InvalidRequest(
            f"Supervision stands at level {alert.supervision_level} of {highest}; it goes up only."
        )
    issue(session, alert, Occasion(kind, level, note=note), by=hand.actor, now=hand.now)
    tell(session, hand, alert)
    return alert


def _statement(
    session: Session, hand: Hand, alert: AlertRow, kind: StatementKind, text: str
) -> RectificationRow:
    row = RectificationRow(alert_id=alert.id, kind=kind, person_id=hand.person.id, at=hand.now, text=text)
    session.add(row)
    session.flush()
    return row


def _write_down(session: Session, hand: Hand, alert: AlertRow, action: str) -> None:
    record(session, hand.actor, action, at=hand.now, about=("alert", alert.id), premises_id=alert.premises_id)


def photo_of(session: Session, hand: Hand, alert_id: int, photo_id: int) -> PhotoRow:
    """A photo of an alert in scope; looking at it is written down.

    Raises:
        NotFound: there is none that this person may see. Officers see what was submitted.
    """
    alert = locked_alert(session, hand, alert_id)
    row = session.scalars(
        select(PhotoRow).where(PhotoRow.id == photo_id, PhotoRow.alert_id == alert.id)
    ).one_or_none()
    if row is None or (row.rectification_id is None and not hand.person.is_premises_side):
        raise NotFound("There is no such photo.")
    if row.deleted_at is not None:
        raise NotFound("This photo was deleted when its time was over.")
    _write_down(session, hand, alert, "photo_viewed")
    return row
