"""Sample contents of the pages of campaigns."""

from __future__ import annotations

from datetime import timedelta

from kitchen_watch.backend.pages.campaign_routes import STATES
from kitchen_watch.backend.rule_sets.schemas import (
    CampaignBrief,
    CampaignCode,
    CampaignGrid,
    CampaignProgress,
)
from tests.backend.pages.rating_samples import Pages
from tests.backend.pages.samples import NOW, person


def campaign_pages(name: str = "甲饭店") -> Pages:
    """Template, reader and content of each of them."""
    brief = CampaignBrief(
        id=1, name=name, starts_at=NOW, ends_at=NOW + timedelta(days=9), enabled=True, state="running",
        share_of_time=0.25,
    )  # fmt: skip
    endless = brief.model_copy(update={"ends_at": None, "share_of_time": None, "enabled": False})
    campaign = CampaignProgress(
        **brief.model_dump(), before_at=NOW, until_at=NOW, premises=7, edges=4, edges_confirmed=3,
        edges_refused=1, edges_waiting=0,
        by_code=[CampaignCode(code=name, before=4, during=2), CampaignCode(code=name, before=0, during=1)],
        by_grid=[CampaignGrid(node_id=1, place=name, premises=7, before=1, during=3)],
    )  # fmt: skip
    who = person(name=name)
    return {
        "campaigns": ("campaigns.html", who, {"found": [brief, endless], "states": STATES}),
        "no campaigns": ("campaigns.html", who, {"found": [], "states": STATES}),
        "campaign": ("campaign.html", who, {"campaign": campaign, "most": 4, "states": STATES}),
    }
