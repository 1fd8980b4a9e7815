"""The pages of everyday work: alerts, premises, cameras, edge nodes, and a restaurant's home."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from kitchen_watch.backend.alerts.feed import latest_feed_id
from kitchen_watch.backend.alerts.service import alert_counts, alert_page, alert_summary
from kitchen_watch.backend.auth.callers import AnyPerson, PremisesPerson, Regulator
from kitchen_watch.backend.deadlines.board import waiting_for_premises
from kitchen_watch.backend.edges.service import edge_list
from kitchen_watch.backend.organisations.camera_lists import camera_slice
from kitchen_watch.backend.organisations.overview import (
    camera_overview,
    premises_choices,
    premises_count,
)
from kitchen_watch.backend.organisations.schemas import CameraView
from kitchen_watch.backend.organisations.service import (
    camera_list,
    camera_views,
    premises_list,
    premises_page,
)
from kitchen_watch.backend.organisations.tables import CameraRow
from kitchen_watch.backend.pages.alert_page import show_alert_page
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.feed_query import read_feed_query
from kitchen_watch.backend.pages.navigation import start_page
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(include_in_schema=False)

ALERTS_PER_PAGE = 40
ALERTS_AT_HOME = 10
AlertId = Annotated[int, Path(ge=1, lt=2**63)]
PREMISES_PER_PAGE = 40
CAMERAS_PER_PAGE = 100
EDGES_PER_PAGE = 100
CameraWords = Annotated[str, Query(max_length=100, description="part of an id, a name or a premises")]
TROUBLED_SHOWN = 8


@router.get("/")
def start(person: AnyPerson) -> Response:
    """Lead everybody to the page their work begins with."""
    return go_to(start_page(person))


@router.get("/alerts")
def show_feed(request: Request, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """The live feed."""
    query = read_feed_query(request.query_params)
    with parts.database.read() as session:
        after = latest_feed_id(session)  # read first: what comes later arrives by the stream
        found = alert_page(
            session,
            person,
            links=parts.links,
            filters=query.filters(),
            cursor=query.cursor,
            limit=ALERTS_PER_PAGE,
        )
        counts = alert_counts(session, person, now=frame.now, time_zone=frame.zone.key)
        places = (
            [] if person.is_premises_side else premises_choices(session, person, chosen=query.premises_id)
        )
    return page(
        "feed.html",
        frame,
        query=query,
        alerts=found.items,
        after=after,
        counts=counts,
        places=places,
        older_href=query.address(cursor=found.next_cursor) if found.next_cursor else None,
    )


@router.get("/now")
def show_now(person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """What goes on at this moment: a part of the feed page that renews itself."""
    with parts.database.read() as session:
        counts = alert_counts(session, person, now=frame.now, time_zone=frame.zone.key)
        cameras = camera_overview(session, person, now=frame.now, troubled=TROUBLED_SHOWN)
    return page("now.html", frame, counts=counts, cameras=cameras)


@router.get("/alerts/{alert_id}")
def show_alert(alert_id: AlertId, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """One alert with its evidence, how its handling stands, and what may be done now."""
    return show_alert_page(parts, frame, person, alert_id)


@router.get("/alerts/{alert_id}/card")
def show_card(
    alert_id: AlertId, request: Request, person: AnyPerson, frame: FrameOf, parts: PartsOf
) -> Response:
    """One row of the feed as it stands now; 204 where the page's filters leave it out."""
    with parts.database.read() as session:
        alert = alert_summary(session, person, alert_id, links=parts.links)
    if not read_feed_query(request.query_params).wants(alert):
        return Response(status_code=204)
    return page("card.html", frame, alert=alert)


@router.get("/premises")
def show_premises(
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    after: Annotated[int, Query(ge=0, lt=2**31, description="id of the last one of the page before")] = 0,
) -> Response:
    """The premises in scope with their cameras, a page of them."""
    with parts.database.read() as session:
        found = premises_page(session, person, after=after, limit=PREMISES_PER_PAGE)
        mine = CameraRow.premises_id.in_([place.id for place in found.items])
        cameras = camera_views(session, person, now=frame.now, where=mine)
        overview = camera_overview(session, person, now=frame.now)
        count = premises_count(session, person)
    return page(
        "premises.html",
        frame,
        places=found.items,
        cameras=_by_premises(cameras),
        by_state=overview.by_state,
        count=count,
        after=after,
        next_href=f"/premises?after={found.next_cursor}" if found.next_cursor else None,
    )


@router.get("/cameras")
def show_cameras(
    person: AnyPerson,
    frame: FrameOf,
    parts: PartsOf,
    *,
    words: CameraWords = "",
    first: Annotated[int, Query(alias="from", ge=0, le=10_000_000)] = 0,
) -> Response:
    """Cameras in scope, the troubled ones first, a page of them; only those that were searched for."""
    words = words.strip()
    with parts.database.read() as session:
        found = camera_slice(
            session,
            person,
            now=frame.now,
            first=first,
            limit=CAMERAS_PER_PAGE,
            words=words,
            troubled_first=True,
        )
        overview = camera_overview(session, person, now=frame.now)
    base = "/cameras?" + (urlencode({"words": words}) + "&" if words else "") + "from="
    return page(
        "cameras.html",
        frame,
        cameras=found.cameras,
        by_state=overview.by_state,
        total=overview.total,
        found=found.total,
        words=words,
        first=found.first,
        base=base,
        per_page=CAMERAS_PER_PAGE,
    )


@router.get("/edges")
def show_edges(
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    first: Annotated[int, Query(alias="from", ge=0, le=10_000_000)] = 0,
) -> Response:
    """The analysis nodes whose cameras are all in scope, a page of them."""
    with parts.database.read() as session:
        edges = edge_list(session, person, now=frame.now, first=first, limit=EDGES_PER_PAGE + 1)
    return page(
        "edges.html",
        frame,
        edges=edges[:EDGES_PER_PAGE],
        before=max(0, first - EDGES_PER_PAGE) if first else None,
        following=first + EDGES_PER_PAGE if len(edges) > EDGES_PER_PAGE else None,
    )


@router.get("/home")
def show_home(person: PremisesPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """A restaurant's own alerts and cameras."""
    with parts.database.read() as session:
        after = latest_feed_id(session)
        waiting = waiting_for_premises(session, person, links=parts.links)
        found = alert_page(session, person, links=parts.links, limit=ALERTS_AT_HOME)
        counts = alert_counts(session, person, now=frame.now, time_zone=frame.zone.key)
        places = premises_list(session, person)
        cameras = camera_list(session, person, now=frame.now)
    return page(
        "home.html",
        frame,
        waiting=waiting,
        alerts=found.items,
        after=after,
        counts=counts,
        places=places,
        cameras=cameras,
    )


def _by_premises(cameras: Iterable[CameraView]) -> dict[int, list[CameraView]]:
    grouped: dict[int, list[CameraView]] = {}
    for camera in cameras:
        grouped.setdefault(camera.premises_id, []).append(camera)
    return grouped
