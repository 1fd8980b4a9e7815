"""The power goes again and again in the middle of a violation: nothing is lost, nothing is doubled."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from kitchen_watch.clock import SystemClock
from tests.backend.support import EDGE_SECRETS, Backend, running
from tests.edge.streams.media import write_video
from tests.integration.edge_process import EdgeProcess, wait_for
from tests.rtsp import RtspServer
from tests.support import require

CUTS = 10


@pytest.fixture
def black_film(tmp_path: Path) -> Path:
    """A lens with a cloth over it: black, with a sensor's noise."""
    noise = np.random.default_rng(3)
    pictures = (noise.integers(0, 9, (240, 320, 3), dtype=np.uint8) for _ in range(100))
    return write_video(tmp_path / "black.mp4", pictures, rate=10, gop=10)


def _delivered(backend: Backend) -> list[tuple[str, str, int]]:
    with backend.parts.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT event_id, violation_id, sequence FROM events").fetchall()
    return sorted((str(row[0]).replace("-", ""), str(row[1]).replace("-", ""), int(row[2])) for row in rows)


def _committed(data_dir: Path) -> list[tuple[str, str, int]]:
    with closing(sqlite3.connect(data_dir / "outbox.sqlite3")) as outbox:
        rows = outbox.execute("SELECT event_id, violation_id, sequence FROM events").fetchall()
    return sorted((row[0].replace("-", ""), row[1].replace("-", ""), row[2]) for row in rows)


@pytest.mark.integration
@pytest.mark.thorough  # half a minute
def test_an_open_violation_survives_ten_power_cuts_as_the_same_alert(
    tmp_path: Path, black_film: Path
) -> None:
    require(module="aio_rtsp_toolkit", why="the test camera needs it: pip install 'kitchen-watch[demo]'")
    chance = random.Random(11)
    with (
        RtspServer({"kitchen": black_film}) as camera,
        running(tmp_path / "backend", clock=SystemClock()) as backend,
    ):
        edge = EdgeProcess(
            tmp_path,
            backend_url=backend.url,
            secret=EDGE_SECRETS["edge-1"],
            cameras={"cam-a1": camera.url("kitchen")},
            rules={"CAM_COVERED": {"held_s": 0.5}},
        )
        regulator = backend.logged_in("admin")
        for _ in range(CUTS):
            edge.start()
            wait_for(lambda: (edge.status() or {}).get("outbox"), why=f"the edge is up\n{edge.tail()}")
            if not _committed(edge.data_dir):
                wait_for(lambda: _committed(edge.data_dir), why=f"the cloth is seen\n{edge.tail()}")
            time.sleep(chance.uniform(0, 1.2))  # the moment of the cut is the point of this test
            edge.kill()
        edge.start()
        wait_for(
            lambda: _committed(edge.data_dir) == _delivered(backend) or None,
            why=f"everything committed is delivered\n{edge.tail()}",
        )
        edge.stop()
        assert _committed(edge.data_dir) == _delivered(backend)
        alerts = regulator.get("/api/v1/alerts", params={"limit": 50}).json()["items"]
    covered = [alert for alert in alerts if alert["code"] == "CAM_COVERED"]
    assert len(covered) == 1, alerts
    committed = _committed(edge.data_dir)
    assert len({violation for _, violation, _ in committed}) == 1, "the violation went on as the same one"
    assert sorted(sequence for _, _, sequence in committed) == list(range(len(committed)))
