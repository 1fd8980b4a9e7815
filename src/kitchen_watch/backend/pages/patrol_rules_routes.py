"""The page of the sweep's rules: in how many days, and how often by risk, premises of a part of the tree."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import Supervisor, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.organisations.service import node_tree
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.pages.spoken import said
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.patrols.planning import policy_view, set_policy
from kitchen_watch.backend.patrols.schemas import PolicyBody
from kitchen_watch.backend.patrols.settings import GRADES
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

router = APIRouter(prefix="/patrols/rules", include_in_schema=False)

PROBLEM = N_("Give whole numbers: 1 to 732 days, and 1 to 31 looks for every grade.")


class RulesForm(BaseModel):
    """What was typed."""

    node: PlaceId
    period_days: str = Field(max_length=10)
    a: str = Field(max_length=10)
    b: str = Field(max_length=10)
    c: str = Field(max_length=10)
    d: str = Field(max_length=10)
    version: str = Field(default="", max_length=20)


@router.get("")
def show_rules(
    person: Supervisor, frame: FrameOf, parts: PartsOf, node: PlaceId | None = None, saved: bool = False
) -> Response:
    """The rules in force at a node, and where they are set."""
    return _page(parts, person, frame, node, saved=saved)


@router.post("")
def save_rules(
    form: Annotated[RulesForm, Form()], person: Supervisor, visitor: VisitorOf, frame: FrameOf, parts: PartsOf
) -> Response:
    """For the whole subtree, except where a node below has rules of its own."""
    by = Author(person, Actor(person.id, visitor.address), parts.clock.now())
    try:
        body = PolicyBody.model_validate(
            {
                "period_days": form.period_days,
                "looks": {"A": form.a, "B": form.b, "C": form.c, "D": form.d},
                "version": form.version or None,
            }
        )
        with parts.database.write() as session:
            set_policy(session, by, form.node, body)
    except ValidationError:
        return _page(parts, person, frame, form.node, form=form, problem=frame.language.gettext(PROBLEM))
    except (Conflict, InvalidRequest) as error:
        return _page(parts, person, frame, form.node, form=form, problem=said(str(error), frame.language))
    return go_to(f"/patrols/rules?node={form.node}&saved=1")


def _page(
    parts: Parts,
    person: Person,
    frame: Frame,
    node_id: int | None,
    *,
    form: RulesForm | None = None,
    problem: str = "",
    saved: bool = False,
) -> Response:
    with parts.database.read() as session:
        nodes = node_tree(session, person)
        if not nodes:
            raise NotFound("There is no part of the tree that you answer for.")
        chosen = node_id if node_id is not None else nodes[0].id
        rules = policy_view(session, person, parts.settings.patrols, chosen)
    typed = form.model_dump() if form else {}
    values = {"period_days": str(rules.period_days)} | {
        grade.lower(): str(rules.looks[grade]) for grade in GRADES
    }
    names = {node.id: node for node in nodes}
    return page(
        "patrols/rules.html", frame, status=422 if problem else 200, nodes=nodes, chosen=chosen, rules=rules,
        values=values | typed, grades=GRADES, set_at=names.get(rules.set_at_node_id or 0), problem=problem,
        saved=saved,
    )  # fmt: skip
