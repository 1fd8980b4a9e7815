"""The pages of rule sets and campaigns, and the editor of zones and masks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from kitchen_watch.backend.auth.callers import Administrator, Regulator, Supervisor
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.organisations.service import camera_detail, node_tree
from kitchen_watch.backend.organisations.tables import AreaType
from kitchen_watch.backend.pages.answers import FrameOf, page
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.rule_sets.catalogue import catalogue, settable
from kitchen_watch.backend.rule_sets.service import (
    areas_history,
    areas_view,
    rule_set_detail,
    rule_set_history,
    rule_set_list,
)

router = APIRouter(prefix="/administration", include_in_schema=False)

FIRST = ("enabled", "tier", "held_s", "cooldown_s")
"""The parameters of the table; the others stand behind one touch."""


@router.get("/rules")
def list_rules(_person: Supervisor, frame: FrameOf, parts: PartsOf) -> Response:
    """Rule sets and campaigns, the more general first."""
    with parts.database.read() as session:
        found = rule_set_list(session, now=frame.now)
    return page("administration/rules.html", frame, found=found)


@router.get("/rules/new")
def new_rules(person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """The empty form of a rule set."""
    with parts.database.read() as session:
        nodes = node_tree(session, person)
    return _form(frame, one=None, nodes=nodes, history=())


@router.get("/rules/{rule_set_id}")
def show_rules(rule_set_id: PlaceId, person: Supervisor, frame: FrameOf, parts: PartsOf) -> Response:
    """The form of a rule set, its versions, and what the edges say to it."""
    with parts.database.read() as session:
        one = rule_set_detail(session, rule_set_id, now=frame.now)
        history = rule_set_history(session, rule_set_id).items
        nodes = node_tree(session, person)
    return _form(frame, one=one, nodes=nodes, history=history)


@router.get("/cameras/{camera_id}/areas")
def show_areas(camera_id: str, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """The editor of zones and masks on a picture of the camera."""
    with parts.database.read() as session:
        camera = camera_detail(session, person, camera_id, now=frame.now)
        drawn = areas_view(session, person, camera_id, now=frame.now)
        history = areas_history(session, person, camera_id).items
    areas = [area.model_dump(mode="json") for area in drawn.areas]
    return page("administration/areas.html", frame, camera=camera, drawn=drawn, areas=areas, history=history)


def _form(frame: FrameOf, **content: Any) -> Response:
    others = {code: [name for name in settable(code) if name not in FIRST] for code in catalogue()}
    return page(
        "administration/rule_set.html", frame, catalogue=catalogue(), others=others,
        areas=tuple(AreaType), **content,
    )  # fmt: skip
