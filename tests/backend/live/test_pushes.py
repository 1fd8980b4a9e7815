"""A push holds little, whatever its edge sends."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import BaseModel
from starlette.websockets import WebSocketDisconnect, WebSocketState

from kitchen_watch.backend.edges.control import ControlHub
from kitchen_watch.backend.live.pushes import (
    GROUP_BYTES,
    GROUP_MESSAGES,
    MAX_MESSAGE,
    QUEUE_MESSAGES,
    Push,
    Pushes,
    PushViewer,
)
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


@pytest.mark.parametrize("ending", ["cancelled", "late"])
async def test_a_viewer_who_gives_up_before_the_first_picture_leaves_nothing_behind(ending: str) -> None:
    edge = Edge("")
    pushes = Pushes(cast(ControlHub, edge), timeout_s=60 if ending == "cancelled" else 0.02)
    joining = asyncio.create_task(pushes.join("edge-1", "cam-a1", quality="sub", kind="fmp4"))
    while not edge.asked:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(pushes) == 1
    if ending == "cancelled":
        joining.cancel()
    with pytest.raises(asyncio.CancelledError if ending == "cancelled" else Conflict):
        await joining
    assert len(pushes) == 0


async def test_another_edge_cannot_refuse_or_serve_what_it_was_not_asked_for() -> None:
    edge = Edge('{"media_type": "image/jpeg"}')
    pushes = Pushes(cast(ControlHub, edge), timeout_s=5)
    joining = asyncio.create_task(pushes.join("edge-1", "cam-a1", quality="sub", kind="mjpeg"))
    while not edge.asked:
        await asyncio.sleep(0)
    push_id = edge.asked[0].push_id
    pushes.refused("edge-2", push_id, "out of spite")
    foreign = Edge('{"media_type": "image/jpeg"}')
    await pushes.serve(cast(Any, foreign), "edge-2", push_id)
    assert foreign.application_state is WebSocketState.DISCONNECTED
    assert not joining.done()
    serving = asyncio.create_task(pushes.serve(cast(Any, edge), "edge-1", push_id))
    viewer, _ = await joining
    assert list(viewer.chunks) == [b"jpeg"]
    serving.cancel()


@pytest.mark.parametrize(
    "media_type",
    [
        "text/html", "image/jpeg, text/html", 'video/mp4; codecs="avc1.42c01f"', "image/jpegx",
        "application/x-ndjson", "image/jpeg\r\nset-cookie: kw=1",
    ],
)  # fmt: skip
async def test_an_edge_cannot_choose_what_browsers_take_its_media_for(media_type: str) -> None:
    edge = Edge(json.dumps({"media_type": media_type, "variant": "public"}))
    with pytest.raises(Conflict):
        await joined(edge)


async def test_a_new_viewer_is_given_the_whole_of_a_large_group() -> None:
    request = PushRequest(push_id=uuid4(), camera_id="cam-a1", quality="main", kind="fmp4")
    push = Push("edge-1", request, asyncio.get_running_loop().create_future())
    push.take(bytes([PUSH_KEY]) + b"k" * (GROUP_BYTES // 2))
    push.take(bytes([PUSH_DELTA]) + b"d" * (GROUP_BYTES // 2))
    viewer = PushViewer(push)
    for index, chunk in enumerate(push.group):
        viewer.offer(chunk, key=index == 0)
    viewer.offer(b"p" * (MAX_MESSAGE - 1), key=False)
    assert [chunk[:1] for chunk in viewer.chunks] == [b"k", b"d", b"p"]
