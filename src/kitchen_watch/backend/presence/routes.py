"""Coverage over the API: how far the cameras have got, and whether somebody is watching."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from kitchen_watch.backend.auth.callers import Regulator
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.presence.schemas import CoverageView
from kitchen_watch.backend.presence.service import MOST_DAYS, coverage

router = APIRouter(prefix="/api/v1/statistics", tags=["statistics"])


@router.get("/coverage", summary="Coverage by cameras, and who is watching")
def get_coverage(
    person: Regulator,
    parts: PartsOf,
    *,
    grid_id: Annotated[PlaceId | None, Query(description="a node of the tree; its whole subtree")] = None,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="how many days back")] = 30,
) -> CoverageView:
    """So that "no alerts" differs from "not watching": minutes seen of minutes open, and the blind."""
    with parts.database.read() as session:
        return coverage(
            session, person, parts.settings.presence, now=parts.clock.now(), node_id=grid_id, days=days
        )
