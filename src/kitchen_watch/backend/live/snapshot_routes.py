"""Taking a picture of what a camera shows now: marked, hashed, written down."""

from __future__ import annotations

import hashlib
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import AnyPerson, VisitorOf
from kitchen_watch.backend.edges.control import picture_in
from kitchen_watch.backend.live.routes import NOT_STORED, Purpose
from kitchen_watch.backend.live.watermark import marked
from kitchen_watch.backend.organisations.service import visible_camera
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.errors import Conflict

router = APIRouter(prefix="/api/v1", tags=["live"])


@router.post(
    "/cameras/{camera_id}/live/snapshot",
    summary="Take a picture",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "who took it and when is burnt in"}},
)
async def take_snapshot(
    camera_id: str, person: AnyPerson, parts: PartsOf, visitor: VisitorOf, *, purpose: Purpose = ""
) -> Response:
    """The picture of this moment at full size; its SHA-256 is written down and in ``x-content-sha256``."""
    now = parts.clock.now()
    viewer = f"{person.display_name} ({person.username})"

    def look() -> tuple[str, str, ZoneInfo]:
        with parts.database.read() as session:
            camera = visible_camera(session, person, camera_id)
            premises = session.get_one(PremisesRow, camera.premises_id)
            label = f"{premises.name} {camera.name or camera_id}"
            return camera.edge_id, label, ZoneInfo(premises.time_zone)

    edge_id, label, zone = await run_in_threadpool(look)
    answer = await parts.control.send_command(edge_id, camera_id=camera_id, action="snapshot")
    if not answer.accepted or answer.data is None:
        raise Conflict(answer.reason or "The edge gives no picture of this camera.")
    content = picture_in(answer)
    if content is None:
        raise Conflict("The edge sent no picture that can be read.")

    def mark_and_note() -> tuple[bytes, str]:
        picture = marked(content, viewer=viewer, camera=label, at=now, zone=zone)
        digest = hashlib.sha256(picture).hexdigest()
        with parts.database.write() as session:
            camera = visible_camera(session, person, camera_id)  # a right may have ended meanwhile
            record(
                session, Actor(person.id, visitor.address), "live_snapshot_taken", at=now,
                about=("camera", camera_id), premises_id=camera.premises_id, purpose=purpose, sha256=digest,
            )  # fmt: skip
        return picture, digest

    picture, digest = await run_in_threadpool(mark_and_note)
    headers = {**NOT_STORED, "x-content-sha256": digest}
    return Response(picture, media_type="image/jpeg", headers=headers)
