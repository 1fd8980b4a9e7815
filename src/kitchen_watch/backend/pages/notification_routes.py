"""The page of somebody's notifications, with how they want to be told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import AnyPerson, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.notifications import service
from kitchen_watch.backend.notifications.rules import Occasion
from kitchen_watch.backend.notifications.schemas import Preferences
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.notification_words import OCCASIONS, words_for
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.errors import InvalidRequest

router = APIRouter(include_in_schema=False)

PER_PAGE = 30


@router.get("/notifications")
def show_notifications(
    person: AnyPerson,
    frame: FrameOf,
    parts: PartsOf,
    *,
    cursor: Annotated[int | None, Query(ge=0, le=MAX_ID)] = None,
    saved: bool = False,
) -> Response:
    """Newest first; what is unread is marked."""
    return _page(person, frame, parts, cursor=cursor, saved=saved)


@router.post("/notifications/read")
def mark_read(person: AnyPerson, parts: PartsOf, up_to: Annotated[int, Form(ge=0, le=MAX_ID)]) -> Response:
    """Everything up to the newest on the page has been read."""
    with parts.database.write() as session:
        service.mark_read(session, person, up_to=up_to, now=parts.clock.now())
    return go_to("/notifications")


@router.post("/notifications/preferences")
async def choose(
    request: Request, person: AnyPerson, visitor: VisitorOf, frame: FrameOf, parts: PartsOf
) -> Response:
    """Store how somebody wants to be told."""
    form = await request.form()
    wanted = {
        "email": str(form.get("email", "")).strip(),
        "by_email": form.get("by_email") == "on",
        "quiet_from": str(form.get("quiet_from", "")),
        "quiet_to": str(form.get("quiet_to", "")),
        "muted": [str(one) for one in form.getlist("muted")],
    }
    return await run_in_threadpool(_choose, wanted, person, visitor.address, frame, parts)


def _choose(wanted: dict[str, object], person: Person, address: str, frame: Frame, parts: Parts) -> Response:
    try:
        preferences = Preferences.model_validate(wanted)
        with parts.database.write() as session:
            service.set_preferences(
                session, person, preferences, by=Actor(person.id, address), now=parts.clock.now()
            )
    except (ValidationError, InvalidRequest):
        return _page(person, frame, parts, refused=True)
    return go_to("/notifications?saved=1")


def _page(
    person: Person,
    frame: Frame,
    parts: Parts,
    *,
    cursor: int | None = None,
    saved: bool = False,
    refused: bool = False,
) -> Response:
    with parts.database.read() as session:
        found = service.notification_page(
            session, person, words=words_for, locale=frame.language.code, before=cursor, limit=PER_PAGE
        )
        preferences = service.preferences_of(session, person, parts.settings.notifications)
    return page(
        "notifications.html",
        frame,
        status=422 if refused else 200,
        found=found,
        wishes=preferences,
        occasions={one.value: OCCASIONS[one][0] for one in Occasion},
        mail=bool(parts.settings.notifications.mail.host),
        saved=saved,
        refused=refused,
    )
