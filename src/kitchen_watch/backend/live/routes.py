"""Live view over HTTP: WHEP for browsers, and the fallbacks fMP4, MJPEG and the last picture.

WHEP is the WebRTC-HTTP egress protocol (draft-ietf-wish-whep): POST an offer, PATCH later ICE
candidates, DELETE to stop. Every route passes the same check as every other query about a camera.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, WebSocket
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from kitchen_watch.backend.auth.callers import AnyPerson, VisitorOf
from kitchen_watch.backend.auth.devices import verify_connection
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.edges.control import picture_in
from kitchen_watch.backend.live.ice import ice_servers
from kitchen_watch.backend.live.pushes import PushKind, PushViewer
from kitchen_watch.backend.live.schemas import IceServerView, LiveView
from kitchen_watch.backend.live.views import View
from kitchen_watch.backend.organisations.service import camera_detail, visible_camera
from kitchen_watch.backend.parts import Parts, PartsOf, parts_of
from kitchen_watch.backend.problems import from_request_error
from kitchen_watch.control import CameraState, IceServer, LiveQuality
from kitchen_watch.errors import Conflict, Fenced, InvalidRequest, NotAuthenticated, NotFound

router = APIRouter(prefix="/api/v1", tags=["live"])

SDP = "application/sdp"
TRICKLE = "application/trickle-ice-sdpfrag"
MAX_SDP = 64 * 1024
BOUNDARY = "kitchenwatch"
LINES = "application/x-ndjson"
NOT_STORED = {"cache-control": "no-store", "x-accel-buffering": "no"}

Quality = Annotated[LiveQuality, Query(description="sub: small, for walls and phones; main: full size")]
Purpose = Annotated[
    str, Query(max_length=200, description="why the camera is watched; kept in the audit log")
]


@router.get("/cameras/{camera_id}/live", summary="Whether a camera can be watched now")
async def show_live(camera_id: str, person: AnyPerson, parts: PartsOf) -> LiveView:
    """State of the camera, and ICE servers with credentials of your own that expire."""
    now = parts.clock.now()

    def look() -> LiveView:
        with parts.database.read() as session:
            camera = camera_detail(session, person, camera_id, now=now)
            connected = parts.control.reaches(session, camera.edge_id)
        servers = ice_servers(parts.live.settings, viewer=f"person-{person.id}", now=now)
        return LiveView(
            camera_id=camera_id,
            playable=connected and camera.state is CameraState.STREAMING,
            state=camera.state,
            since_at=camera.since_at,
            reason=camera.reason,
            server_time=now,
            ice_servers=[
                IceServerView(urls=list(one.urls), username=one.username, credential=one.credential)
                for one in servers
            ],
        )

    return await run_in_threadpool(look)


@router.post(
    "/cameras/{camera_id}/whep",
    summary="Watch over WebRTC: offer",
    status_code=201,
    response_class=Response,
    responses={201: {"content": {SDP: {}}, "description": "the SDP answer; Location names the view"}},
    openapi_extra={"requestBody": {"required": True, "content": {SDP: {"schema": {"type": "string"}}}}},
)
async def open_whep(
    camera_id: str,
    request: Request,
    person: AnyPerson,
    parts: PartsOf,
    visitor: VisitorOf,
    *,
    quality: Quality = "sub",
    purpose: Purpose = "",
) -> Response:
    """The camera's edge answers; media flow between it and the browser, never through this service."""
    offer = await _text(request, SDP)
    view = await parts.live.views.open(
        person, visitor.address, camera_id, kind="webrtc", quality=quality, purpose=purpose
    )
    answer = await parts.live.answer_offer(view, offer, quality=quality)
    servers = ice_servers(parts.live.settings, viewer=str(view.view_id), now=parts.clock.now())
    headers = {"location": f"/api/v1/cameras/{camera_id}/whep/{view.view_id}"}
    if links := ", ".join(_link(server) for server in servers):
        headers["link"] = links
    return Response(answer, 201, headers=headers, media_type=SDP)


@router.patch(
    "/cameras/{camera_id}/whep/{view_id}",
    summary="Watch over WebRTC: later ICE candidates",
    status_code=204,
    openapi_extra={"requestBody": {"required": True, "content": {TRICKLE: {"schema": {"type": "string"}}}}},
)
async def add_candidates(
    camera_id: str, view_id: UUID, request: Request, person: AnyPerson, parts: PartsOf
) -> None:
    """Candidates that the browser found after its offer."""
    view = parts.live.views.find(view_id, person, camera_id)
    await parts.live.add_candidates(view, await _text(request, TRICKLE))


@router.delete("/cameras/{camera_id}/whep/{view_id}", summary="Watch over WebRTC: stop")
async def close_whep(camera_id: str, view_id: UUID, person: AnyPerson, parts: PartsOf) -> None:
    """End a view of your own. One that has ended already, or was never yours, is no matter."""
    try:
        view = parts.live.views.find(view_id, person, camera_id)
    except NotFound:
        await run_in_threadpool(_check_visible, parts, person, camera_id)
        return
    await parts.live.views.end(view, "the viewer stopped")


@router.get(
    "/cameras/{camera_id}/live.mp4",
    summary="Watch as fragmented MP4",
    response_class=Response,
    responses={200: {"content": {"video/mp4": {}}, "description": "an endless fragmented MP4, H.264"}},
)
async def stream_mp4(
    camera_id: str,
    person: AnyPerson,
    parts: PartsOf,
    visitor: VisitorOf,
    *,
    quality: Quality = "sub",
    purpose: Purpose = "",
) -> Response:
    """The same packets as over WebRTC, through this service, for MSE players."""
    view = await parts.live.views.open(
        person, visitor.address, camera_id, kind="fmp4", quality=quality, purpose=purpose
    )
    viewer, media_type = await join(parts, view, quality, "fmp4")
    return _MediaResponse(viewer.media(), media_type, on_end=lambda: _gone(parts, view))


@router.get(
    "/cameras/{camera_id}/live.mjpeg",
    summary="Watch as one picture a second",
    response_class=Response,
    responses={200: {"content": {"multipart/x-mixed-replace": {}}, "description": "JPEG after JPEG"}},
)
async def stream_pictures(
    camera_id: str, person: AnyPerson, parts: PartsOf, visitor: VisitorOf, *, purpose: Purpose = ""
) -> Response:
    """For browsers and networks that nothing else gets through to."""
    view = await parts.live.views.open(
        person, visitor.address, camera_id, kind="mjpeg", quality="sub", purpose=purpose
    )
    viewer, _ = await join(parts, view, "sub", "mjpeg")
    return _MediaResponse(
        _parts_of_pictures(viewer.media()),
        f"multipart/x-mixed-replace; boundary={BOUNDARY}",
        on_end=lambda: _gone(parts, view),
    )


@router.get(
    "/cameras/{camera_id}/live/tracks",
    summary="Boxes of the present tracks",
    response_class=Response,
    responses={200: {"content": {LINES: {}}, "description": "one JSON object a line, endless"}},
)
async def stream_tracks(
    camera_id: str, person: AnyPerson, parts: PartsOf, visitor: VisitorOf, *, purpose: Purpose = ""
) -> Response:
    """For an overlay: a line for every analysed frame, with the time at which it was captured.

    ``captured_at`` is the edge's clock, ``age_ms`` how old the frame was when the line was sent,
    ``seconds`` its place on the time line of the pictures, ``tracks`` have boxes xyxy in 0..1.
    """
    view = await parts.live.views.open(
        person, visitor.address, camera_id, kind="tracks", quality="sub", purpose=purpose
    )
    viewer, _ = await join(parts, view, "sub", "tracks")
    return _MediaResponse(viewer.media(), LINES, on_end=lambda: _gone(parts, view))


@router.get(
    "/cameras/{camera_id}/live/picture",
    summary="The last picture",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "as the edge saw it last"}},
)
async def last_picture(camera_id: str, person: AnyPerson, parts: PartsOf, visitor: VisitorOf) -> Response:
    """What the camera showed last, also while it is away; privacy areas are covered. 204: nobody knows."""
    view = await parts.live.views.open(
        person, visitor.address, camera_id, kind="mjpeg", quality="sub", purpose="last picture"
    )
    try:
        answer = await parts.control.send_command(view.edge_id, camera_id=camera_id, action="snapshot")
    except Conflict:
        return Response(status_code=204)
    finally:
        await parts.live.views.end(view, "one picture")
    picture = picture_in(answer)
    if picture is None:
        return Response(status_code=204)
    return Response(picture, media_type="image/jpeg", headers=NOT_STORED)


@router.websocket("/edge/live/{push_id}")
async def receive_push(socket: WebSocket, push_id: UUID) -> None:
    """The media of one camera, pushed by its edge (see ``kitchen_watch.control.PushRequest``)."""
    parts = parts_of(socket)
    try:
        caller = await run_in_threadpool(verify_connection, socket)
    except (NotAuthenticated, Fenced) as error:
        await socket.send_denial_response(from_request_error(error))
        return
    await socket.accept()
    await parts.live.serve_push(socket, caller.edge_id, push_id)


def _check_visible(parts: Parts, person: Person, camera_id: str) -> None:
    with parts.database.read() as session:
        visible_camera(session, person, camera_id)


async def join(parts: Parts, view: View, quality: LiveQuality, kind: PushKind) -> tuple[PushViewer, str]:
    """The media of an open view, and their type; the view then ends with them.

    Raises:
        Conflict: its edge sends none. The view is then over.
    """
    try:
        viewer, media_type = await parts.live.pushes.join(
            view.edge_id, view.camera_id, quality=quality, kind=kind
        )
    except Conflict as error:
        await parts.live.views.end(view, str(error))
        raise
    except BaseException:
        parts.live.views.end_soon(view, "the viewer went away before the first picture")
        raise

    async def stop() -> None:
        await parts.live.pushes.leave(viewer)

    view.stop = stop
    return viewer, media_type


class _MediaResponse(StreamingResponse):
    """An endless answer; ``on_end`` is called however it ends, also before its first byte."""

    def __init__(self, media: AsyncIterator[bytes], media_type: str, *, on_end: Callable[[], None]) -> None:
        super().__init__(media, media_type=media_type, headers=NOT_STORED)
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._on_end()


def _gone(parts: Parts, view: View) -> None:
    parts.live.views.end_soon(view, "the viewer stopped, or the edge sends no more")


async def _parts_of_pictures(pictures: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for picture in pictures:
        head = f"--{BOUNDARY}\r\ncontent-type: image/jpeg\r\ncontent-length: {len(picture)}\r\n\r\n"
        yield head.encode() + picture + b"\r\n"


async def _text(request: Request, media_type: str) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip() != media_type:
        raise InvalidRequest(f"The body must be {media_type}.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_SDP:
            raise InvalidRequest("The body is too long.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"The body is no {media_type}.") from None


def _link(server: IceServer) -> str:
    credentials = ""
    if server.username is not None and server.credential is not None:
        credentials = (
            f'; username="{server.username}"; credential="{server.credential}"; credential-type="password"'
        )
    return ", ".join(f'<{url}>; rel="ice-server"{credentials}' for url in server.urls)
