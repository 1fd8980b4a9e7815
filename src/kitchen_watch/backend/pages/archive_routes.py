"""The page on which the archive of a premises is asked for."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from kitchen_watch.backend.archive.service import may_take
from kitchen_watch.backend.auth.callers import AnyPerson
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.organisations.service import premises_detail
from kitchen_watch.backend.pages.answers import FrameOf, page
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.errors import NotPermitted

router = APIRouter(include_in_schema=False)

USUAL = timedelta(days=90)


@router.get("/premises/{premises_id}/archive")
def show_archive(premises_id: PlaceId, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """Period, purpose and pictures; the ZIP itself comes from the API."""
    with parts.database.read() as session:
        place = premises_detail(session, person, premises_id, now=frame.now)
    if not may_take(person):
        raise NotPermitted("Only supervision staff and the restaurant's manager take its archive.")
    today = frame.now.astimezone(zone_of(place.time_zone)).date()
    return page(
        "archive.html",
        frame,
        place=place,
        since=today - USUAL,
        until=today,
        longest=parts.settings.archive.longest.days,
        may_seal=person.is_regulator,
    )
