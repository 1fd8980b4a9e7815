"""Holds over the API: list, read, place, lift."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.callers import Regulator
from kitchen_watch.backend.bounds import MAX_ID, PlaceId, RowId
from kitchen_watch.backend.holds import service
from kitchen_watch.backend.holds.schemas import HeldAtEdge, HoldBody, HoldDetail, HoldPage, LiftBody
from kitchen_watch.backend.holds.telling_edges import held_at_edges
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.paging import Paging
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(prefix="/api/v1/holds", tags=["holds"])

_Id = Annotated[int, Path(ge=0, le=MAX_ID)]


@router.get("", summary="Holds")
def list_holds(
    person: Regulator,
    parts: PartsOf,
    *,
    active: Annotated[bool, Query(description="only those that hold now")] = False,
    premises_id: Annotated[PlaceId | None, Query(description="only of this premises")] = None,
    cursor: Annotated[RowId | None, Query(description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> HoldPage:
    """Supervision staff: holds in your scope, newest first. Restaurants are not told of holds."""
    with parts.database.read() as session:
        return service.hold_page(
            session,
            person,
            now=parts.clock.now(),
            only_active=active,
            premises_id=premises_id,
            before=cursor,
            limit=limit,
        )


@router.post("", status_code=201, summary="Place a hold")
def place(body: HoldBody, _person: Regulator, write: Writing) -> HoldDetail:
    """Supervision staff: from now on nothing of it is deleted, whatever the policy says."""

    def done(session: Session, by: Author) -> HoldDetail:
        row = service.place(session, by, body)
        return service.hold_detail(session, by.person, row, now=by.now)

    return write.answer(body, HoldDetail, done)


@router.get("/edges", summary="What the edges hold")
def list_edges(person: Regulator, parts: PartsOf, cut: Paging) -> list[HeldAtEdge]:
    """Supervision staff: which edges were told to hold something, and what they have said about it."""
    with parts.database.read() as session:
        return cut.of(held_at_edges(session, person, now=parts.clock.now()))


@router.get("/{hold_id}", summary="One hold")
def get_hold(hold_id: _Id, person: Regulator, parts: PartsOf) -> HoldDetail:
    """Supervision staff: what is held, why, every decision about it, and what lies under it."""
    with parts.database.read() as session:
        row = service.visible_hold(session, person, hold_id)
        return service.hold_detail(session, person, row, now=parts.clock.now())


@router.post("/{hold_id}/lift", summary="Lift a hold")
def lift(hold_id: _Id, body: LiftBody, _person: Regulator, write: Writing) -> HoldDetail:
    """Whoever placed it, or a supervisor: a decision with its reason; policy counts again from then on."""

    def done(session: Session, by: Author) -> HoldDetail:
        row = service.lift(session, by, hold_id, reason=body.reason)
        return service.hold_detail(session, by.person, row, now=by.now)

    return write.answer(body, HoldDetail, done)
