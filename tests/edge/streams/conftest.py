"""What the streams' integration tests share: rendered clips and running servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.streams.media import moving_box, write_video
from tests.rtsp import RtspServer
from tests.support import require


@pytest.fixture(scope="session")
def h264_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("h264") / "a.mp4", moving_box(100))


@pytest.fixture(scope="session")
def h265_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("h265") / "b.mp4", moving_box(100), codec="libx265")


@pytest.fixture
def server(h264_clip: Path, h265_clip: Path) -> Iterator[RtspServer]:
    require(module="aio_rtsp_toolkit", why="it is the RTSP server of these tests (extra demo)")
    with RtspServer({"cam": h264_clip, "cam265": h265_clip}) as running:
        yield running
