"""A push holds little, whatever its edge sends."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from kitchen_watch.backend.live.pushes import GROUP_MESSAGES, QUEUE_MESSAGES, Push, PushViewer
from kitchen_watch.control import PUSH_DELTA, PUSH_KEY, PushRequest


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
