"""The pages of campaigns: the list, and how one goes."""

from __future__ import annotations

from types import MappingProxyType

from fastapi import APIRouter
from starlette.responses import Response

from kitchen_watch.backend.auth.callers import Regulator
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.pages.answers import FrameOf, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.rule_sets.progress import campaign_progress, campaigns

router = APIRouter(include_in_schema=False)

STATES = MappingProxyType(
    {
        "planned": (N_("planned"), "quiet"),
        "running": (N_("running"), "accent"),
        "over": (N_("over"), "ok"),
    }
)


@router.get("/campaigns")
def show_campaigns(person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """Campaigns that are about anything in scope."""
    with parts.database.read() as session:
        found = campaigns(session, person, now=frame.now)
    return page("campaigns.html", frame, found=found, states=STATES)


@router.get("/campaigns/{rule_set_id}")
def show_campaign(rule_set_id: PlaceId, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """How one campaign goes."""
    with parts.database.read() as session:
        campaign = campaign_progress(session, person, rule_set_id, now=frame.now)
    counts = [
        *(count for code in campaign.by_code for count in (code.before, code.during)),
        *(count for grid in campaign.by_grid for count in (grid.before, grid.during)),
    ]
    return page("campaign.html", frame, campaign=campaign, most=max([1, *counts]), states=STATES)
