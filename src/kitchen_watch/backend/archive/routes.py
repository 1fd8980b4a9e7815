"""The archive of a premises over the API: one ZIP, sent while it is made."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from kitchen_watch.backend.archive.packing import Packing
from kitchen_watch.backend.archive.service import plan_archive
from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import AnyPerson, VisitorOf
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.public.service import visible_premises
from kitchen_watch.errors import InvalidRequest

router = APIRouter(prefix="/api/v1/premises/{premises_id}", tags=["archive"])

ONE_DAY = timedelta(days=1)
_Day = Annotated[date, Query(description="a local day of the premises")]


@router.get(
    "/archive",
    summary="The archive of a premises",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def take_archive(
    premises_id: PlaceId,
    person: AnyPerson,
    visitor: VisitorOf,
    parts: PartsOf,
    *,
    since: _Day,
    until: _Day,
    purpose: Annotated[
        str, Query(min_length=2, max_length=200, pattern=r"^[^\x00-\x1f]*$", description="written down")
    ],
    pictures: Annotated[
        Literal["marked", "sealed"],
        Query(description="marked: copies with a watermark; sealed: originals, for supervision staff"),
    ] = "marked",
) -> StreamingResponse:
    """From the first to the last day, both whole: cover, labels, index, alerts with their evidence, letters,
    self-checks and frozen scores. `sha256sum -c SHA256SUMS` checks every file. Who took it and what for is
    written down.
    """
    now = parts.clock.now()
    by = Author(person, Actor(person.id, visitor.address), now)
    with parts.database.write() as session:
        zone = zone_of(visible_premises(session, person, premises_id).time_zone)
        plan = plan_archive(
            session,
            by,
            parts.settings.archive,
            premises_id,
            since_at=_midnight(since, zone),
            until_at=_midnight(until, zone, after=True),
            purpose=purpose.strip(),
            sealed=pictures == "sealed",
        )
    packing = Packing(parts, person, by.actor, plan, now)
    name = quote(f"{plan.cover.premises}-{since:%Y%m%d}-{until:%Y%m%d}.zip", safe="")
    return StreamingResponse(
        packing.stream(),
        media_type="application/zip",
        headers={
            "content-disposition": f"attachment; filename=archive-{premises_id}.zip; filename*=UTF-8''{name}",
            "cache-control": "private, no-store",
        },
    )


def _midnight(day: date, zone: ZoneInfo, *, after: bool = False) -> datetime:
    try:
        return datetime.combine(day + ONE_DAY if after else day, time(), zone).astimezone(ZoneInfo("UTC"))
    except OverflowError:
        raise InvalidRequest("This day lies at the end of the calendar.") from None
