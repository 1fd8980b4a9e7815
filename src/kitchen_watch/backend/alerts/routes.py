"""Alerts over the API: pages, figures, one in full, and the live stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from kitchen_watch.backend.alerts import service
from kitchen_watch.backend.alerts.feed import latest_feed_id
from kitchen_watch.backend.alerts.schemas import AlertCounts, AlertDetail, AlertPage, FeedMessage
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.auth.callers import AnyPerson
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import Moment, PlaceId, RowId
from kitchen_watch.backend.parts import Parts, PartsOf

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])

RETRY_MS = 2000


class AlertQuery(BaseModel):
    """What to show; everything may be left out."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(default=None, max_length=64, description="next_cursor of the page before")
    limit: int = Field(default=service.DEFAULT_PAGE, ge=1, le=service.MAX_PAGE)
    tier: list[Annotated[int, Field(ge=1, le=3)]] = Field(default=[], description="1, 2, 3; may be repeated")
    code: list[str] = Field(default=[], description="violation codes; may be repeated", examples=[["NO_HAT"]])
    state: list[AlertState] = Field(default=[], description="may be repeated")
    premises_id: PlaceId | None = None
    camera_id: str | None = Field(default=None, max_length=64)
    grid_id: PlaceId | None = Field(default=None, description="a node of the tree; its whole subtree")
    ongoing: bool | None = Field(default=None, description="whether the violation still goes on")
    found_from: Moment | None = None
    found_to: Moment | None = None

    def filters(self) -> service.AlertFilters:
        """As the service takes them."""
        return service.AlertFilters(
            tiers=tuple(self.tier),
            codes=tuple(self.code),
            states=tuple(self.state),
            premises_id=self.premises_id,
            camera_id=self.camera_id,
            node_id=self.grid_id,
            ongoing=self.ongoing,
            found_from=self.found_from,
            found_to=self.found_to,
        )


@router.get("", summary="A page of the feed")
def list_alerts(person: AnyPerson, parts: PartsOf, query: Annotated[AlertQuery, Query()]) -> AlertPage:
    """Alerts in your scope, newest first; give ``next_cursor`` back to go on."""
    with parts.database.read() as session:
        return service.alert_page(
            session,
            person,
            links=parts.links,
            filters=query.filters(),
            cursor=query.cursor,
            limit=query.limit,
        )


@router.get("/counts", summary="Figures for the head of a page")
def count_alerts(
    person: AnyPerson,
    parts: PartsOf,
    time_zone: Annotated[
        str | None,
        Query(pattern=r"^[A-Za-z_]+(/[A-Za-z_+-]+)*$", max_length=64, description="default: the service's"),
    ] = None,
) -> AlertCounts:
    """Violations going on by tier, and how many were found since local midnight."""
    with parts.database.read() as session:
        return service.alert_counts(
            session, person, now=parts.clock.now(), time_zone=time_zone or parts.settings.time_zone
        )


@router.get(
    "/stream",
    summary="The live stream",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "server-sent events"}},
)
async def stream_alerts(
    person: AnyPerson,
    parts: PartsOf,
    *,
    after: Annotated[RowId | None, Query(description="feed_id to go on from at the first connect")] = None,
    last_event_id: Annotated[RowId | None, Header()] = None,
) -> EventSourceResponse:
    """Server-sent events ``alert`` (see FeedMessage) with their ``feed_id`` as id, from now on or resumed.

    ``ping`` tells the server's time; ``goodbye`` ends the stream when the session is over.
    """
    position = last_event_id if last_event_id is not None else after
    if position is None:
        position = await parts.feed.latest()
    return EventSourceResponse(
        _messages(person, parts, position),
        ping=parts.settings.stream_ping_s,
        ping_message_factory=lambda: _ping(parts),
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/position", summary="The newest feed_id")
def feed_position(_person: AnyPerson, parts: PartsOf) -> int:
    """Where a stream that is opened now would begin."""
    with parts.database.read() as session:
        return latest_feed_id(session)


@router.get("/{alert_id}", summary="One alert in full")
def get_alert(alert_id: RowId, person: AnyPerson, parts: PartsOf) -> AlertDetail:
    """The alert with its events, evidence, rule and model."""
    with parts.database.read() as session:
        return service.alert_detail(session, person, alert_id, links=parts.links, store=parts.evidence)


async def _messages(person: Person, parts: Parts, after: int) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(event="ping", data=parts.clock.now().isoformat(), retry=RETRY_MS)
    async for message in parts.feed.listen(person, after):
        yield ServerSentEvent(event="alert", id=str(message.feed_id), data=_encoded(message))
    yield ServerSentEvent(event="goodbye", data="session_ended")


@lru_cache(maxsize=1024)
def _encoded(message: FeedMessage) -> str:
    # A thousand open streams get the same message: it becomes JSON once.
    return message.model_dump_json()


def _ping(parts: Parts) -> ServerSentEvent:
    return ServerSentEvent(event="ping", data=parts.clock.now().isoformat())
