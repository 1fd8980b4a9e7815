"""Ratings over the API: the ranking, one premises' derivation, frozen half-years, honours."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.callers import AnyPerson, Regulator
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.ratings.honours import award, withdraw
from kitchen_watch.backend.ratings.schemas import (
    HonourBody,
    HonourView,
    RatingDetail,
    RatingPage,
    SnapshotDetail,
    WithdrawalBody,
)
from kitchen_watch.backend.ratings.service import (
    frozen_ranking,
    ranking,
    rating_detail,
    snapshot_detail,
)

router = APIRouter(prefix="/api/v1/ratings", tags=["ratings"])


@router.get("", summary="The ranking")
def list_ratings(
    person: Regulator,
    parts: PartsOf,
    *,
    grid_id: Annotated[PlaceId | None, Query(description="only below this node")] = None,
    half: Annotated[str | None, Query(max_length=6, description="a frozen half-year such as 2026H1")] = None,
    worst_first: bool = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> RatingPage:
    """Hygiene scores in your scope. A decision aid: no official grade is made or changed by them."""
    with parts.database.read() as session:
        if half is not None:
            return frozen_ranking(
                session, person, half, node_id=grid_id, limit=limit, worst_first=worst_first
            )
        return ranking(
            session,
            person,
            parts.settings.ratings,
            now=parts.clock.now(),
            node_id=grid_id,
            limit=limit,
            worst_first=worst_first,
        )


@router.get("/{premises_id}", summary="The score of one premises")
def get_rating(premises_id: PlaceId, person: AnyPerson, parts: PartsOf) -> RatingDetail:
    """With every line of its derivation, the honours and the frozen half-years."""
    with parts.database.read() as session:
        return rating_detail(session, person, premises_id, parts.settings.ratings, now=parts.clock.now())


@router.get("/{premises_id}/snapshots/{half}", summary="A frozen half-year")
def get_snapshot(premises_id: PlaceId, half: str, person: AnyPerson, parts: PartsOf) -> SnapshotDetail:
    """With its inputs and its formula, checked against its seal and calculated anew."""
    with parts.database.read() as session:
        return snapshot_detail(session, person, premises_id, half)


@router.post("/{premises_id}/honours", summary="Award an honour or an admonition", status_code=201)
def add_honour(premises_id: PlaceId, body: HonourBody, _person: Regulator, write: Writing) -> HonourView:
    """By those who speak for the authority, with a reason; written down."""

    def done(session: Session, by: Author) -> HonourView:
        return award(session, by, premises_id, body)

    return write.answer(body, HonourView, done)


@router.post("/honours/{honour_id}/withdraw", summary="Withdraw it")
def withdraw_honour(
    honour_id: PlaceId, body: WithdrawalBody, _person: Regulator, write: Writing
) -> HonourView:
    """With a reason; the history keeps both."""

    def done(session: Session, by: Author) -> HonourView:
        return withdraw(session, by, honour_id, body)

    return write.answer(body, HonourView, done)
