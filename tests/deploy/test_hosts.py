"""Units for systemd and the example for nginx: read by the programs' own rules, with settings that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import crossplane
import pytest

from kitchen_watch.backend.ingest.routes import router as ingest
from kitchen_watch.backend.live.own_ids import ids_of
from kitchen_watch.backend.live.routes import router as live
from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.cli import app
from tests.deploy.places import DEPLOY
from tests.support import require

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
LEAST_EXPOSED = 2.0


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_understands_a_unit_and_finds_it_well_locked_in(path: Path) -> None:
    require(program="systemd-analyze", why="it reads units as systemd does (apt-get install systemd)")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    complaints = [
        line
        for line in verified.stderr.splitlines()
        if path.stem.split("@")[0] in line and "is not executable" not in line  # it is not installed here
    ]
    assert not complaints
    name = path
    exposed = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    level = float(exposed.stdout.rsplit("service: ", 1)[1].split()[0])
    assert level <= LEAST_EXPOSED


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_command_that_exists(path: Path) -> None:
    (line,) = (
        line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("ExecStart=")
    )
    program, command, option, *_ = line.removeprefix("ExecStart=").split()
    assert program.endswith("/kitchen-watch")
    assert option == "--config"
    assert command in {
        entry.name or entry.callback.__name__ for entry in app.registered_commands if entry.callback
    }


def test_nginx_understands_the_example_and_deliveries_have_their_paths(tmp_path: Path) -> None:
    whole = tmp_path / "nginx.conf"
    example = DEPLOY / "nginx" / "kitchen-watch.conf"
    whole.write_text(f"events {{}}\nhttp {{ include {example}; }}\n", encoding="utf-8")
    parsed = crossplane.parse(str(whole))
    assert parsed["status"] == "ok", parsed["errors"]
    text = example.read_text(encoding="utf-8")
    paths = {route.path for route in ingest.routes}  # type: ignore[attr-defined]
    assert {"/api/v1/edge/events"} <= paths
    assert "^/api/v1/edge/(events|evidence)" in text


def test_nginx_sends_media_to_the_process_whose_number_it_ends_in() -> None:
    """The same rule in three places: ids, ports, and the example."""
    text = (DEPLOY / "nginx" / "kitchen-watch.conf").read_text(encoding="utf-8")
    servers = dict(re.findall(r"upstream kitchen_watch_(\d) \{ server 127\.0\.0\.1:(\d+);", text))
    rules = [
        (re.compile(pattern), name) for pattern, name in re.findall(r'"~(\^\S+)"\s+kitchen_watch_(\d);', text)
    ]
    paths = {route.path for route in live.routes}  # type: ignore[attr-defined]
    assert len(rules) == len(servers) == 4
    for number, port in servers.items():
        own = BackendSettings(port=int(port)).own_number
        assert own == int(number)
        for path in ("/api/v1/edge/live/{push_id}", "/api/v1/cameras/{camera_id}/whep/{view_id}"):
            assert path in paths
            made = path.format(push_id=ids_of(own)(), view_id=ids_of(own)(), camera_id="cam-1")
            assert [name for rule, name in rules if rule.search(made)] == [number]
