"""The board of deadlines: what is overdue, due today and later, with the means to press for it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from kitchen_watch.backend.auth.callers import Regulator
from kitchen_watch.backend.deadlines.board import BoardFilters, board
from kitchen_watch.backend.organisations.service import node_tree
from kitchen_watch.backend.pages.answers import FrameOf, page
from kitchen_watch.backend.pages.wording import TIERS
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(include_in_schema=False)


@router.get("/board")
def show_board(request: Request, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """The board; addresses are typed and shared, so what cannot be understood is left out."""
    values = request.query_params
    tiers = tuple(tier for tier in TIERS if str(tier) in values.getlist("tier"))
    wanted = values.get("grid", "")
    with parts.database.read() as session:
        nodes = node_tree(session, person)
        node_id = next((node.id for node in nodes if str(node.id) == wanted), None)
        groups = board(
            session,
            person,
            links=parts.links,
            now=frame.now,
            time_zone=frame.zone.key,
            filters=BoardFilters(tiers, node_id),
        )
    return page(
        "board.html",
        frame,
        groups=groups,
        nodes=nodes,
        tiers=tiers,
        node_id=node_id,
        highest_level=parts.settings.deadlines.highest_level,
    )
