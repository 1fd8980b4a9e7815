"""A real camera that floods, beside an ordinary one: the ordinary one does not notice."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from kitchen_watch.clock import SystemClock
from kitchen_watch.control import CameraState
from kitchen_watch.edge.detect.scheduler import FairScheduler
from kitchen_watch.edge.streams.camera_stream import CameraStream
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.streams.source import SourceSettings
from tests.edge.streams.media import moving_box, write_video
from tests.edge.streams.waiting import until
from tests.rtsp import RtspServer
from tests.support import require

SECONDS = 4


@pytest.mark.integration
async def test_a_camera_of_4k_at_60_pictures_hurts_only_itself(tmp_path: Path) -> None:
    require(module="aio_rtsp_toolkit", why="the test cameras need it: pip install 'kitchen-watch[demo]'")
    flood = write_video(tmp_path / "flood.mp4", moving_box(24, (3840, 2160)), rate=60, gop=12)
    ordinary = write_video(tmp_path / "ordinary.mp4", moving_box(100), rate=10, gop=10)
    clock, looked = SystemClock(), Counter[str]()

    async def model(frame: Frame) -> None:
        await asyncio.sleep(0.05)
        looked[frame.stream_id] += 1

    scheduler = FairScheduler[Frame, None](model, parallel=1)

    async def watch(stream: CameraStream) -> None:
        async for frame in stream.newest():
            await scheduler.submit(frame.stream_id, frame)

    with RtspServer({"flood": flood, "ordinary": ordinary}) as server:
        streams = [
            CameraStream(name, SourceSettings(url=server.url(name)), clock=clock, rate=rate, fit=(640, 384))
            for name, rate in (("flood", 30.0), ("ordinary", 5.0))
        ]
        for stream in streams:
            stream.start()
        tasks = [asyncio.create_task(watch(stream)) for stream in streams]
        await until(
            lambda: all(stream.status().state is CameraState.STREAMING for stream in streams), within=30
        )
        before = streams[1].status()
        looked.clear()
        await asyncio.sleep(SECONDS)
        flooding, after = (stream.status() for stream in streams)
        judged = looked["ordinary"]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in streams:
            await stream.stop()
    due = after.offered + after.dropped - before.offered - before.dropped
    assert due >= 2 * SECONDS, "its pictures come"
    assert judged >= 0.8 * due, "and are looked at, as many as before"
    assert after.state is CameraState.STREAMING
    assert flooding.width == 3840
    assert 0 < looked["flood"] <= 20 * SECONDS - judged, "what is left over is its own"
