"""A cluster of real Ray nodes, real cameras, PostgreSQL and a backend: killed, drained and paused.

One camera stays covered for the whole time: whatever happens to the machines, it is one alert. Two
others are covered again and again, so that there are always events under way.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psutil
import pytest
import yaml

from kitchen_watch.clock import SystemClock
from kitchen_watch.cluster.report import ClusterStatus
from kitchen_watch.cluster.starting import ask_control_room
from kitchen_watch.edge.ownership.schema import SCHEMA
from kitchen_watch.edge.streams.frame import Image
from kitchen_watch.errors import ConfigError
from tests.backend.support import EDGE_SECRETS, Backend, running
from tests.cluster.machines import MACHINE, Machines, machines, served
from tests.edge.streams.media import write_video
from tests.postgres import new_database, postgres_server
from tests.rtsp import RtspServer
from tests.support import require

pytestmark = [pytest.mark.integration, pytest.mark.cluster]

LEASE_S = 5.0
ELSEWHERE = timedelta(seconds=15)
LONGEST_GAP = timedelta(seconds=2)
PAUSE_S = 30.0

Told = tuple[str, str, int]
"""An event: its id, its violation, its number in the violation."""


@dataclass
class Stage:
    """A cluster that serves three cameras in two groups."""

    machines: Machines
    backend: Backend
    database: str

    def committed(self) -> list[Told]:
        """Every event that an outbox holds or held."""
        import psycopg

        with psycopg.connect(self.database) as connection:
            rows = connection.execute(
                f"SELECT event_id, violation_id, sequence FROM {SCHEMA}.outbox_events"
            ).fetchall()
        return sorted(_told(row) for row in rows)

    def delivered(self) -> list[Told]:
        """Every event that the backend has."""
        with self.backend.parts.database.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT event_id, violation_id, sequence FROM events"
            ).fetchall()
        return sorted(_told(row) for row in rows)

    def assert_nothing_is_lost_or_doubled(self) -> None:
        """Wait until outbox and backend agree, then look at what they agree on."""
        end = time.monotonic() + 30
        while True:
            delivered = self.delivered()
            if delivered == self.committed():
                break
            assert time.monotonic() < end, "what is in the outbox does not all arrive, or more arrives"
            time.sleep(0.1)
        numbers: dict[str, list[int]] = {}
        for _, violation, number in delivered:
            numbers.setdefault(violation, []).append(number)
        for violation, found in numbers.items():
            assert sorted(found) == list(range(len(found))), f"{violation}: lost or doubled"
        covered = [alert for alert in self._alerts("cam-a1") if alert["code"] == "CAM_COVERED"]
        assert len(covered) == 1, "the camera that stays covered is one alert, whoever watches it"
        assert covered[0]["ended_at"] is None
        for camera in ("cam-a2", "cam-c1"):
            still_open = [
                one for one in self._alerts(camera) if one["code"] == "CAM_COVERED" and not one["ended_at"]
            ]
            assert len(still_open) <= 1, f"{camera} is told twice at the same time"

    def _alerts(self, camera: str) -> list[dict[str, Any]]:
        answer = self.backend.logged_in("admin").get("/api/v1/alerts", params={"limit": 200})
        items: list[dict[str, Any]] = answer.json()["items"]
        return [one for one in items if one["camera"]["camera_id"] == camera]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    require(module="ray", why="clusters run on it: pip install 'kitchen-watch[cluster]'")
    require(module="aio_rtsp_toolkit", why="the test cameras need it: pip install 'kitchen-watch[demo]'")
    directory = tmp_path_factory.mktemp("cluster")
    black = write_video(directory / "black.mp4", _pictures(100, covered=100), rate=10, gop=10)
    blinking = write_video(directory / "blinking.mp4", _pictures(80, covered=40), rate=10, gop=10)
    with (
        postgres_server() as server,
        RtspServer({"black": black, "blinking": blinking}) as cameras,
        running(directory / "backend", clock=SystemClock()) as backend,
    ):
        database = new_database(server).replace("postgresql+psycopg://", "postgresql://")
        values = {
            "database": database,
            "data_dir": f"{directory}/${{{MACHINE}:-head}}",
            "lease": {"seconds": LEASE_S},
            "ray": {"node_silent_s": 3},
            "placement": {"pause_s": 3600},  # what moves here is moved by the test
            "edge": {
                "backend": {"url": backend.url},
                "rules": {"CAM_COVERED": {"held_s": 0.5, "absent_s": 1}},
                "evidence": {"before_s": 1, "after_s": 1, "store": f"file://{directory}/evidence"},
            },
            "groups": [
                _group("edge-1", {"cam-a1": cameras.url("black"), "cam-a2": cameras.url("blinking")}),
                _group("edge-2", {"cam-c1": cameras.url("blinking")}),
            ],
        }
        with machines(directory, values, names={"north": 1.0, "south": 1.0}) as found:
            found.wait_until_all_are_served(90)
            yield Stage(found, backend, database)


def test_the_cameras_of_a_killed_node_are_analysed_elsewhere_within_seconds(stage: Stage) -> None:
    stage.machines.at_least(2)
    before = stage.machines.wait_until_all_are_served()
    victim = str(stage.machines.group("edge-1").node)
    lost = {group.edge_id for group in before.groups if group.node == victim}
    stage.machines.kill(victim)
    killed_at = datetime.now(UTC)
    after = stage.machines.wait(
        lambda status: all(served(group) and group.node != victim for group in status.groups),
        why="every camera is analysed elsewhere",
    )
    for edge_id in lost:
        assert _tokens(after)[edge_id] > _tokens(before)[edge_id]
        for camera in _group_of(after, edge_id).report.cameras:
            print(f"{camera.camera_id}: analysed elsewhere after {camera.first_at - killed_at}")  # noqa: T201 - measured
            assert timedelta(0) < camera.first_at - killed_at < ELSEWHERE, camera
    stage.assert_nothing_is_lost_or_doubled()


def test_a_drained_node_gives_its_cameras_away_almost_without_a_gap(stage: Stage) -> None:
    stage.machines.at_least(2)
    before = stage.machines.wait_until_all_are_served()
    leaving = stage.machines.group("edge-1").node
    (there,) = (node for node in before.nodes if node.name == leaving)
    ask_control_room("drain", leaving, False)
    after = stage.machines.wait(
        lambda status: (
            status.moving is None and not next(node for node in status.nodes if node.name == leaving).groups
        ),
        why="the drained node is empty",
    )
    moves = [move for move in after.moves if move not in before.moves]
    assert {move.edge_id for move in moves} == set(there.groups)
    for move in moves:
        assert move.trouble is None
        assert set(move.gaps) == set(_group_of(after, move.edge_id).camera_ids)
        print(f"{move.edge_id}: gaps in seconds {dict(move.gaps)}")  # noqa: T201 - measured
        assert move.longest_gap is not None
        assert move.longest_gap < LONGEST_GAP, move
    ask_control_room("drain", leaving, True)
    stage.assert_nothing_is_lost_or_doubled()


def test_a_paused_node_that_wakes_cannot_alert_for_cameras_that_it_lost(stage: Stage) -> None:
    stage.machines.at_least(2)
    stage.machines.wait_until_all_are_served()
    sleeper = str(stage.machines.group("edge-1").node)
    tokens = _tokens(stage.machines.status())
    paused_at = time.monotonic()
    hosts = [
        psutil.Process(group.report.pid)
        for group in stage.machines.status().groups
        if group.node == sleeper and group.report is not None
    ]
    stage.machines.pause(sleeper)
    stage.machines.wait(
        lambda status: all(served(group) and group.node != sleeper for group in status.groups),
        why="every camera is analysed elsewhere",
    )
    time.sleep(max(0.0, PAUSE_S - (time.monotonic() - paused_at)))
    stage.machines.wake(sleeper)
    _, alive = psutil.wait_procs(hosts, timeout=10)
    assert not alive, "a host that lost its group ends by itself"
    assert _tokens(stage.machines.status())["edge-1"] > tokens["edge-1"]
    stage.assert_nothing_is_lost_or_doubled()


def test_a_changed_file_is_taken_over_by_the_group_it_changes_and_by_no_other(stage: Stage) -> None:
    before = stage.machines.wait_until_all_are_served()
    path = stage.machines.file.path
    as_it_was = path.read_text(encoding="utf-8")
    path.write_text(as_it_was.replace("groups:", "grups:"), encoding="utf-8")
    with pytest.raises(ConfigError, match="grups"):
        ask_control_room("reload")
    values = yaml.safe_load(as_it_was)
    values["groups"][0]["cameras"].pop()
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    assert ask_control_room("reload").changed == ("edge-1",)
    path.write_text(as_it_was, encoding="utf-8")
    fewer = stage.machines.wait(
        lambda status: len(_group_of(status, "edge-1").report.cameras) == 1, why="a camera is gone"
    )
    assert ask_control_room("reload").changed == ("edge-1",)
    after = stage.machines.wait_until_all_are_served()
    assert _group_of(fewer, "edge-1").camera_ids == ("cam-a1",)
    assert _tokens(after) == _tokens(before), "nobody was moved or started anew"
    for edge_id, camera in (("edge-1", 0), ("edge-2", 0)):
        found = [_group_of(status, edge_id).report.cameras[camera] for status in (before, after)]
        assert found[0].first_at == found[1].first_at
        assert found[1].frames_analysed > found[0].frames_analysed, "it went on meanwhile"
    stage.assert_nothing_is_lost_or_doubled()


def _group(edge_id: str, cameras: dict[str, str]) -> dict[str, Any]:
    return {
        "edge_id": edge_id,
        "secret": EDGE_SECRETS[edge_id],
        "cameras": [{"camera_id": name, "main": {"url": url}} for name, url in cameras.items()],
    }


def _group_of(status: ClusterStatus, edge_id: str) -> Any:
    return next(group for group in status.groups if group.edge_id == edge_id)


def _tokens(status: ClusterStatus) -> dict[str, int]:
    return {
        group.edge_id: group.report.token
        for group in status.groups
        if group.report is not None and group.report.token is not None
    }


def _pictures(count: int, *, covered: int) -> Iterator[Image]:
    """A kitchen's worth of texture with a sensor's noise, the first ``covered`` pictures behind a cloth."""
    chance = np.random.default_rng(3)
    texture = chance.integers(40, 215, (240, 320, 3), dtype=np.uint8)
    for number in range(count):
        noise = chance.integers(0, 9, (240, 320, 3), dtype=np.uint8)
        yield noise if number < covered else texture + noise


def _told(row: Any) -> Told:
    return str(row[0]).replace("-", ""), str(row[1]).replace("-", ""), int(row[2])
