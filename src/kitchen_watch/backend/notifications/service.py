"""Read notifications and set preferences; everybody has their own and nobody else's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.notifications.outside import Words
from kitchen_watch.backend.notifications.schemas import (
    NotificationPage,
    NotificationView,
    Preferences,
    Unread,
)
from kitchen_watch.backend.notifications.settings import NotificationSettings
from kitchen_watch.backend.notifications.tables import NotificationRow, PreferencesRow
from kitchen_watch.errors import InvalidRequest


def notification_page(
    session: Session,
    person: Person,
    *,
    words: Words,
    locale: str | None,
    unread_only: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> NotificationPage:
    """Notifications with an id below ``before``, newest first, in words of ``locale``."""
    query = select(NotificationRow).where(NotificationRow.person_id == person.id)
    if unread_only:
        query = query.where(NotificationRow.read_at.is_(None))
    if before is not None:
        query = query.where(NotificationRow.id < before)
    rows = list(session.scalars(query.order_by(NotificationRow.id.desc()).limit(limit + 1)))
    return NotificationPage(
        items=[_view(row, words, locale) for row in rows[:limit]],
        unread=unread(session, person).unread,
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


def unread(session: Session, person: Person) -> Unread:
    """How many are unread."""
    count, newest = session.execute(
        select(func.count(), func.coalesce(func.max(NotificationRow.id), 0)).where(
            NotificationRow.person_id == person.id, NotificationRow.read_at.is_(None)
        )
    ).one()
    return Unread(unread=count, newest=newest)


def mark_read(session: Session, person: Person, *, up_to: int, now: datetime) -> Unread:
    """Everything up to a number has been read."""
    session.execute(
        update(NotificationRow)
        .where(
            NotificationRow.person_id == person.id,
            NotificationRow.id <= up_to,
            NotificationRow.read_at.is_(None),
        )
        .values(read_at=now)
    )
    return unread(session, person)


def preferences_of(session: Session, person: Person, settings: NotificationSettings) -> Preferences:
    """What is in force for this person."""
    row = session.get(PreferencesRow, person.id)
    ours = {
        "quiet_from": settings.quiet_from.strftime("%H:%M"),
        "quiet_to": settings.quiet_to.strftime("%H:%M"),
    }
    if row is None:
        return Preferences.model_validate(ours)
    return Preferences.model_validate(
        {
            "email": row.email,
            "by_email": row.by_email,
            "quiet_from": row.quiet_from or ours["quiet_from"],
            "quiet_to": row.quiet_to or ours["quiet_to"],
            "muted": row.muted,
        }
    )


def set_preferences(
    session: Session, person: Person, wanted: Preferences, *, by: Actor, now: datetime
) -> Preferences:
    """Store them; the change is written down.

    Raises:
        InvalidRequest: mail is wanted but there is no address.
    """
    if wanted.by_email and not wanted.email:
        raise InvalidRequest("Give an e-mail address, or switch e-mail off.")
    row = session.get(PreferencesRow, person.id)
    if row is None:
        row = PreferencesRow(person_id=person.id)
        session.add(row)
    row.email, row.by_email = wanted.email, wanted.by_email
    row.quiet_from, row.quiet_to = wanted.quiet_from, wanted.quiet_to
    row.muted, row.updated_at = sorted({one.value for one in wanted.muted}), now
    record(session, by, "notification_preferences_set", at=now, about=("person", person.id))
    session.flush()
    return wanted


def _view(row: NotificationRow, words: Words, locale: str | None) -> NotificationView:
    subject, text = words(row.occasion, row.facts, locale)
    return NotificationView(
        id=row.id,
        occasion=row.occasion,
        alert_id=row.alert_id,
        letter_id=row.letter_id,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        tier=row.tier,
        suspected=row.suspected,
        facts=row.facts,
        at=row.at,
        read_at=row.read_at,
        subject=subject,
        text=text,
    )
