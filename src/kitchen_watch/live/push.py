"""The fallback's way out: the edge pushes a camera's media to the backend over a WebSocket of its own.

Outbound and signed like the control connection, so no port is opened and live pictures never delay
heartbeats. One push serves all viewers of a camera; the backend closes it when the last one leaves.
A slow uplink loses pictures up to the next keyframe, never more than a queue's worth waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
import websockets
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect

from kitchen_watch.clock import Clock
from kitchen_watch.control import (
    PUSH_DELTA,
    PUSH_INIT,
    PUSH_KEY,
    PUSH_LINE,
    PUSH_PICTURE,
    LiveVariant,
    PushHeader,
    PushRequest,
)
from kitchen_watch.errors import Conflict, NotFound
from kitchen_watch.live.camera import LiveCamera
from kitchen_watch.live.fmp4 import Fragmenter
from kitchen_watch.live.relay import LivePacket, Relay, Subscription
from kitchen_watch.live.tracks import TrackFeed
from kitchen_watch.signing import sign

PUSH_PATH = "/api/v1/edge/live/"
PICTURE_EVERY = timedelta(seconds=1)
PICTURE_TYPE = "image/jpeg"
LINES_TYPE = "application/x-ndjson"
SEGMENT_TYPE = "video/mp4"
PART_BYTES = 256 * 1024
OPEN_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
FIRST_PICTURE_S = 10.0

log = structlog.get_logger(__name__)


class Pusher:
    """Opens pushes to one backend."""

    def __init__(
        self,
        *,
        edge_id: str,
        backend_url: str,
        secret: SecretStr,
        clock: Clock,
        server_offset: Callable[[], timedelta | None] = lambda: None,
        fencing_token: int | None = None,
    ) -> None:
        self._edge_id = edge_id
        parts = urlsplit(backend_url)
        self._prefix = parts.path.rstrip("/") + PUSH_PATH
        self._origin = f"{ {'http': 'ws', 'https': 'wss'}[parts.scheme] }://{parts.netloc}".replace(" ", "")
        self._secret = secret
        self._clock = clock
        self._server_offset = server_offset
        self._fencing_token = fencing_token

    async def push(self, request: PushRequest, camera: LiveCamera) -> None:
        """Push until the backend has had enough, or the camera's stream ends or changes.

        Raises:
            Conflict: the camera gives no picture, or one that cannot be pushed in this form.
        """
        send = await self._prepared(request, camera)
        target = f"{self._prefix}{request.push_id}"
        headers = sign(
            self._secret.get_secret_value(),
            edge_id=self._edge_id,
            method="GET",
            target=target,
            body=b"",
            at=self._clock.now() + (self._server_offset() or timedelta(0)),
            fencing_token=self._fencing_token,
        )
        try:
            async with connect(
                self._origin + target, additional_headers=headers, open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S, compression=None, proxy=None,
            ) as connection:  # fmt: skip
                closed = asyncio.create_task(connection.wait_closed())
                work = asyncio.ensure_future(send(connection))
                try:
                    await asyncio.wait({closed, work}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    closed.cancel()
                    work.cancel()
                    with contextlib.suppress(asyncio.CancelledError, websockets.ConnectionClosed):
                        await work
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            raise Conflict(f"The media cannot be pushed: {error or type(error).__name__}.") from error

    async def _prepared(
        self, request: PushRequest, camera: LiveCamera
    ) -> Callable[[ClientConnection], Awaitable[None]]:
        """What will be sent, with every refusal before a connection is opened."""
        if request.kind == "fmp4":
            relay = camera.relay(request.quality, request.variant)
            return lambda connection: _send_fragments(connection, relay, request.variant)
        if request.kind == "segment":
            if camera.recording is None or request.segment_id is None:
                raise NotFound(f"Camera {camera.camera_id} is not recorded.")
            content = await asyncio.to_thread(camera.recording.store.read, request.segment_id)
            return lambda connection: _send_segment(connection, content)
        if request.kind == "tracks":
            feed = camera.tracks
            if feed is None or request.variant != "plain":
                raise Conflict(f"Camera {camera.camera_id} has no tracks to show.")
            return lambda connection: _send_tracks(connection, feed)
        return lambda connection: self._send_pictures(connection, camera, request.variant)

    async def _send_pictures(
        self, connection: ClientConnection, camera: LiveCamera, variant: LiveVariant
    ) -> None:
        await connection.send(PushHeader(media_type=PICTURE_TYPE, variant=variant).model_dump_json())
        while True:
            picture = await camera.newest_picture(variant)
            if picture is not None:
                await connection.send(bytes([PUSH_PICTURE]) + picture)
            await self._clock.sleep(PICTURE_EVERY)


async def _send_fragments(connection: ClientConnection, relay: Relay, variant: LiveVariant) -> None:
    woken = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wake() -> None:
        loop.call_soon_threadsafe(woken.set)

    subscription = relay.subscribe(wake)
    fragmenter: Fragmenter | None = None
    opening: int | None = None
    try:
        while not subscription.ended:
            packet = await _next(subscription, woken, limit_s=FIRST_PICTURE_S)
            if packet is None or (opening is not None and opening != relay.openings):
                return  # players begin again, with the stream's new parameters
            if fragmenter is None:
                fragmenter, opening = Fragmenter(packet), relay.openings
                header = PushHeader(media_type=fragmenter.media_type, variant=variant)
                await connection.send(header.model_dump_json())
                await connection.send(bytes([PUSH_INIT]) + fragmenter.initialisation)
            for fragment in fragmenter.add(packet):
                kind = PUSH_KEY if fragment.keyframe else PUSH_DELTA
                await connection.send(bytes([kind]) + fragment.data)
    finally:
        subscription.close()
        if fragmenter is not None:
            fragmenter.close()


async def _send_tracks(connection: ClientConnection, feed: TrackFeed) -> None:
    await connection.send(PushHeader(media_type=LINES_TYPE).model_dump_json())
    number = -1
    while True:
        number, line = await feed.after(number)
        await connection.send(bytes([PUSH_LINE]) + line)


async def _send_segment(connection: ClientConnection, content: bytes) -> None:
    header = PushHeader(media_type=SEGMENT_TYPE, size=len(content))
    await connection.send(header.model_dump_json())
    for begin in range(0, len(content), PART_BYTES):
        await connection.send(bytes([PUSH_DELTA]) + content[begin : begin + PART_BYTES])


async def _next(subscription: Subscription, woken: asyncio.Event, *, limit_s: float) -> LivePacket | None:
    """The next packet, or ``None`` when none comes for so long or nothing more will."""
    while (packet := subscription.take()) is None:
        if subscription.ended:
            return None
        try:
            async with asyncio.timeout(limit_s):
                await woken.wait()
        except TimeoutError:
            return None
        woken.clear()
    return packet
