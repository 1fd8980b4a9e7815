"""Edge and viewer each behind a NAT: a real coturn carries the pictures, for minted credentials only."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from kitchen_watch.backend.live.ice import ice_servers
from kitchen_watch.backend.live.settings import LiveSettings
from kitchen_watch.control import IceServer
from tests.live.nat import HOMES, TURN_ADDRESS, TURN_PORT, Network, coturn, two_homes
from tests.live.nat_peer import CHROMIUM
from tests.support import REPOSITORY, require

pytestmark = pytest.mark.nat
SECRET = "a secret that only the service and coturn know"
TURN = f"turn:{TURN_ADDRESS}:{TURN_PORT}?transport=udp"


@dataclass(frozen=True)
class World:
    network: Network
    turn_log: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with two_homes() as network, coturn(network, SECRET, tmp_path_factory.mktemp("turn")) as log:
        yield World(network, log)


class Peer:
    """A process in one home."""

    def __init__(
        self, network: Network, place: str, role: str, servers: tuple[IceServer, ...], limit_s: float
    ) -> None:
        self._process = subprocess.Popen(
            [*network.inside(place), sys.executable, "-m", "tests.live.nat_peer", role],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        self.say(ice=[one.model_dump(mode="json") for one in servers], limit_s=limit_s)

    def say(self, **message: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        heard: dict[str, Any] = json.loads(self._process.stdout.readline())
        return heard

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def minted(secret: str = SECRET, *, valid: timedelta = timedelta(hours=1)) -> tuple[IceServer, ...]:
    """As the backend mints them for one view."""
    settings = LiveSettings(turn_urls=(TURN,), turn_secret=SecretStr(secret), turn_lifetime=abs(valid))
    now = datetime.now(UTC)
    return ice_servers(settings, viewer="view-1", now=now if valid > timedelta(0) else now + 2 * valid)


def watched(world: World, servers: tuple[IceServer, ...], *, limit_s: float = 30) -> dict[str, Any]:
    """What Chromium in one home saw of a camera in the other."""
    require(module="playwright", why="a real browser watches")
    require(path=Path(CHROMIUM), why="a real browser watches (apt-get install chromium)")
    edge = Peer(world.network, "edge", "edge", servers, limit_s)
    viewer = Peer(world.network, "viewer", "chromium", servers, limit_s)
    try:
        edge.say(sdp=viewer.hear()["sdp"])
        viewer.say(sdp=edge.hear()["sdp"])
        return viewer.hear()
    finally:
        viewer.end()
        edge.end()


def test_the_homes_reach_the_world_and_not_each_other(world: World) -> None:
    for place, other in (("edge", "viewer"), ("viewer", "edge")):
        assert world.network.reaches(place, TURN_ADDRESS, TURN_PORT)
        with world.network.answering(other, 9999):
            home, public = f"{HOMES[other][0]}.2", HOMES[other][1]
            assert world.network.reaches(other, home, 9999)
            assert not world.network.reaches(place, home, 9999)
            assert not world.network.reaches(place, public, 9999)


def test_chromium_is_given_pictures_through_the_relay(world: World) -> None:
    seen = watched(world, minted())
    assert seen["frames"] >= 10, seen
    assert seen["size"] == "320x192"
    assert "relay" in seen["kinds"]
    (user, *_) = [one.username for one in minted() if one.username]
    assert user.endswith(":view-1")
    assert re.search(r"ALLOCATE processed, success", world.turn_log.read_text())


@pytest.mark.parametrize("why", ["another secret", "expired", "none"])
def test_without_good_credentials_nothing_comes_through(world: World, why: str) -> None:
    servers = {
        "another secret": minted("guessed by somebody"),
        "expired": minted(valid=-timedelta(hours=1)),
        "none": (),
    }[why]
    seen = watched(world, servers, limit_s=12)
    assert seen["frames"] == 0
    assert seen["kinds"] == []
