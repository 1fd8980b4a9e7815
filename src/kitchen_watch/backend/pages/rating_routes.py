"""The pages of ratings: the ranking, one premises' score with its derivation, a frozen half-year."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import AnyPerson, Regulator, VisitorOf
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.organisations.service import node_tree
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.ratings.formula import LineKind
from kitchen_watch.backend.ratings.honours import award, withdraw
from kitchen_watch.backend.ratings.schemas import HonourBody, WithdrawalBody
from kitchen_watch.backend.ratings.service import (
    frozen_ranking,
    halves_there_are,
    ranking,
    rating_detail,
    snapshot_detail,
)
from kitchen_watch.backend.ratings.tables import HonourKind, HonourRow
from kitchen_watch.errors import Conflict

router = APIRouter(include_in_schema=False)

SHOWN = 200
LINES = MappingProxyType(
    {
        LineKind.ALERTS: N_("Verified alerts"),
        LineKind.CAPPED: N_("Limit for one kind reached: given back"),
        LineKind.REPEATS: N_("The same again soon after"),
        LineKind.LATE: N_("Deadlines missed by the restaurant"),
        LineKind.RETURNED: N_("Rectifications returned"),
        LineKind.UNRECTIFIED: N_("Overdue and not closed"),
        LineKind.RECTIFIED: N_("Closed in time: given back"),
        LineKind.UNSEEN: N_("Cameras not online during opening hours"),
        LineKind.FINDINGS: N_("Findings of checks"),
        LineKind.SELF_CHECKS: N_("Self-checks missing"),
    }
)
"""What each line of a derivation is about."""
HONOURS = MappingProxyType(
    {
        HonourKind.MODEL_SHOP: (N_("Model shop"), "ok"),
        HonourKind.TRUSTED_KITCHEN: (N_("Trusted kitchen"), "ok"),
        HonourKind.COMMENDED: (N_("Commended"), "ok"),
        HonourKind.WARNED: (N_("Warned"), "warn"),
        HonourKind.CRITICISED: (N_("Criticised in a bulletin"), "bad"),
        HonourKind.PENALISED: (N_("Administrative penalty"), "bad"),
    }
)
PROBLEMS = (
    N_("Choose one and say why; the reason stays in the history."),
    N_("It is in force already, or was withdrawn meanwhile. Look at the list."),
)

_Reason = Annotated[str, Form(max_length=2000)]


@router.get("/ratings")
def show_ratings(request: Request, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """The ranking; a restaurant is led to its own score."""
    if person.is_premises_side:
        return go_to(f"/ratings/{person.premises_id}")
    values = request.query_params
    worst_first = values.get("order") == "worst"
    with parts.database.read() as session:
        nodes = node_tree(session, person)
        node_id = next((node.id for node in nodes if str(node.id) == values.get("grid", "")), None)
        halves = halves_there_are(session, person)
        half = values.get("half", "")
        if half in halves:
            found = frozen_ranking(
                session, person, half, node_id=node_id, limit=SHOWN, worst_first=worst_first
            )
        else:
            found = ranking(
                session,
                person,
                parts.settings.ratings,
                now=frame.now,
                node_id=node_id,
                limit=SHOWN,
                worst_first=worst_first,
            )
    return page(
        "ratings.html",
        frame,
        found=found,
        nodes=nodes,
        node_id=node_id,
        halves=halves,
        worst_first=worst_first,
        honour_words=HONOURS,
    )


@router.get("/ratings/{premises_id}")
def show_rating(premises_id: PlaceId, _person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """One premises' running score, line by line."""
    return _rating(premises_id, frame, parts)


@router.get("/ratings/{premises_id}/snapshots/{half}")
def show_snapshot(
    premises_id: PlaceId,
    half: str,
    person: AnyPerson,
    frame: FrameOf,
    parts: PartsOf,
) -> Response:
    """A half-year as it was frozen."""
    with parts.database.read() as session:
        snapshot = snapshot_detail(session, person, premises_id, half)
    return page("rating_snapshot.html", frame, snapshot=snapshot, line_words=LINES)


@router.post("/ratings/{premises_id}/honours")
def add_honour(
    premises_id: PlaceId,
    person: Regulator,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
    kind: Annotated[str, Form(max_length=40)] = "",
    reason: _Reason = "",
) -> Response:
    """Award an honour or an admonition from the form of the page."""
    by = Author(person, Actor(person.id, visitor.address), parts.clock.now())
    try:
        body = HonourBody.model_validate({"kind": kind, "reason": reason})
        with parts.database.write() as session:
            award(session, by, premises_id, body)
    except ValidationError:
        return _rating(premises_id, frame, parts, problem=PROBLEMS[0])
    except Conflict:
        return _rating(premises_id, frame, parts, problem=PROBLEMS[1])
    return go_to(f"/ratings/{premises_id}")


@router.post("/ratings/honours/{honour_id}/withdraw")
def withdraw_honour(
    honour_id: PlaceId,
    person: Regulator,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
    reason: _Reason = "",
) -> Response:
    """It no longer holds."""
    by = Author(person, Actor(person.id, visitor.address), parts.clock.now())
    try:
        body = WithdrawalBody.model_validate({"reason": reason})
        with parts.database.write() as session:
            premises_id = withdraw(session, by, honour_id, body).premises_id
    except (ValidationError, Conflict) as error:
        with parts.database.read() as session:
            known = _premises_of(session, honour_id)
        problem = PROBLEMS[1] if isinstance(error, Conflict) else PROBLEMS[0]
        return go_to("/ratings") if known is None else _rating(known, frame, parts, problem=problem)
    return go_to(f"/ratings/{premises_id}")


def _premises_of(session: Session, honour_id: int) -> int | None:
    return session.scalar(select(HonourRow.premises_id).where(HonourRow.id == honour_id))


def _rating(premises_id: int, frame: Frame, parts: Parts, *, problem: str | None = None) -> Response:
    assert frame.person is not None  # every route that comes here has asked for somebody
    with parts.database.read() as session:
        rating = rating_detail(session, frame.person, premises_id, parts.settings.ratings, now=frame.now)
    return page(
        "rating.html",
        frame,
        status=422 if problem else 200,
        rating=rating,
        line_words=LINES,
        honour_words=HONOURS,
        problem=problem,
    )
