"""From rows to the case that people see: where an alert stands and how it came there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.lifecycle import Doer, allowed_steps
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.deadlines.tables import AlertNoticeRow, DeadlineRow
from kitchen_watch.backend.handling.schemas import (
    AppealView,
    CaseView,
    DeadlineView,
    NoticeView,
    PersonBrief,
    PhotoView,
    RectificationView,
    TransitionView,
)
from kitchen_watch.backend.handling.steps import facts_of
from kitchen_watch.backend.handling.tables import (
    AppealRow,
    AssignmentRow,
    PhotoRow,
    RectificationRow,
    TransitionRow,
)


def case_view(session: Session, person: Person, alert: AlertRow, *, now: datetime) -> CaseView:
    """Everything about the handling of an alert that this person may see."""
    session.flush()
    transitions = session.scalars(
        select(TransitionRow).where(TransitionRow.alert_id == alert.id).order_by(TransitionRow.version)
    ).all()
    notices = session.scalars(
        select(AlertNoticeRow).where(AlertNoticeRow.alert_id == alert.id).order_by(AlertNoticeRow.id)
    ).all()
    appeals = session.scalars(
        select(AppealRow).where(AppealRow.alert_id == alert.id).order_by(AppealRow.id)
    ).all()
    statements = session.scalars(
        select(RectificationRow).where(RectificationRow.alert_id == alert.id).order_by(RectificationRow.id)
    ).all()
    owners = session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.alert_id == alert.id)
        .order_by(AssignmentRow.id.desc())
        .limit(1)
    ).one_or_none()
    deadlines = session.scalars(
        select(DeadlineRow).where(DeadlineRow.alert_id == alert.id).order_by(DeadlineRow.id)
    ).all()
    photos = session.scalars(
        select(PhotoRow).where(PhotoRow.alert_id == alert.id).order_by(PhotoRow.id)
    ).all()
    names = _Names(session)
    return CaseView(
        alert_id=alert.id,
        state=alert.state,
        version=alert.version,
        due_at=alert.due_at,
        overdue=alert.due_at is not None and alert.due_at < now,
        reminders=alert.reminders,
        supervision_level=alert.supervision_level,
        premises_owner=None if owners is None else names.maybe(owners.premises_owner_id),
        territory_owner=None if owners is None else names.of(owners.territory_owner_id),
        steps=list(allowed_steps(facts_of(session, alert), Doer(person.id, person.role))),
        transitions=[
            TransitionView(
                version=row.version,
                at=row.at,
                by=names.of(row.person_id),
                step=row.step,
                from_state=row.from_state,
                to_state=row.to_state,
                reason=row.reason,
                note=row.note,
                merged_into=row.facts.get("into_alert_id"),
            )
            for row in transitions
        ],
        deadlines=[
            DeadlineView(
                step=row.step,
                started_at=row.started_at,
                due_at=row.due_at,
                settled_at=row.settled_at,
                met=row.met,
            )
            for row in deadlines
        ],
        notices=[
            NoticeView(
                kind=row.kind,
                number=row.number,
                level=row.level,
                step=row.step,
                for_premises=row.premises_side,
                at=row.at,
                by=names.maybe(row.person_id),
                note=row.note,
            )
            for row in notices
        ],
        appeals=[
            AppealView(
                at=row.at,
                by=names.of(row.person_id),
                text=row.text,
                decided_at=row.decided_at,
                decided_by=names.maybe(row.decided_by),
                upheld=row.upheld,
                decision=row.decision,
            )
            for row in appeals
        ],
        rectifications=[
            RectificationView(
                kind=row.kind,
                at=row.at,
                by=names.of(row.person_id),
                text=row.text,
                photos=[photo_view(photo) for photo in photos if photo.rectification_id == row.id],
                reviewed_at=row.reviewed_at,
                reviewed_by=names.maybe(row.reviewed_by),
                accepted=row.accepted,
                review=row.review,
            )
            for row in statements
        ],
        loose_photos=[
            photo_view(photo)
            for photo in photos
            if photo.rectification_id is None and person.is_premises_side
        ],
    )


def photo_view(row: PhotoRow) -> PhotoView:
    """A photo and where to look at it."""
    return PhotoView(
        photo_id=row.id,
        uploaded_at=row.uploaded_at,
        width=row.width,
        height=row.height,
        url=f"/api/v1/alerts/{row.alert_id}/photos/{row.id}",
        submitted=row.rectification_id is not None,
        deleted_at=row.deleted_at,
    )


class _Names:
    """Names of people, each read once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, person_id: int) -> PersonBrief:
        return PersonBrief(id=person_id, name=self._session.get_one(PersonRow, person_id).display_name)

    def maybe(self, person_id: int | None) -> PersonBrief | None:
        return None if person_id is None else self.of(person_id)
