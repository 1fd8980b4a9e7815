"""The sweep over the API: where it stands, what will come late, who is away, how often where."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.callers import Regulator, Supervisor
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.paging import Paging
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.patrols import planning
from kitchen_watch.backend.patrols.schemas import (
    AbsenceBody,
    AbsenceList,
    PolicyBody,
    PolicyView,
    SweepView,
)

router = APIRouter(prefix="/api/v1/patrols", tags=["patrols"])

_Id = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/sweep", summary="Where the sweep stands")
def get_sweep(person: Regulator, parts: PartsOf, *, node_id: PlaceId | None = None) -> SweepView:
    """Premises that were looked at in time, and what will come late with the officers who are here."""
    with parts.database.read() as session:
        return planning.sweep_view(
            session, person, parts.settings.patrols, now=parts.clock.now(), node_id=node_id
        )


@router.get("/absences", summary="Officers who are away")
def list_absences(person: Regulator, parts: PartsOf, cut: Paging) -> AbsenceList:
    """Now or later, in your area."""
    with parts.database.read() as session:
        found = planning.absence_list(session, person, now=parts.clock.now())
    return found.model_copy(update={"items": cut.of(found.items)})


@router.post("/absences", summary="Say that an officer is away", status_code=201)
def add_absence(body: AbsenceBody, _person: Regulator, write: Writing) -> AbsenceList:
    """Of yourself, or of an officer below you; the forecast no longer counts on them."""

    def act(session: Session, by: Author) -> AbsenceList:
        planning.add_absence(session, by, body)
        return planning.absence_list(session, by.person, now=by.now)

    return write.answer(body, AbsenceList, act)


@router.delete("/absences/{absence_id}", summary="An officer is back")
def end_absence(absence_id: _Id, _person: Regulator, write: Writing) -> AbsenceList:
    """Or does not go after all."""

    def act(session: Session, by: Author) -> AbsenceList:
        planning.end_absence(session, by, absence_id)
        return planning.absence_list(session, by.person, now=by.now)

    return write.answer(None, AbsenceList, act)


@router.get("/rules/{node_id}", summary="How often premises of a node are looked at")
def get_rules(node_id: PlaceId, person: Regulator, parts: PartsOf) -> PolicyView:
    """The rules in force there, and where they are set."""
    with parts.database.read() as session:
        return planning.policy_view(session, person, parts.settings.patrols, node_id)


@router.put("/rules/{node_id}", summary="Set how often premises of a node are looked at")
def set_rules(
    node_id: PlaceId, body: PolicyBody, _person: Supervisor, write: Writing, parts: PartsOf
) -> PolicyView:
    """For its whole subtree, except where a node below has rules of its own."""

    def act(session: Session, by: Author) -> PolicyView:
        planning.set_policy(session, by, node_id, body)
        return planning.policy_view(session, by.person, parts.settings.patrols, node_id)

    return write.answer(body, PolicyView, act)
