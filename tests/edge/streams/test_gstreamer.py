"""The second, independent server: Debian's GStreamer RTSP server, live, with digest passwords."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitchen_watch.clock import SystemClock
from kitchen_watch.control import CameraState
from kitchen_watch.edge.streams.camera_stream import CameraStream
from kitchen_watch.edge.streams.failures import WrongPassword
from kitchen_watch.edge.streams.probe import probe
from kitchen_watch.edge.streams.source import SourceSettings
from tests.edge.streams.waiting import until
from tests.rtsp import ServerProcess
from tests.support import require

pytestmark = [pytest.mark.integration, pytest.mark.gstreamer]

PYTHON = Path("/usr/bin/python3")
SCRIPT = Path(__file__).with_name("gst_server.py")
WHY = "apt install gir1.2-gst-rtsp-server-1.0 python3-gst-1.0 gstreamer1.0-plugins-{ugly,bad}"
CHECK = """
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
assert Gst.ElementFactory.find("x264enc") and Gst.ElementFactory.find("x265enc")
"""


@pytest.fixture(scope="module")
def gstreamer() -> None:
    require(path=PYTHON, why=WHY)
    found = subprocess.run([str(PYTHON), "-c", CHECK], capture_output=True, check=False).returncode == 0
    require(path=PYTHON if found else Path("/usr/lib/gstreamer-rtsp-server"), why=WHY)


@pytest.fixture
def guarded(gstreamer: None) -> Iterator[ServerProcess]:
    with ServerProcess([str(PYTHON), str(SCRIPT), "viewer", "canary77"]) as server:
        yield server


@pytest.fixture
def open_server(gstreamer: None) -> Iterator[ServerProcess]:
    with ServerProcess([str(PYTHON), str(SCRIPT)]) as server:
        yield server


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(("path", "codec"), [("h264", "h264"), ("h265", "hevc")])
def test_both_codecs_over_both_transports(
    open_server: ServerProcess, path: str, codec: str, transport: str
) -> None:
    url = f"rtsp://127.0.0.1:{open_server.port}/{path}"
    result = probe(SourceSettings.model_validate({"url": url, "transport": transport}), seconds=1)
    assert (result.codec, result.width, result.height) == (codec, 320, 240)
    assert result.rate == pytest.approx(15, rel=0.2)


def test_digest_passwords(guarded: ServerProcess) -> None:
    url = f"rtsp://127.0.0.1:{guarded.port}/h264"
    with pytest.raises(WrongPassword, match="asks for a user name and password"):
        probe(SourceSettings(url=url))
    with pytest.raises(WrongPassword, match="refuses this user name or password") as refusal:
        probe(SourceSettings(url=url, username="viewer", password="wrong99"))
    assert "wrong99" not in str(refusal.value)
    right = SourceSettings(url=url.replace("://", "://viewer:canary77@"))
    assert probe(right, seconds=0.5).codec == "h264"


async def test_after_an_outage_the_camera_is_back_within_ten_seconds(open_server: ServerProcess) -> None:
    source = SourceSettings(url=f"rtsp://127.0.0.1:{open_server.port}/h264", open_timeout=3, read_timeout=3)
    stream = CameraStream("gst", source, clock=SystemClock(), rate=5, fit=(160, 120))
    stream.start()
    try:
        frames = stream.newest()
        await asyncio.wait_for(anext(frames), 10)
        open_server.kill()
        await until(lambda: stream.status().state is CameraState.OFFLINE, within=6)
        await asyncio.sleep(5)
        decoded = stream.status().decoded
        open_server.restart()
        await until(lambda: stream.status().decoded > decoded, within=10)
        assert (await asyncio.wait_for(anext(frames), 5)) is not None
    finally:
        await stream.stop()
