"""The pages of live view: one camera, and the wall of several."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from kitchen_watch.backend.auth.callers import Administrator, AnyPerson
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.live.ice import ice_servers
from kitchen_watch.backend.organisations.camera_lists import CameraSlice, camera_slice, first_streaming
from kitchen_watch.backend.organisations.schemas import CameraView
from kitchen_watch.backend.organisations.service import camera_detail, camera_list
from kitchen_watch.backend.pages.answers import FrameOf, page
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.pages.wording import PURPOSES
from kitchen_watch.backend.parts import Parts, PartsOf

router = APIRouter(include_in_schema=False)

CameraWords = Annotated[str, Query(max_length=100, description="part of an id, a name or a premises")]
SIZES = (1, 4, 9, 16)
ROTATIONS = (0, 15, 30, 60)
"""Seconds after which a wall goes on to its next cameras; 0: it stays."""
Size = Annotated[Literal["1", "4", "9", "16"], Query(alias="show")]
Rotation = Annotated[Literal["0", "15", "30", "60"], Query(alias="rotate")]


@router.get("/cameras/{camera_id}/live")
async def show_camera(camera_id: str, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """One camera, as large as the screen allows."""

    def look() -> tuple[CameraView, list[CameraView]]:
        with parts.database.read() as session:
            shown = camera_detail(session, person, camera_id, now=frame.now)
            return shown, camera_list(session, person, premises_id=shown.premises_id, now=frame.now)

    camera, own = await run_in_threadpool(look)
    return _live_page("live.html", frame, parts, camera=camera, others=own)


@router.get("/wall")
async def show_wall(
    person: AnyPerson,
    frame: FrameOf,
    parts: PartsOf,
    *,
    size: Size = "4",
    first: Annotated[int, Query(alias="from", ge=0, le=10_000_000)] = 0,
    rotate: Rotation = "0",
    words: CameraWords = "",
) -> Response:
    """Several cameras at once; on patrol it goes on to the next ones by itself."""
    count, words = int(size), words.strip()

    def look() -> CameraSlice:
        with parts.database.read() as session:
            return camera_slice(session, person, now=frame.now, first=first, limit=count, words=words)

    found = await run_in_threadpool(look)
    shown, total = found.cameras, found.total
    begin = found.first
    following = begin + count if begin + count < total else 0
    return _live_page(
        "live_wall.html",
        frame,
        parts,
        cameras=shown,
        total=total,
        size=count,
        sizes=SIZES,
        first=begin,
        words=words,
        following=following,
        previous=begin - count if begin >= count else max(0, (total - 1) // count * count),
        rotate=int(rotate),
        rotations=ROTATIONS,
    )


@router.get("/live-test")
async def show_self_test(person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """Whether live view works from here, and by which way."""
    streaming = await run_in_threadpool(_streaming, parts, person, frame)
    servers = ice_servers(parts.live.settings, viewer=f"person-{person.id}", now=frame.now)
    return _live_page(
        "live_test.html",
        frame,
        parts,
        camera=streaming,
        servers=[server.model_dump(mode="json", exclude_none=True) for server in servers],
        relays=parts.live.settings.turn_secret is not None,
    )


def _streaming(parts: Parts, person: Person, frame: Frame) -> CameraView | None:
    with parts.database.read() as session:
        return first_streaming(session, person, now=frame.now)


def _live_page(template: str, frame: Frame, parts: Parts, **content: Any) -> Response:
    person = frame.person
    asks = parts.settings.live.ask_purpose and person is not None and not person.is_premises_side
    return page(template, frame, ask_purpose=asks, purposes=tuple(PURPOSES), **content)
