"""The cluster's commands as an operator types them, on one machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from kitchen_watch.cluster.configuration import ClusterFile
from kitchen_watch.cluster.starting import start_command
from kitchen_watch.errors import ConfigError
from kitchen_watch.signing import new_secret
from tests.edge.streams.media import moving_box, write_video
from tests.postgres import new_database, postgres_server
from tests.rtsp import RtspServer
from tests.support import require

PATIENCE_S = 90.0


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory with a short path: Ray puts sockets below it."""
    with tempfile.TemporaryDirectory(prefix="kw-") as name:
        yield Path(name)


def write(
    directory: Path, *, database: str = "postgresql://x", camera: str = "rtsp://192.0.2.9/s", **more: Any
) -> Path:
    values = {
        "database": database,
        "data_dir": str(directory / "data"),
        "edge": {"backend": {"url": "http://127.0.0.1:9"}},
        "groups": [
            {
                "edge_id": "edge-1",
                "secret": new_secret(),
                "cameras": [{"camera_id": "c1", "main": {"url": camera}}],
            }
        ],
        **more,
    }
    file = directory / "cluster.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    return file


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kitchen_watch", "cluster", *arguments],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.integration
@pytest.mark.cluster
def test_a_machine_is_started_looked_at_and_ended(short: Path) -> None:
    require(module="ray", why="clusters run on it: pip install 'kitchen-watch[cluster]'")
    require(module="aio_rtsp_toolkit", why="the test camera needs it: pip install 'kitchen-watch[demo]'")
    film = write_video(short / "film.mp4", moving_box(100), rate=10, gop=10)
    with postgres_server() as server, RtspServer({"kitchen": film}) as cameras:
        file = write(
            short, database=new_database(server), camera=cameras.url("kitchen"), ray={"port": free_port()}
        )
        secret = yaml.safe_load(file.read_text(encoding="utf-8"))["groups"][0]["secret"]
        log = short / "head.log"
        with log.open("wb") as output:
            head = subprocess.Popen(
                [sys.executable, "-m", "kitchen_watch", "cluster", "start", "-c", str(file), "--head",
                 "--name", "first"],
                stdout=output, stderr=output, env={**os.environ, "RAY_LOG_TO_STDERR": "0"},
            )  # fmt: skip
        try:
            status = wait_until_served(file, head, log)
            processes = psutil.Process(head.pid).children(recursive=True)
            refused = run("drain", "first", "-c", str(file))
        finally:
            head.send_signal(signal.SIGTERM)
            code = head.wait(30)
        shown = log.read_text(encoding="utf-8")
        logs = "".join(
            path.read_text(errors="replace") for path in (short / "data" / "ray").rglob("*") if path.is_file()
        )
    assert [node["name"] for node in status["nodes"]] == ["first"]
    assert status["groups"][0]["report"]["token"] == 1
    assert refused.returncode == 7
    assert "No other node could take the groups of first" in refused.stderr
    assert code == 0, shown
    _, alive = psutil.wait_procs(processes, timeout=15)
    assert not alive, "nothing of Ray is left"
    assert secret not in shown + logs


def test_a_machine_that_is_not_the_first_must_know_where_the_first_is(tmp_path: Path) -> None:
    file = ClusterFile(write(tmp_path))
    with pytest.raises(ConfigError, match="Give --join"):
        start_command(file, head=False, join=None, cores=2, name=None)
    assert "--address=192.0.2.1:6379" in start_command(
        file, head=False, join="192.0.2.1:6379", cores=2, name=None
    )


def test_a_directory_too_long_for_ray_s_sockets_is_refused_before_the_start(tmp_path: Path) -> None:
    file = ClusterFile(write(tmp_path, data_dir=f"/{'long' * 20}"))
    with pytest.raises(ConfigError, match="too long for Ray's sockets"):
        start_command(file, head=True, join=None, cores=2, name=None)


def wait_until_served(file: Path, head: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE_S
    while True:
        asked = run("status", "-c", str(file), "--json")
        if asked.returncode == 0:
            status: dict[str, Any] = json.loads(asked.stdout)
            report = status["groups"][0]["report"] if status["groups"] else None
            if report is not None and report["state"] == "serving":
                return status
        assert head.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < end, f"waited in vain: {asked.stdout}{asked.stderr}"
        time.sleep(0.5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
