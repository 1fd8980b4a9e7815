"""The fallbacks of live view and the boxes over WebSockets, for a whole wall of cameras in one page.

Over HTTP/1.1 browsers open six connections to a server, and an endless answer keeps one of them: the
seventh picture of a wall would never come, nor anything else. WebSockets are not counted among them.
What is sent, who may have it and how it ends are the same as over HTTP (see :mod:`.routes`).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from kitchen_watch.backend.auth.callers import any_person, cookie_name, newcomer, visitor_of
from kitchen_watch.backend.auth.csrf import check_origin
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.sessions import find_person
from kitchen_watch.backend.edges.sockets import close_socket, deny
from kitchen_watch.backend.live.pushes import PushKind, PushViewer
from kitchen_watch.backend.live.routes import Purpose, Quality, join
from kitchen_watch.backend.parts import Parts, parts_of
from kitchen_watch.backend.problems import from_request_error
from kitchen_watch.errors import RequestError

router = APIRouter(prefix="/api/v1", tags=["live"])

ENOUGH = 1000

Kind = Annotated[PushKind, Query(description="fmp4, mjpeg or tracks, as over HTTP")]


@router.websocket("/cameras/{camera_id}/live/socket")
async def stream(
    socket: WebSocket, camera_id: str, *, kind: Kind, quality: Quality = "sub", purpose: Purpose = ""
) -> None:
    """First a text with the media type, then binary messages: parts of an fMP4, JPEGs, or JSON lines."""
    parts = parts_of(socket)
    chosen = quality if kind == "fmp4" else "sub"
    try:
        person = await _person(socket, parts)
        view = await parts.live.views.open(
            person, visitor_of(socket).address, camera_id, kind=kind, quality=chosen, purpose=purpose
        )
        viewer, media_type = await join(parts, view, chosen, kind)
    except RequestError as error:
        await deny(socket, from_request_error(error))
        return
    try:
        await socket.accept()
        await _converse(socket, viewer, media_type)
        await close_socket(socket, ENOUGH)
    finally:
        parts.live.views.end_soon(view, "the viewer stopped, or the edge sends no more")


async def _person(socket: WebSocket, parts: Parts) -> Person:
    """Who asks. A handshake carries the cookie from any site, so where it comes from is checked.

    Raises:
        RequestError: another site, nobody who is logged in, or a one-time password.
    """
    check_origin(socket, parts.settings.public_url)
    token = socket.cookies.get(cookie_name(parts))
    person = None
    if token:
        person = await run_in_threadpool(
            find_person, parts.database, token, now=parts.clock.now(), times=parts.login.times
        )
    return await any_person(await newcomer(person))


async def _converse(socket: WebSocket, viewer: PushViewer, media_type: str) -> None:
    sending = asyncio.create_task(_send(socket, viewer, media_type))
    leaving = asyncio.create_task(_gone(socket))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send(socket: WebSocket, viewer: PushViewer, media_type: str) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the viewer goes at this very moment
        await socket.send_text(media_type)
        async for chunk in viewer.media():
            await socket.send_bytes(chunk)


async def _gone(socket: WebSocket) -> None:
    """Returns when the viewer has left; what a viewer says is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
