"""A push holds little, whatever its edge sends."""

from __future__ import annotations

import asyncio
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import BaseModel
from starlette.websockets import WebSocketDisconnect, WebSocketState

from kitchen_watch.backend.edges.control import ControlHub
from kitchen_watch.backend.live.pushes import GROUP_MESSAGES, QUEUE_MESSAGES, Push, Pushes, PushViewer
from kitchen_watch.control import PUSH_DELTA, PUSH_KEY, PUSH_PICTURE, PushRequest
from kitchen_watch.errors import Conflict


async def test_a_flood_of_small_messages_is_bounded() -> None:
    request = PushRequest(push_id=uuid4(), camera_id="cam-a1", quality="sub", kind="fmp4")
    push = Push("edge-1", request, asyncio.get_running_loop().create_future())
    viewer = PushViewer(push)
    push.viewers.add(viewer)
    push.take(bytes([PUSH_KEY]) + b"k")
    for _ in range(QUEUE_MESSAGES * 2):
        push.take(bytes([PUSH_DELTA]))
        assert len(push.group) <= GROUP_MESSAGES
        assert len(viewer.chunks) <= QUEUE_MESSAGES
    push.take(bytes([PUSH_KEY]) + b"k")
    assert push.group == [b"k"]
    assert list(viewer.chunks) == [b"k"]


class Edge:
    """An edge as the backend hears it: what it was asked for, and a push of one JPEG under ``header``."""

    application_state = WebSocketState.CONNECTED

    def __init__(self, header: str) -> None:
        self.asked: list[PushRequest] = []
        self._header = header
        self._messages = [bytes([PUSH_PICTURE]) + b"jpeg"]

    async def tell(self, _edge_id: str, message: BaseModel) -> bool:
        assert isinstance(message, PushRequest)
        self.asked.append(message)
        return True

    async def receive_text(self) -> str:
        return self._header

    async def receive_bytes(self) -> bytes:
        if not self._messages:
            await asyncio.sleep(60)
            raise WebSocketDisconnect
        return self._messages.pop()

    async def close(self, _code: int) -> None:
        self.application_state = WebSocketState.DISCONNECTED


async def joined(edge: Edge) -> tuple[PushViewer, str]:
    pushes = Pushes(cast(ControlHub, edge), timeout_s=5)
    joining = asyncio.create_task(
        pushes.join("edge-1", "cam-a1", quality="sub", kind="mjpeg", variant="public")
    )
    while not edge.asked:
        await asyncio.sleep(0)
    serving = asyncio.create_task(pushes.serve(cast(Any, edge), "edge-1", edge.asked[0].push_id))
    try:
        return await joining
    finally:
        serving.cancel()


async def test_the_public_is_given_what_the_edge_says_is_for_the_public() -> None:
    edge = Edge('{"media_type": "image/jpeg", "variant": "public"}')
    viewer, kind = await joined(edge)
    assert edge.asked[0].variant == "public"
    assert (kind, list(viewer.chunks)) == ("image/jpeg", [b"jpeg"])


@pytest.mark.parametrize(
    "header", ['{"media_type": "image/jpeg"}', '{"media_type": "image/jpeg", "variant": "plain"}']
)
async def test_an_edge_that_would_send_the_plain_picture_to_the_public_is_broken_off(header: str) -> None:
    edge = Edge(header)
    with pytest.raises(Conflict):
        await joined(edge)
    assert edge.application_state is WebSocketState.DISCONNECTED
