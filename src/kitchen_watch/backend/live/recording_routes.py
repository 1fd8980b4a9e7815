"""What a camera showed before: time-shift and continuous recording, as its edge keeps them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import AnyPerson, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.live.routes import NOT_STORED, Purpose
from kitchen_watch.backend.live.schemas import PieceView, RecordingView
from kitchen_watch.backend.organisations.service import visible_camera
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.control import SegmentId
from kitchen_watch.errors import InvalidRequest

router = APIRouter(prefix="/api/v1", tags=["live"])

USUAL = timedelta(minutes=5)
LONGEST = timedelta(hours=24)

Moment = Annotated[AwareDatetime | None, Query(description="the edge's clock, with offset")]


@router.get("/cameras/{camera_id}/recording", summary="Which recorded pieces there are")
async def list_recording(
    camera_id: str,
    person: AnyPerson,
    parts: PartsOf,
    visitor: VisitorOf,
    *,
    since_at: Moment = None,
    until_at: Moment = None,
    purpose: Purpose = "",
) -> RecordingView:
    """Pieces of the last minutes, or of the span asked for; masked where the camera has privacy areas."""
    try:
        until = until_at or (parts.clock.now() if since_at is None else since_at + USUAL)
        since = since_at or until - USUAL
        span = until - since
    except OverflowError:
        raise InvalidRequest("This span reaches beyond the calendar.") from None
    if not timedelta(0) < span <= LONGEST:
        raise InvalidRequest("until_at must come after since_at, by 24 hours at most.")
    edge_id = await run_in_threadpool(
        _note, parts, person, Actor(person.id, visitor.address), camera_id, "recording_listed", purpose,
        since_at=since.isoformat(), until_at=until.isoformat(),
    )  # fmt: skip
    answer = await parts.live.recordings.pieces(edge_id, camera_id, since_at=since, until_at=until)
    return RecordingView(
        camera_id=camera_id,
        since_at=since,
        until_at=until,
        oldest_at=answer.oldest_at,
        continuous=answer.continuous,
        more=answer.more,
        pieces=[
            PieceView(
                begins_at=one.begins_at, seconds=one.seconds, size=one.size,
                url=f"/api/v1/cameras/{quote(camera_id, safe='')}/recording/{one.segment_id}",
            )
            for one in answer.segments
        ],
    )  # fmt: skip


@router.get(
    "/cameras/{camera_id}/recording/{segment_id}",
    summary="One recorded piece",
    response_class=Response,
    responses={200: {"content": {"video/mp4": {}}, "description": "a fragmented MP4 that plays alone"}},
)
async def show_piece(
    camera_id: str,
    segment_id: SegmentId,
    person: AnyPerson,
    parts: PartsOf,
    visitor: VisitorOf,
    *,
    purpose: Purpose = "",
) -> Response:
    """A few seconds as the edge recorded them, fetched from it now."""
    edge_id = await run_in_threadpool(
        _note, parts, person, Actor(person.id, visitor.address), camera_id, "recording_watched", purpose,
        piece=segment_id,
    )  # fmt: skip
    content = await parts.live.recordings.piece(edge_id, camera_id, segment_id)
    await run_in_threadpool(_check, parts, person, camera_id)  # a right may have ended meanwhile
    return Response(content, media_type="video/mp4", headers=NOT_STORED)


def _check(parts: Parts, person: Person, camera_id: str) -> None:
    with parts.database.read() as session:
        visible_camera(session, person, camera_id)


def _note(
    parts: Parts, person: Person, actor: Actor, camera_id: str, action: str, purpose: str, **facts: object
) -> str:
    """Check that the person may see the camera, write it down, and give its edge."""
    with parts.database.write() as session:
        camera = visible_camera(session, person, camera_id)
        record(
            session, actor, action, at=parts.clock.now(), about=("camera", camera_id),
            premises_id=camera.premises_id, purpose=purpose, **facts,
        )  # fmt: skip
        return camera.edge_id
