"""Media that edges push for browsers that WebRTC does not reach: one push, any number of viewers.

A push is asked of an edge when the first viewer comes and closed when the last one leaves. Every
viewer has a bounded queue; who is too slow goes on with the next keyframe. Nothing is stored.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid4

import structlog
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from kitchen_watch.backend.edges.control import ControlHub
from kitchen_watch.backend.edges.sockets import close_socket
from kitchen_watch.backend.live.own_ids import NewId
from kitchen_watch.control import (
    PUSH_DELTA,
    PUSH_INIT,
    PUSH_KEY,
    PUSH_LINE,
    PUSH_PICTURE,
    LiveQuality,
    LiveVariant,
    PushHeader,
    PushRequest,
)
from kitchen_watch.errors import Conflict

MAX_MESSAGE = 4 * 1024 * 1024
GROUP_BYTES = 6 * 1024 * 1024
QUEUE_BYTES = GROUP_BYTES + MAX_MESSAGE
"""A new viewer is given a whole group at once; the next picture must still fit behind it."""
GROUP_MESSAGES = 2000
"""A minute of pictures at 30 a second: no camera goes so long without a keyframe."""
QUEUE_MESSAGES = 4000
PushKind = Literal["fmp4", "mjpeg", "tracks"]
MEDIA_TYPES: dict[str, re.Pattern[str]] = {
    "fmp4": re.compile(r'video/mp4; codecs="avc1\.[0-9A-Fa-f]{6}"'),
    "mjpeg": re.compile("image/jpeg"),
    "tracks": re.compile("application/x-ndjson"),
}
"""What may be handed on to browsers; an edge must not choose anything else, such as HTML."""
ENOUGH = 1000
REFUSED = 4003

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class PushViewer:
    """One viewer's queue of a push."""

    push: Push
    chunks: deque[bytes] = field(default_factory=deque)
    size: int = 0
    waits: bool = False
    ended: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, chunk: bytes, *, key: bool) -> None:
        """Queue a chunk, or drop what waits if this viewer is too slow."""
        if self.size + len(chunk) > QUEUE_BYTES or len(self.chunks) >= QUEUE_MESSAGES:
            self.chunks.clear()
            self.size, self.waits = 0, True
        if self.waits and not key:
            return
        self.waits = False
        self.chunks.append(chunk)
        self.size += len(chunk)
        self.woken.set()

    def end(self) -> None:
        """Nothing more will come."""
        self.ended = True
        self.chunks.clear()
        self.woken.set()

    async def media(self) -> AsyncIterator[bytes]:
        """Chunks as they come, until the push or this view ends."""
        while True:
            while self.chunks:
                chunk = self.chunks.popleft()
                self.size -= len(chunk)
                yield chunk
            if self.ended:
                return
            self.woken.clear()
            await self.woken.wait()


@dataclass(eq=False)
class Push:
    """One camera's media on its way from its edge."""

    edge_id: str
    request: PushRequest
    media_type: asyncio.Future[str]
    viewers: set[PushViewer] = field(default_factory=set)
    beginning: bytes = b""
    group: list[bytes] = field(default_factory=list)
    group_size: int = 0
    socket: WebSocket | None = None
    closed: bool = False

    def take(self, message: bytes) -> None:
        """Hand one message of the edge to every viewer."""
        kind, chunk = message[0], message[1:]
        if kind == PUSH_INIT:
            self.beginning = chunk
            return
        key = kind in {PUSH_KEY, PUSH_PICTURE, PUSH_LINE}
        if key:
            self.group, self.group_size = [], 0
        if key or self.group:
            self.group.append(chunk)
            self.group_size += len(chunk)
            if self.group_size > GROUP_BYTES or len(self.group) > GROUP_MESSAGES:
                self.group, self.group_size = [], 0
        for viewer in self.viewers:
            viewer.offer(chunk, key=key)


class Pushes:
    """All pushes to this process."""

    def __init__(self, control: ControlHub, *, timeout_s: float, new_id: NewId = uuid4) -> None:
        self._control = control
        self._timeout_s = timeout_s
        self._new_id = new_id
        self._pushes: dict[UUID, Push] = {}

    def __len__(self) -> int:
        return len(self._pushes)

    async def join(
        self,
        edge_id: str,
        camera_id: str,
        *,
        quality: LiveQuality,
        kind: PushKind,
        variant: LiveVariant = "plain",
    ) -> tuple[PushViewer, str]:
        """A viewer of the camera's media, and its media type; asks the edge to push if it does not yet.

        ``variant`` public is the one with blurred faces; nobody is ever given another one than asked for.

        Raises:
            Conflict: the edge is not connected, refuses, or does not begin in time.
        """
        push = self._find(edge_id, camera_id, quality, kind, variant) or await self._ask(
            edge_id,
            PushRequest(
                push_id=self._new_id(), camera_id=camera_id, quality=quality, kind=kind, variant=variant
            ),
        )
        viewer = PushViewer(push)
        if push.media_type.done():
            for index, chunk in enumerate(push.group):
                viewer.offer(chunk, key=index == 0)
            viewer.waits = not push.group
        push.viewers.add(viewer)
        try:
            async with asyncio.timeout(self._timeout_s):
                media_type = await asyncio.shield(push.media_type)
        except TimeoutError:
            await self.leave(viewer)
            raise Conflict(f"The edge {edge_id} did not begin to send in {self._timeout_s:.0f} s.") from None
        except BaseException:  # also one who goes away while it begins
            await self.leave(viewer)
            raise
        if push.beginning:
            viewer.chunks.appendleft(push.beginning)
        return viewer, media_type

    async def leave(self, viewer: PushViewer) -> None:
        """A viewer has gone; without any, the push is closed."""
        viewer.end()
        push = viewer.push
        push.viewers.discard(viewer)
        if not push.viewers:
            await self._close(push)

    async def serve(self, socket: WebSocket, edge_id: str, push_id: UUID) -> None:
        """Take the media of one push from its edge, until either side ends it."""
        push = self._pushes.get(push_id)
        if push is None or push.edge_id != edge_id or push.socket is not None:
            await socket.close(REFUSED)
            return
        push.socket = socket
        try:
            header = PushHeader.model_validate_json(await socket.receive_text())
            media_type = header.media_type
            if not MEDIA_TYPES[push.request.kind].fullmatch(media_type):
                raise ValueError(media_type)
            if header.variant != push.request.variant:
                raise ValueError("an edge that does not know this variant of the picture")
            while True:
                message = await socket.receive_bytes()
                if not message or len(message) > MAX_MESSAGE or message[0] > PUSH_LINE:
                    raise ValueError("no message of a push")
                push.take(message)
                if message[0] != PUSH_DELTA and not push.media_type.done() and push.group:
                    push.media_type.set_result(media_type)
        except WebSocketDisconnect:
            pass
        except (ValidationError, ValueError, KeyError) as error:
            log.warning("a push was broken off", edge=edge_id, reason=str(error)[:200])
        finally:
            await self._close(push)

    def refused(self, edge_id: str, push_id: UUID, reason: str) -> None:
        """The edge will not push. What another edge says of it is no matter."""
        push = self._pushes.get(push_id)
        if push is not None and push.edge_id == edge_id and not push.media_type.done():
            push.media_type.set_exception(Conflict(reason or "The edge sends nothing."))

    async def close(self) -> None:
        """End every push."""
        for push in list(self._pushes.values()):
            await self._close(push)

    def _find(
        self, edge_id: str, camera_id: str, quality: LiveQuality, kind: PushKind, variant: LiveVariant
    ) -> Push | None:
        for push in self._pushes.values():
            asked = push.request
            if (push.edge_id, asked.camera_id, asked.quality, asked.kind, asked.variant) == (
                edge_id, camera_id, quality, kind, variant,
            ) and not push.closed:  # fmt: skip
                return push
        return None

    async def _ask(self, edge_id: str, request: PushRequest) -> Push:
        push = Push(edge_id, request, asyncio.get_running_loop().create_future())
        push.media_type.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._pushes[request.push_id] = push
        try:
            told = await self._control.tell(edge_id, request)
        except BaseException:
            await self._close(push)
            raise
        if not told:
            await self._close(push)
            raise Conflict(f"The edge {edge_id} is not connected just now. Try again when it is.")
        return push

    async def _close(self, push: Push) -> None:
        if push.closed:
            return
        push.closed = True
        self._pushes.pop(push.request.push_id, None)
        if not push.media_type.done():
            push.media_type.set_exception(Conflict("The edge broke off."))
        for viewer in list(push.viewers):
            viewer.end()
        if push.socket is not None:
            await close_socket(push.socket, ENOUGH)
