"""Cameras come and go while the edge runs, and the others do not notice; a bad file changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kitchen_watch.clock import SystemClock
from tests.backend.support import EDGE_SECRETS, running
from tests.edge.streams.media import moving_box, write_video
from tests.integration.edge_process import EdgeProcess, wait_for
from tests.rtsp import RtspServer
from tests.support import require


def _cameras(edge: EdgeProcess) -> dict[str, dict[str, Any]]:
    status = edge.status() or {}
    return {camera["camera_id"]: camera for camera in status.get("cameras", [])}


def _streaming(edge: EdgeProcess, *names: str) -> bool:
    cameras = _cameras(edge)
    return set(cameras) == set(names) and all(cameras[name]["frames_analysed"] > 3 for name in names)


def _in_turn(edge: EdgeProcess) -> bool:
    turns = [camera["turns"] for camera in _cameras(edge).values()]
    return all(turns) and sorted(one["watched_now"] for one in turns) == [False, True]


@pytest.mark.integration
@pytest.mark.thorough  # ten to twenty seconds
def test_a_camera_is_added_and_removed_without_touching_the_other(tmp_path: Path) -> None:
    require(module="aio_rtsp_toolkit", why="the test camera needs it: pip install 'kitchen-watch[demo]'")
    film = write_video(tmp_path / "film.mp4", moving_box(100), rate=10, gop=10)
    with (
        RtspServer({"one": film, "two": film}) as camera,
        running(tmp_path / "backend", clock=SystemClock()) as backend,
    ):
        edge = EdgeProcess(
            tmp_path, backend_url=backend.url, secret=EDGE_SECRETS["edge-1"],
            cameras={"cam-a1": camera.url("one")}, rules={},
        )  # fmt: skip
        edge.start()
        wait_for(lambda: _streaming(edge, "cam-a1") or None, why=f"one camera streams\n{edge.tail()}")
        since = _cameras(edge)["cam-a1"]["since"]

        edge.values["cameras"].append({"camera_id": "cam-a2", "main": {"url": camera.url("two")}})
        edge.write()
        edge.reload()
        wait_for(lambda: _streaming(edge, "cam-a1", "cam-a2") or None, why=f"two stream\n{edge.tail()}")
        assert _cameras(edge)["cam-a1"]["since"] == since, "the first camera went on untouched"

        edge.values["turns"] = {"mode": "always", "at_once": 1, "watch_s": 5}
        edge.write()
        edge.reload()
        wait_for(lambda: _in_turn(edge) or None, why=f"one is watched and one waits\n{edge.tail()}")
        assert _cameras(edge)["cam-a1"]["since"] == since, "nor does it connect anew to wait for its turn"
        page = backend.logged_in("admin")
        wait_for(lambda: "轮巡：每" in page.get("/cameras").text or None, why="the page says so")
        del edge.values["turns"]
        edge.write()
        edge.reload()
        wait_for(
            lambda: all(not one["turns"] for one in _cameras(edge).values()) or None, why="all are watched"
        )

        good = edge.config.read_text(encoding="utf-8")
        edge.config.write_text(good.replace("cam-a2", "cam-a1"), encoding="utf-8")
        edge.reload()
        wait_for(lambda: "configuration refused" in edge.tail() or None, why="the bad file is refused")
        assert "two cameras are called cam-a1" in edge.tail()
        assert set(_cameras(edge)) == {"cam-a1", "cam-a2"}

        edge.values["cameras"].pop()
        edge.write()
        edge.reload()
        wait_for(lambda: _streaming(edge, "cam-a1") or None, why=f"one is left\n{edge.tail()}")
        assert _cameras(edge)["cam-a1"]["since"] == since
        assert edge.stop() == 0
