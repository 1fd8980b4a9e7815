"""Public pages over the API: make, renew and withdraw them; grades that are shown on them.

The pages themselves are not here: strangers read them without the API (``pages.public_routes``).
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import APIRouter
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import AnyPerson, Regulator, VisitorOf
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.paging import Paging
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.public import service
from kitchen_watch.backend.public.schemas import GradeBody, GradeView, PublicPageView
from kitchen_watch.errors import NotFound

router = APIRouter(prefix="/api/v1/premises/{premises_id}", tags=["public"])


@router.get("/public-page", summary="Where its public page is")
def get_public_page(premises_id: PlaceId, person: AnyPerson, parts: PartsOf) -> PublicPageView:
    """The address in the QR code at the door. 404: the premises has no public page."""
    with parts.database.read() as session:
        service.visible_premises(session, person, premises_id)
        page = service.page_of(session, premises_id, origin=parts.settings.public_url)
    if page is None:
        raise NotFound("This premises has no public page.")
    return page


@router.post("/public-page", summary="Publish it, or renew its code", status_code=201)
def publish_page(premises_id: PlaceId, person: Regulator, parts: PartsOf, write: Writing) -> PublicPageView:
    """A public page under a new code. An old code leads nowhere from now on: print the plate anew."""

    def act(session: Session, by: Author) -> PublicPageView:
        service.visible_premises(session, person, premises_id)
        return service.publish(
            session, premises_id, now=by.now, actor=by.actor, origin=parts.settings.public_url
        )

    return write.answer(None, PublicPageView, act)


@router.delete("/public-page", summary="Withdraw it", status_code=204)
def withdraw_page(premises_id: PlaceId, person: Regulator, parts: PartsOf, visitor: VisitorOf) -> None:
    """The public page is gone; its code leads nowhere."""
    with parts.database.write() as session:
        service.visible_premises(session, person, premises_id)
        service.withdraw(session, premises_id, now=parts.clock.now(), actor=Actor(person.id, visitor.address))


@router.get("/grades", summary="Its inspection grades")
def list_grades(premises_id: PlaceId, person: AnyPerson, parts: PartsOf, cut: Paging) -> list[GradeView]:
    """Every grade that was awarded, the newest first; that one stands on the public page."""
    with parts.database.read() as session:
        service.visible_premises(session, person, premises_id)
        return cut.of(service.grades_of(session, premises_id))


@router.post("/grades", summary="Write down an awarded grade", status_code=201)
def add_grade(premises_id: PlaceId, body: GradeBody, person: Regulator, write: Writing) -> GradeView:
    """An inspection grade (量化等级) as the authority awarded it. Never changed; a later one follows."""
    grade = GradeView.model_validate(body.model_dump())

    def act(session: Session, by: Author) -> GradeView:
        premises = service.visible_premises(session, person, premises_id)
        today = by.now.astimezone(ZoneInfo(premises.time_zone)).date()
        service.award_grade(session, premises_id, grade, today=today, now=by.now, actor=by.actor)
        return grade

    return write.answer(body, GradeView, act)
