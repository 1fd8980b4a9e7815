"""Your own notifications over the API, and how you want to be told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import AnyPerson, VisitorOf
from kitchen_watch.backend.bounds import RowId
from kitchen_watch.backend.notifications import service
from kitchen_watch.backend.notifications.schemas import NotificationPage, Preferences, ReadBody, Unread
from kitchen_watch.backend.pages.notification_words import words_for
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(prefix="/api/v1/notifications", tags=["notifications"])


@router.get("", summary="Your notifications")
def list_notifications(
    person: AnyPerson,
    parts: PartsOf,
    *,
    unread: Annotated[bool, Query(description="only those you have not read")] = False,
    cursor: Annotated[RowId | None, Query(description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> NotificationPage:
    """Newest first, in your language."""
    with parts.database.read() as session:
        return service.notification_page(
            session,
            person,
            words=words_for,
            locale=person.locale,
            unread_only=unread,
            before=cursor,
            limit=limit,
        )


@router.get("/unread", summary="How many you have not read")
def count_unread(person: AnyPerson, parts: PartsOf) -> Unread:
    """For the bell of a page."""
    with parts.database.read() as session:
        return service.unread(session, person)


@router.post("/read", summary="You have read them")
def mark_read(body: ReadBody, person: AnyPerson, parts: PartsOf) -> Unread:
    """Everything up to a number; newer ones stay unread."""
    with parts.database.write() as session:
        return service.mark_read(session, person, up_to=body.up_to, now=parts.clock.now())


@router.get("/preferences", summary="How you want to be told")
def get_preferences(person: AnyPerson, parts: PartsOf) -> Preferences:
    """E-mail, quiet hours, and what you do not want to hear of."""
    with parts.database.read() as session:
        return service.preferences_of(session, person, parts.settings.notifications)


@router.put("/preferences", summary="Change how you want to be told")
def put_preferences(body: Preferences, person: AnyPerson, visitor: VisitorOf, parts: PartsOf) -> Preferences:
    """Tier 1 comes at any hour and cannot be muted."""
    with parts.database.write() as session:
        return service.set_preferences(
            session, person, body, by=Actor(person.id, visitor.address), now=parts.clock.now()
        )
