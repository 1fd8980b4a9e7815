"""A camera's stream against a source that misbehaves on command, in simulated time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.control import CameraState
from kitchen_watch.edge.streams.camera_stream import HANGING_LIMIT, CameraStream
from kitchen_watch.edge.streams.failures import WrongPassword
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.errors import StreamEnded, StreamRefused, StreamStalled, StreamUnreachable
from tests.edge.streams.faulty import FaultyCamera, FaultyConnection, Recorder
from tests.edge.streams.waiting import let_pass, until

AWAY = StreamUnreachable("rtsp://cam/1: nothing listens at cam:554. Check address and port.")


class Scene:
    """One stream with its clock, faulty camera and recording sink."""

    def __init__(self, camera: FaultyCamera, *, decode: bool = True, rate: float = 5) -> None:
        self.clock = ManualClock()
        self.camera = camera
        self.sink = Recorder()
        source = SourceSettings(url="rtsp://user:canary77@cam/1", open_timeout=5, read_timeout=10)
        self.stream = CameraStream(
            "cam1",
            source,
            clock=self.clock,
            rate=rate,
            fit=(32, 32),
            packet_sinks=(self.sink,),
            decode=decode,
            open_video=camera,
        )

    @property
    def state(self) -> CameraState:
        return self.stream.status().state

    async def reaches(self, state: CameraState) -> None:
        await self.when(lambda: self.state is state, f"{state} (is {self.stream.status()})")

    async def when(self, happened: Callable[[], bool], what: str = "") -> None:
        """Let simulated time pass until it happened."""
        for _ in range(2000):
            if happened():
                return
            await let_pass(self.clock, 0.1, step=0.1)
        raise AssertionError(what)


@asynccontextmanager
async def scene(
    *plan: FaultyConnection | StreamUnreachable | StreamRefused, decode: bool = True, rate: float = 5
) -> AsyncIterator[Scene]:
    """A running stream; at the end the hanging connections are let go and everything is stopped."""
    made = Scene(FaultyCamera(list(plan)), decode=decode, rate=rate)
    made.stream.start()
    try:
        yield made
    finally:
        for connection in made.camera.opened:
            connection.fail(StreamEnded("the test is over"))
        await made.stream.stop()
        await until(lambda: not [t for t in threading.enumerate() if t.name == "stream-cam1"])


async def first(frames: AsyncIterator[object]) -> object:
    wait: Awaitable[object] = anext(frames)
    return await asyncio.wait_for(wait, 5)


async def test_frames_come_at_the_analysis_rate_and_packets_all() -> None:
    connection = FaultyConnection()
    async with scene(connection) as s:
        connection.send(*range(0, 1000, 40))
        await until(lambda: s.stream.status().decoded == 25)
        status = s.stream.status()
        assert (status.received, status.offered, status.dropped) == (25, 6, 5)
        frame = await anext(s.stream.newest())
        assert frame.stream_id == "cam1"
        assert frame.discontinuity
        assert (frame.width, frame.height) == (64, 48)
        assert frame.image.shape == (24, 32, 3)
        assert frame.full().shape == (48, 64, 3)
        assert len(s.sink.packets) == 25
        matching = next(packet for packet in s.sink.packets if packet.pts == frame.pts)
        assert matching.captured_at == frame.captured_at
        await s.reaches(CameraState.STREAMING)
        assert (s.stream.status().codec, s.stream.status().width) == ("h264", 64)


async def test_frames_without_timestamps_are_shown_too() -> None:
    connection = FaultyConnection()
    async with scene(connection, rate=1000) as s:
        frames = s.stream.newest()
        connection.send(None)
        assert (await anext(frames)).pts == 0.0
        s.clock.advance(0.04)
        connection.send(None)
        assert (await anext(frames)).pts == pytest.approx(0.04)
        s.clock.advance(0.04)
        connection.send(95_000_000)
        frame = await anext(frames)
        assert frame.pts == pytest.approx(0.08)
        assert not frame.discontinuity


async def test_a_jump_of_timestamps_marks_the_next_frame_only() -> None:
    connection = FaultyConnection()
    async with scene(connection) as s:
        frames = s.stream.newest()
        connection.send(0)
        await anext(frames)
        s.clock.advance(0.04)
        connection.send(70_000_000)
        assert (await anext(frames)).discontinuity
        s.clock.advance(0.2)
        connection.send(70_000_200)
        assert not (await anext(frames)).discontinuity
        assert s.stream.status().jumps == 1


async def test_a_stream_that_is_only_recorded_decodes_nothing() -> None:
    connection = FaultyConnection()
    async with scene(connection, decode=False) as s:
        connection.send(0, 40, 80)
        await s.reaches(CameraState.STREAMING)
        status = s.stream.status()
        assert (status.received, status.decoded, status.offered) == (3, 0, 0)
        assert len(s.sink.packets) == 3


async def test_damaged_packets_are_counted_and_skipped() -> None:
    connection = FaultyConnection()
    async with scene(connection) as s:
        connection.send(0)
        for _ in range(3):
            connection.send_damaged()
        connection.send(200)
        await until(lambda: s.stream.status().decoded == 2)
        assert s.stream.status().corrupt == 3


async def test_an_absent_camera_is_tried_again_with_growing_pauses() -> None:
    connection = FaultyConnection()
    async with scene(*[AWAY] * 6, connection) as s:
        began = s.clock.monotonic()
        await s.reaches(CameraState.OFFLINE)
        since = s.stream.status().since
        assert "nothing listens" in (s.stream.status().reason or "")
        await s.when(lambda: s.camera.attempts == 7)
        assert 8 < s.clock.monotonic() - began < 35
        assert s.state is CameraState.OFFLINE
        assert s.stream.status().since == since
        connection.send(0)
        await s.reaches(CameraState.STREAMING)
        assert s.stream.status().reason is None
        assert s.stream.status().since > since


async def test_a_wrong_password_is_tried_rarely() -> None:
    async with scene(WrongPassword("rtsp://cam/1: refused."), FaultyConnection()) as s:
        await s.reaches(CameraState.OFFLINE)
        await let_pass(s.clock, 29)
        assert s.camera.attempts == 1
        await s.when(lambda: s.camera.attempts == 2)


async def test_a_lost_connection_is_opened_again_and_marks_the_gap() -> None:
    one, two = FaultyConnection(), FaultyConnection()
    async with scene(one, two) as s:
        frames = s.stream.newest()
        one.send(0)
        await anext(frames)
        one.fail(AWAY)
        await s.reaches(CameraState.OFFLINE)
        assert one.closed
        two.send(5_000)
        await s.when(lambda: s.camera.attempts == 2)
        frame = await anext(frames)
        assert frame.discontinuity
        assert frame.pts == 0.0
        await s.reaches(CameraState.STREAMING)
        assert s.stream.status().reconnects == 1
        assert s.sink.calls == ["opened", "packets", "closed", "opened", "packets"]


async def test_a_silent_camera_is_stalled_and_its_reader_replaced_without_waiting_for_it() -> None:
    hanging, fresh = FaultyConnection(), FaultyConnection()
    async with scene(hanging, fresh) as s:
        hanging.send(0)
        await s.reaches(CameraState.STREAMING)
        await s.reaches(CameraState.STALLED)
        assert "has sent nothing for 1" in (s.stream.status().reason or "")
        assert "canary77" not in (s.stream.status().reason or "")
        await s.when(lambda: s.camera.attempts == 2)
        fresh.send(0)
        await s.reaches(CameraState.STREAMING)
        received = s.stream.status().received
        hanging.send(40, 80)  # the old reader wakes up: nobody listens to it any more
        await until(lambda: hanging.closed)
        assert s.stream.status().received == received
        assert s.sink.calls == ["opened", "packets", "closed", "opened", "packets"]


async def test_timestamps_that_stand_still_are_a_stall_although_packets_come() -> None:
    stuck = FaultyConnection()
    async with scene(stuck, FaultyConnection()) as s:
        for _ in range(200):
            stuck.send(1000)
            await let_pass(s.clock, 0.1, step=0.1)
            if s.state is CameraState.STALLED:
                break
        assert "stood still" in (s.stream.status().reason or "")


async def test_readers_that_hang_for_ever_do_not_pile_up() -> None:
    plan = [FaultyConnection() for _ in range(HANGING_LIMIT + 3)]
    async with scene(*plan) as s:
        await let_pass(s.clock, 150)
        assert s.camera.attempts == HANGING_LIMIT
        plan[0].fail(AWAY)
        await s.when(lambda: s.camera.attempts == HANGING_LIMIT + 1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_sink_that_breaks_its_promise_costs_a_reconnect_and_not_the_camera() -> None:
    one, two = FaultyConnection(), FaultyConnection()
    async with scene(one, two) as s:
        s.sink.break_next = True
        one.send(0)
        await s.reaches(CameraState.STALLED)
        assert "fault of this program" in (s.stream.status().reason or "")
        await s.when(lambda: s.camera.attempts == 2)
        two.send(0)
        await s.reaches(CameraState.STREAMING)


async def test_a_reconnect_can_be_asked_for_at_any_time() -> None:
    one, two = FaultyConnection(), FaultyConnection()
    async with scene(one, AWAY, two) as s:
        one.send(0)
        await s.reaches(CameraState.STREAMING)
        s.stream.reconnect()
        await s.reaches(CameraState.OFFLINE)
        s.stream.reconnect()  # not waiting for the pause to end
        await until(lambda: s.camera.attempts == 3)


async def test_a_file_that_ends_ends_the_frames() -> None:
    connection = FaultyConnection()
    async with scene(connection) as s:
        connection.send(0)
        connection.fail(StreamEnded("clip.mp4: the file came to its end."))
        assert [frame.pts async for frame in s.stream.newest()] == [0.0]
        assert s.state is CameraState.ENDED
        assert s.sink.calls == ["opened", "packets", "closed"]


async def test_stopping_ends_frames_and_sinks_also_while_the_reader_hangs() -> None:
    connection = FaultyConnection()
    made = Scene(FaultyCamera([connection]))
    made.stream.start()
    connection.send(0)
    await until(lambda: made.stream.status().decoded == 1)
    stopping = asyncio.ensure_future(made.stream.stop())
    assert [frame.pts async for frame in made.stream.newest()] == [0.0]
    await asyncio.wait_for(stopping, 5)
    assert made.sink.calls == ["opened", "packets", "closed"]
    connection.fail(StreamStalled("let go"))
    await until(lambda: connection.closed)


async def test_the_age_of_the_newest_picture_is_shown() -> None:
    connection = FaultyConnection()
    async with scene(connection) as s:
        assert s.stream.status().frame_age is None
        connection.send(0)
        await until(lambda: s.stream.status().received == 1)
        s.clock.advance(3)
        assert s.stream.status().frame_age == timedelta(seconds=3)


async def test_a_packet_that_a_server_sends_twice_is_taken_once() -> None:
    connection = FaultyConnection()
    async with scene(connection) as s:
        connection.send(0, 200, 200, 400)
        await until(lambda: s.stream.status().decoded == 3)
        assert [packet.pts for packet in s.sink.packets] == [0.0, 0.2, 0.4]
        assert s.stream.status().received == 3


async def test_a_camera_that_waits_for_its_turn_is_received_and_not_decoded() -> None:
    connection = FaultyConnection()
    async with scene(connection) as s:
        connection.send(*range(0, 1000, 40))
        await until(lambda: s.stream.status().decoded == 25)
        s.stream.attend(False)
        await s.reaches(CameraState.STREAMING)
        connection.send(*range(1000, 3000, 40))
        await until(lambda: s.stream.status().received == 75)
        assert s.stream.status().decoded == 25
        assert len(s.sink.packets) == 75, "clips, recordings and live view go on"
        s.stream.attend(True)
        connection.send(*range(3000, 3400, 40))
        # The ten, and what waited since the last keyframe before them.
        await until(lambda: s.stream.status().decoded == 36)
        frame = await anext(s.stream.newest())
        assert frame.discontinuity, "what the tracker knew is over"


async def test_nobody_misses_pictures_of_a_camera_that_waits() -> None:
    connection = FaultyConnection()
    async with scene(connection) as s:
        connection.send(0)
        await s.reaches(CameraState.STREAMING)
        s.stream.attend(False)
        for second in range(1, 90):
            connection.send(1000 * second)
            await let_pass(s.clock, 1, step=1)
        s.stream.attend(True)
        await let_pass(s.clock, 2)
        assert s.state is CameraState.STREAMING
        assert s.camera.attempts == 1


def _received(stream: CameraStream, packets: int) -> bool:
    return stream.status().received == packets


async def test_a_camera_whose_clock_jumps_at_every_picture_asks_for_no_more_than_others() -> None:
    connection = FaultyConnection()
    async with scene(connection) as s:
        sent = 0
        for _ in range(40):
            for jump in (0, 50_000):
                connection.send(jump + sent * 40)
                sent += 1
            await until(partial(_received, s.stream, sent))
            await let_pass(s.clock, 0.05, step=0.05)
        status = s.stream.status()
        assert status.jumps > 60
        assert status.offered <= 25, "of 80 pictures in two seconds, at a rate of five"
        assert status.offered + status.dropped > 60, "and it is seen in the counters"
