"""A real RTSP server on loopback: reading, refusals, outages and fifty reconnects."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise

import psutil
import pytest

from kitchen_watch.clock import SystemClock
from kitchen_watch.control import CameraState
from kitchen_watch.edge.main_view import MainView, MainViewSettings
from kitchen_watch.edge.streams.camera_stream import CameraStream
from kitchen_watch.edge.streams.failures import WrongPassword
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.streams.probe import probe
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.errors import StreamRefused, StreamUnreachable
from tests.edge.streams.faulty import Recorder
from tests.edge.streams.waiting import until
from tests.rtsp import RtspServer

pytestmark = pytest.mark.integration


@asynccontextmanager
async def streaming(
    url: str, *sinks: Recorder, decode: bool = True, read_timeout: float = 3
) -> AsyncIterator[CameraStream]:
    source = SourceSettings(url=url, open_timeout=3, read_timeout=read_timeout)
    stream = CameraStream(
        "cam", source, clock=SystemClock(), rate=5, fit=(160, 120), packet_sinks=sinks, decode=decode
    )
    stream.start()
    try:
        yield stream
    finally:
        await stream.stop()


async def test_frames_and_packets_of_a_camera_agree_in_time(server: RtspServer) -> None:
    sink = Recorder()
    async with streaming(server.url("cam"), sink) as stream:
        frames = []
        async for frame in stream.newest():
            frames.append(frame)
            if len(frames) == 10:
                break
        status = stream.status()
    assert frames[0].discontinuity
    assert not any(frame.discontinuity for frame in frames[1:])
    gaps = [(b.pts - a.pts) for a, b in pairwise(frames[3:])]
    assert sum(gaps) / len(gaps) == pytest.approx(0.2, abs=0.05)
    by_pts = {packet.pts: packet for packet in sink.packets}
    assert all(by_pts[frame.pts].captured_at == frame.captured_at for frame in frames)
    assert frames[0].image.shape == (120, 160, 3)
    assert frames[0].full().shape == (240, 320, 3)
    assert (status.codec, status.width, status.height) == ("h264", 320, 240)
    assert sink.packets[0].keyframe
    assert sink.infos[0].extradata
    assert status.frame_age is not None
    assert status.frame_age < timedelta(seconds=1)


async def test_h265_is_read_too(server: RtspServer) -> None:
    async with streaming(server.url("cam265")) as stream:
        frame = await asyncio.wait_for(anext(stream.newest()), 10)
        assert stream.status().codec == "hevc"
        assert frame.image.shape == (120, 160, 3)


async def test_the_main_stream_of_a_camera_catches_up_when_something_happens_on_its_sub_stream(
    server: RtspServer,
) -> None:
    clock, sink = SystemClock(), Recorder()
    main = CameraStream(
        "cam/main", SourceSettings(url=server.url("cam")), clock=clock, rate=5, fit=(160, 120),
        packet_sinks=(sink,),
    )  # fmt: skip
    main.only_on_demand()
    view = MainView(main, MainViewSettings(when="active", quiet_s=1))
    main.start()
    found: list[Frame] = []
    woken_at: float | None = None
    try:
        async with streaming(server.url("cam")) as sub:
            async for frame in sub.newest():
                recorded = len(sink.packets)
                if woken_at is None and recorded > 30:
                    assert main.status().decoded == 0, "while nothing happens it is only recorded"
                    assert main.status().state is CameraState.STREAMING
                    woken_at = clock.monotonic()
                view.notice(frame.captured_at, still=woken_at is None)
                chosen = view.instead_of(frame, after=found[-1].captured_at if found else None)
                if chosen is not None:
                    assert timedelta(0) <= frame.captured_at - chosen.captured_at <= timedelta(seconds=0.5)
                    found.append(chosen)
                if len(found) == 5:
                    break
            assert woken_at is not None
            by_time = {packet.captured_at for packet in sink.packets}
            assert all(one.captured_at in by_time for one in found), "clips and frames agree in time"
            # From its keyframe a second ago; nothing waits for the next one.
            assert main.status().decoded >= len(found)
            view.notice(frame.captured_at + timedelta(seconds=2), still=True)
            decoded, received = main.status().decoded, main.status().received
            await until(lambda: main.status().received > received + 30)
            assert main.status().decoded <= decoded + 5
    finally:
        await main.stop()


async def test_a_stream_that_is_only_recorded_gives_packets(server: RtspServer) -> None:
    sink = Recorder()
    async with streaming(server.url("cam"), sink, decode=False) as stream:
        await until(lambda: len(sink.packets) > 10)
        await until(lambda: stream.status().state is CameraState.STREAMING)
        assert stream.status().decoded == 0
    assert sink.calls == ["opened", "packets", "closed"]


def test_probe_says_what_the_camera_sends(server: RtspServer) -> None:
    result = probe(SourceSettings(url=server.url("cam")))
    assert (result.codec, result.width, result.height) == ("h264", 320, 240)
    assert result.rate == pytest.approx(25, rel=0.1)
    assert result.keyframe_interval is not None
    assert result.keyframe_interval.total_seconds() == pytest.approx(1, abs=0.1)
    assert result.first_picture.shape == (240, 320, 3)


def test_a_wrong_path_is_refused_in_words(server: RtspServer) -> None:
    with pytest.raises(StreamRefused, match="no stream at this path"):
        probe(SourceSettings(url=server.url("nowhere")))


def test_a_closed_port_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(StreamUnreachable, match=f"nothing listens at 127.0.0.1:{port}"):
            probe(SourceSettings(url=f"rtsp://127.0.0.1:{port}/x"))


def test_a_silent_server_is_given_up_after_the_open_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://user:canary77@127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(StreamUnreachable, match=r"no answer from .* within 1 s") as failure:
            probe(SourceSettings(url=url, open_timeout=1, read_timeout=1))
    assert "canary77" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None


class Answering:
    """A server that gives every request the same answer and hangs up."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://user:canary77@127.0.0.1:{self._socket.getsockname()[1]}/x"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            peer, _ = self._socket.accept()
            with peer:
                if not peer.recv(4096):
                    return
                peer.sendall(self._answer)

    def close(self) -> None:
        with socket.create_connection(self._socket.getsockname()):
            pass
        self._thread.join()
        self._socket.close()


@pytest.mark.parametrize(
    ("answer", "error", "part"),
    [
        (
            b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n",
            WrongPassword,
            "refuses this user name or password",
        ),
        (b"RTSP/1.0 403 Forbidden\r\nCSeq: 1\r\n\r\n", WrongPassword, "refuses this user name or password"),
        (b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n", StreamRefused, "no stream at this path"),
        (b"RTSP/1.0 461 Unsupported\r\nCSeq: 1\r\n\r\n", StreamRefused, "other transport"),
        (b"RTSP/1.0 503 Busy\r\nCSeq: 1\r\n\r\n", StreamUnreachable, "fault of its own"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", StreamUnreachable, "does not speak RTSP"),
        (b"", StreamUnreachable, "closes the connection or does not speak RTSP"),
    ],
)
def test_every_no_is_one_clear_sentence_without_the_password(
    answer: bytes, error: type[Exception], part: str
) -> None:
    server = Answering(answer)
    try:
        with pytest.raises(error, match=part) as refusal:
            probe(SourceSettings(url=server.url, open_timeout=3))
    finally:
        server.close()
    assert "canary77" not in repr(refusal.value) + str(refusal.getrepr(style="short").reprcrash)


async def test_after_an_outage_the_camera_is_back_within_ten_seconds(server: RtspServer) -> None:
    sink = Recorder()
    async with streaming(server.url("cam"), sink) as stream:
        frames = stream.newest()
        await asyncio.wait_for(anext(frames), 10)
        server.kill()
        await until(lambda: stream.status().state is CameraState.OFFLINE, within=5)
        since = stream.status().since
        await asyncio.sleep(5)
        assert stream.status().since == since
        received = stream.status().received
        server.restart()
        await until(lambda: stream.status().received > received, within=10)
        await asyncio.wait_for(anext(frames), 5)
        await until(lambda: stream.status().state is CameraState.STREAMING)
    assert sink.calls == ["opened", "packets", "closed", "opened", "packets", "closed"]


@pytest.mark.thorough  # twenty seconds
async def test_fifty_reconnects_leave_no_threads_files_or_memory_behind(server: RtspServer) -> None:
    process = psutil.Process()

    async with streaming(server.url("cam")) as stream:

        async def reconnect() -> None:
            before = stream.status()
            stream.reconnect()
            await until(lambda: stream.status().reconnects > before.reconnects)
            decoded = stream.status().decoded
            await until(lambda: stream.status().decoded > decoded + 1)

        await until(lambda: stream.status().decoded > 0)
        for _ in range(8):  # pools and caches fill
            await reconnect()
        gc.collect()
        threads, files, memory = threading.active_count(), process.num_fds(), process.memory_info().rss
        native = process.num_threads()
        for _ in range(50):
            await reconnect()
        gc.collect()
        assert stream.status().reconnects >= 58
        await until(lambda: threading.active_count() <= threads, within=3)
        await until(lambda: process.num_fds() <= files + 1, within=3)
        await until(lambda: process.num_threads() <= native + 1, within=3)
        assert process.memory_info().rss - memory < 30 * 2**20
    assert not [t for t in threading.enumerate() if t.name == "stream-cam"]
    assert os.getpid() == process.pid
