"""One slot between thread and event loop: the newest frame wins, drops are counted."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

import numpy as np

from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.streams.newest import NewestSlot

IMAGE = np.zeros((2, 2, 3), np.uint8)


def frame(pts: float, *, discontinuity: bool = False) -> Frame:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return Frame("cam", pts, at, IMAGE, 2, 2, lambda: IMAGE, discontinuity)


async def test_a_consumer_that_is_late_gets_the_newest_frame_once() -> None:
    slot = NewestSlot(asyncio.get_running_loop())
    for pts in range(5):
        slot.offer(frame(pts))
    taken = await slot.take()
    assert taken is not None
    assert taken.pts == 4
    assert (slot.offered, slot.dropped) == (5, 4)
    waiting = asyncio.ensure_future(slot.take())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    slot.close()
    assert await waiting is None


async def test_a_dropped_discontinuity_is_carried_by_the_frame_that_replaces_it() -> None:
    slot = NewestSlot(asyncio.get_running_loop())
    slot.offer(frame(1, discontinuity=True))
    slot.offer(frame(2))
    taken = await slot.take()
    assert taken is not None
    assert (taken.pts, taken.discontinuity) == (2, True)


async def test_frames_from_a_thread_wake_the_consumer() -> None:
    slot = NewestSlot(asyncio.get_running_loop())
    thread = threading.Timer(0.02, slot.offer, [frame(7)])
    thread.start()
    taken = await asyncio.wait_for(slot.take(), 5)
    assert taken is not None
    assert taken.pts == 7
    thread.join()


async def test_after_closing_the_last_frame_comes_and_then_nothing() -> None:
    slot = NewestSlot(asyncio.get_running_loop())
    slot.offer(frame(1))
    slot.close()
    slot.offer(frame(2))
    taken = await slot.take()
    assert taken is not None
    assert taken.pts == 1
    assert await slot.take() is None
