"""Taking a picture of what a camera shows now."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from kitchen_watch.backend.auth.callers import AnyPerson, VisitorOf
from kitchen_watch.backend.live.routes import NOT_STORED, Purpose
from kitchen_watch.backend.live.snapshots import snapshot
from kitchen_watch.backend.parts import PartsOf

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
    taken = await snapshot(parts, person, visitor, camera_id, purpose)
    headers = {**NOT_STORED, "x-content-sha256": taken.sha256}
    return Response(taken.content, media_type="image/jpeg", headers=headers)
