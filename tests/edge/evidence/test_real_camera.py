"""A clip from a real RTSP server on loopback: what it holds, and that a real browser plays it."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import pytest

from kitchen_watch.clock import SystemClock
from kitchen_watch.edge.evidence.clip import PacketRing
from kitchen_watch.edge.evidence.filming import Clip, ClipMaker
from kitchen_watch.edge.evidence.movie import write_movie
from kitchen_watch.edge.evidence.package import Packages
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.snapshot import picture_at
from kitchen_watch.edge.evidence.workshop import Workshop
from kitchen_watch.edge.streams.camera_stream import CameraStream
from kitchen_watch.edge.streams.source import SourceSettings
from tests.edge.evidence.cameras import at, camera, filled, number_in, numbers_in, picture
from tests.edge.streams.media import write_video
from tests.rtsp import RtspServer
from tests.support import require

RATE = 10
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def server(tmp_path: Path) -> RtspServer:
    require(module="aio_rtsp_toolkit", why="it is the RTSP server of these tests (extra demo)")
    video = write_video(tmp_path / "cam.mp4", (picture(n) for n in range(600)), rate=RATE, gop=20)
    return RtspServer({"cam": video})


async def filmed(server: RtspServer, data_dir: Path) -> tuple[Clip, int]:
    """A clip around a frame that the analysis saw, and that frame's number."""
    clock, ring, workshop = SystemClock(), PacketRing(), Workshop()
    source = SourceSettings(url=server.url("cam"), open_timeout=timedelta(seconds=5))
    stream = CameraStream("cam", source, clock=clock, rate=5, fit=(320, 192), packet_sinks=(ring,))
    maker = ClipMaker(
        Packages(data_dir, zone=ZoneInfo("UTC"), reserve_bytes=0), workshop, mask=PrivacyMask(), clock=clock
    )
    stream.start()
    try:
        seen_frames = []
        async with asyncio.timeout(30):
            async for frame in stream.newest():
                seen_frames.append(frame)
                if len(seen_frames) == 20:
                    break
        frame = seen_frames[-1]
        decoded, shown_at = await asyncio.to_thread(picture_at, ring, frame.captured_at)
        seen = number_in(decoded)
        # Packets and frames agree about time.
        assert abs(shown_at - frame.captured_at) < timedelta(milliseconds=60)
        request = ring.cut(frame.captured_at, timedelta(seconds=2), timedelta(seconds=8))
        clip = await maker.make(request, "evidence/a")
    finally:
        await stream.stop()
        await workshop.close()
    return clip, seen


@pytest.mark.integration
@pytest.mark.thorough  # ten to twenty seconds
async def test_a_clip_of_a_real_stream_holds_the_frame_that_the_analysis_saw(
    server: RtspServer, tmp_path: Path
) -> None:
    with server:
        clip, seen = await filmed(server, tmp_path)
    (file,) = clip.package.files
    numbers = list(numbers_in(tmp_path / clip.package.folder / file.name))
    assert seen in numbers
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert seen + 75 <= numbers[-1] <= seen + 81
    assert file.ends_at is not None
    assert timedelta(seconds=9) < file.ends_at - file.starts_at < timedelta(seconds=13)


@pytest.mark.integration
@pytest.mark.browser
@pytest.mark.parametrize("hidden", [False, True], ids=["as it came", "privacy burnt in"])
async def test_a_real_browser_plays_it(hidden: bool, tmp_path: Path) -> None:
    require(module="playwright", why="the clip is played in a real browser (extra browser)")
    require(path=CHROMIUM, why="the clip is played in a real browser (apt-get install chromium)")
    from playwright.async_api import async_playwright

    mask = PrivacyMask([((0.0, 0.5), (1.0, 0.5), (1.0, 1.0))] if hidden else ())
    path = tmp_path / "clip.mp4"
    write_movie(filled(camera()).cut(at(8.0)).take(), path, mask)
    with av.open(str(path)) as container:
        assert (container.streams.video[0].codec_context.extradata or b"")[:1] == b"\x01"  # avcC
    address = "data:video/mp4;base64," + base64.b64encode(path.read_bytes()).decode()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = await browser.new_page()
        await page.set_content(f'<video muted src="{address}"></video>')
        await page.evaluate("document.querySelector('video').play()")
        await page.wait_for_function("document.querySelector('video').currentTime > 1", timeout=20_000)
        width = await page.evaluate("document.querySelector('video').videoWidth")
        length = await page.evaluate("document.querySelector('video').duration")
        await browser.close()
    assert width == 320
    assert length == pytest.approx(16.1, abs=0.15)
