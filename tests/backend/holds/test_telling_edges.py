"""The backend and a real edge's connection: what is held here is held there, and told back."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from kitchen_watch.clock import SystemClock
from kitchen_watch.control import CameraCommand, ConfigurationOffer, Heartbeat, HeldSpans, Hello, HoldReport
from kitchen_watch.edge.control_client import ControlClient
from kitchen_watch.edge.evidence.holds import Holds
from tests.backend.retention.nights import QUIET
from tests.backend.stories import deliver, opening
from tests.backend.support import EDGE_SECRETS, NOON, Backend, running


class Edge:
    """An edge that only holds; the connection and the holds are the real ones."""

    def __init__(self, directory: Path) -> None:
        self.holds = Holds(directory)
        self.told: list[HeldSpans] = []

    def hello(self) -> Hello:
        return Hello(edge_id="edge-1", software_version="0.2.0")

    async def heartbeat(self) -> Heartbeat:
        return Heartbeat(sent_at=datetime.now(UTC))

    async def apply(self, offer: ConfigurationOffer) -> None: ...

    async def command(self, command: CameraCommand) -> str | None: ...

    async def hold(self, told: HeldSpans) -> HoldReport:
        self.told.append(told)
        self.holds.replace(told, offset=None)
        return HoldReport(version=told.version, segments=3, size_bytes=300, packages=1)


@contextmanager
def connected(backend: Backend, edge: Edge) -> Iterator[None]:
    client = ControlClient(
        edge, edge_id="edge-1", backend_url=backend.url, secret=SecretStr(EDGE_SECRETS["edge-1"]),
        clock=SystemClock(),
    )  # fmt: skip
    client.holds = edge
    stop = threading.Event()

    async def run() -> None:
        task = asyncio.create_task(client.run())
        while not stop.is_set():
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        until(lambda: backend.parts.control.is_connected("edge-1"))
        yield
    finally:
        stop.set()
        thread.join(10)


def until(holds: Callable[[], Any]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.integration
def test_a_hold_reaches_its_edge_at_once_and_its_lifting_too(tmp_path: Path) -> None:
    with running(tmp_path / "backend", **QUIET) as backend:
        deliver(backend, opening("cam-a1"))
        edge, browser = Edge(tmp_path / "edge"), backend.logged_in("supervisor")
        with connected(backend, edge):
            body: dict[str, Any] = {
                "kind": "premises",
                "premises_id": browser.get("/api/v1/alerts/1").json()["premises"]["id"],
                "since_at": (NOON - timedelta(hours=1)).isoformat(),
                "until_at": NOON.isoformat(),
                "reason": "投诉调查",
            }
            hold = browser.post("/api/v1/holds", json=body).json()
            until(lambda: edge.told)
            assert {span.camera_id for span in edge.told[-1].spans} == {"cam-a1", "cam-a2"}
            assert edge.holds.keeps("cam-a1", NOON, NOON)
            assert not edge.holds.keeps("cam-b1", NOON, NOON)
            until(lambda: held_at_edges(browser))
            (said,) = held_at_edges(browser)
            assert (said["edge_id"], said["current"], said["segments"]) == ("edge-1", True, 3)
            browser.post("/api/v1/holds", json={"kind": "alert", "alert_id": 1, "reason": "取证"})
            until(lambda: edge.told[-1].violations)
            browser.post(f"/api/v1/holds/{hold['id']}/lift", json={"reason": "已结"})
            until(lambda: len(edge.told[-1].spans) == 1)
        again = Edge(tmp_path / "edge")
        with connected(backend, again):
            until(lambda: again.told)
            assert again.told[0] == edge.told[-1]


def held_at_edges(browser: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = browser.get("/api/v1/holds/edges").json()
    return items
