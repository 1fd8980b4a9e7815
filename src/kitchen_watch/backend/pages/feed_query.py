"""What a person asked to see of the feed, read from a page's address and written back into one.

Addresses are typed, shared and bookmarked: what cannot be understood is left out, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from kitchen_watch.backend.alerts.schemas import AlertSummary
from kitchen_watch.backend.alerts.service import AlertFilters
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.pages.wording import TIERS


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """The filters of one feed page; empty means everything."""

    tiers: tuple[int, ...] = ()
    code: str | None = None
    premises_id: int | None = None
    camera_id: str | None = None
    state: AlertState | None = None
    ongoing: bool = False
    cursor: str | None = None

    @property
    def count(self) -> int:
        """How many filters are in force."""
        chosen = (
            self.tiers,
            self.code,
            self.premises_id is not None,
            self.camera_id,
            self.state,
            self.ongoing,
        )
        return sum(map(bool, chosen))

    def filters(self) -> AlertFilters:
        """The same wish as the alerts' service takes it."""
        return AlertFilters(
            tiers=self.tiers,
            codes=(self.code,) if self.code else (),
            premises_id=self.premises_id,
            camera_id=self.camera_id,
            states=(self.state,) if self.state else (),
            ongoing=True if self.ongoing else None,
        )

    def wants(self, alert: AlertSummary) -> bool:
        """Whether a new or changed alert belongs on this page."""
        return (
            (not self.tiers or alert.tier in self.tiers)
            and self.code in (None, alert.code)
            and self.premises_id in (None, alert.premises.id)
            and self.camera_id in (None, alert.camera.camera_id)
            and self.state in (None, alert.state)
            and not (self.ongoing and alert.ended_at is not None)
        )

    def address(self, *, cursor: str | None = None) -> str:
        """Address of the page with these filters that begins at ``cursor`` (none: the newest)."""
        values: Mapping[str, object] = {
            "tier": self.tiers,
            "code": self.code,
            "premises": self.premises_id,
            "camera": self.camera_id,
            "state": self.state,
            "ongoing": int(self.ongoing),
            "cursor": cursor,
        }
        query = urlencode({name: value for name, value in values.items() if value}, doseq=True)
        return f"/alerts?{query}" if query else "/alerts"


def read_feed_query(values: QueryParams) -> FeedQuery:
    """The filters that an address names; unknown ones are ignored."""
    tiers = {tier for tier in TIERS if str(tier) in values.getlist("tier")}
    premises = values.get("premises", "")
    state = values.get("state", "")
    return FeedQuery(
        tiers=tuple(sorted(tiers)),
        code=values.get("code") or None,
        premises_id=int(premises) if premises.isdecimal() and len(premises) < 10 else None,
        camera_id=values.get("camera") or None,
        state=AlertState(state) if state in set(AlertState) else None,
        ongoing=values.get("ongoing") == "1",
        cursor=values.get("cursor") or None,
    )
