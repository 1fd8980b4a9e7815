"""A real edge: what it recorded is played through the backend, masked, also after a power cut; and what
strangers are given of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from kitchen_watch.clock import SystemClock
from tests.backend.live.edges import picture_in
from tests.backend.public.test_public import make_public, publish
from tests.backend.support import EDGE_SECRETS, running
from tests.edge.streams.media import moving_box, write_video
from tests.integration.edge_process import EdgeProcess, wait_for
from tests.live.test_masked import LEFT_HALF, check_masked, decoded
from tests.rtsp import RtspServer
from tests.support import require

RECORDING = "/api/v1/cameras/cam-a1/recording"


def pieces(browser: httpx.Client) -> list[dict[str, Any]]:
    answer = browser.get(RECORDING)
    found: list[dict[str, Any]] = answer.json()["pieces"] if answer.status_code == 200 else []
    return found


@pytest.mark.integration
@pytest.mark.thorough  # ten to twenty seconds
def test_an_edge_records_masked_survives_a_power_cut_and_shows_strangers_a_late_picture(
    tmp_path: Path,
) -> None:
    require(module="aio_rtsp_toolkit", why="the test camera needs it: pip install 'kitchen-watch[demo]'")
    film = write_video(tmp_path / "film.mp4", moving_box(200), rate=10, gop=10)
    with (
        RtspServer({"one": film}) as camera,
        running(tmp_path / "backend", clock=SystemClock()) as backend,
    ):
        page = publish(backend)
        make_public(backend, "cam-a1")
        edge = EdgeProcess(
            tmp_path, backend_url=backend.url, secret=EDGE_SECRETS["edge-1"],
            cameras={"cam-a1": camera.url("one")}, rules={},
        )  # fmt: skip
        edge.values["cameras"][0]["privacy"] = [{"zone_id": "left", "polygon": [*map(list, LEFT_HALF)]}]
        edge.write()
        edge.start()
        browser = backend.logged_in("manager_a")
        first = wait_for(lambda: pieces(browser) or None, why=f"a piece is recorded\n{edge.tail()}")[0]
        content = browser.get(first["url"]).content
        shown = list(decoded(content, "mp4"))
        assert len(shown) > 20
        for picture in shown:
            check_masked(picture)

        with browser.stream("GET", "/api/v1/cameras/cam-a1/live/tracks") as lines:
            line = json.loads(next(lines.iter_lines()))
        assert (line["tracks"], 0 <= line["age_ms"] < 5000) == ([], True)

        stranger = backend.client()
        address = f"{page}/1.jpg"
        answer = wait_for(
            lambda: got if (got := stranger.get(address)).status_code == 200 else None,
            why=f"a stranger is given a picture\n{edge.tail()}",
        )
        public = picture_in(answer.content)
        assert public.shape == (240, 320, 3)
        assert np.all(public[:, : public.shape[1] // 2 - 8] < 12)  # masked for strangers too

        edge.kill()
        edge.start()
        after = wait_for(lambda: pieces(browser) or None, why=f"it is there again\n{edge.tail()}")
        assert first in after
        assert browser.get(first["url"]).content == content
        assert edge.stop() == 0
