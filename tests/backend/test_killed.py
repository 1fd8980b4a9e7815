"""The backend is killed (SIGKILL) again and again while events come in: each is taken exactly once."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import socket
import ssl
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from kitchen_watch.backend.alerts.tables import AlertRow, FeedEntryRow
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.backend.ingest.tables import EventRow
from kitchen_watch.backend.serving import bind, server_for
from kitchen_watch.clock import ManualClock
from kitchen_watch.events import Event, EventBatchResult, EventVerdict, EvidenceKind, UploadState
from kitchen_watch.signing import sign
from tests.backend.stories import Chain, Violation, body_of, evidence_file
from tests.backend.support import EDGE_SECRETS, NOON, make_app, make_settings

KILLS = 10
LONGEST_S = 600
TAKEN = {EventVerdict.ACCEPTED, EventVerdict.DUPLICATE}

pytestmark = pytest.mark.integration


def serve(directory: Path, port: int, settings: dict[str, Any]) -> None:
    """One life of the backend, in a process of its own."""
    app = make_app(make_settings(directory, database_url=settings["database_url"]), ManualClock(NOON))
    server_for(app, app.state.parts.settings).run(sockets=[bind("127.0.0.1", port)])


class Edge:
    """Delivers until it is told that something was taken, like the outbox does."""

    def __init__(self, url: str, seed: int) -> None:
        self._client = httpx.Client(
            base_url=url, trust_env=False, timeout=5, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._chance = random.Random(seed)
        self._chain = Chain()
        self.told: list[Event] = []
        self.files: list[bytes] = []
        self.answers: Counter[EventVerdict] = Counter()

    def tell_a_story(self) -> None:
        """A violation with evidence, in three batches of which some are sent twice."""
        violation = Violation()
        content = self._chance.randbytes(2000)
        opening = violation.tell(
            evidence=self._chain.seal(
                camera_id="cam-a1",
                violation_id=violation.violation_id,
                code="NO_HAT",
                files=[evidence_file(content, EvidenceKind.CLIP)],
            )
        )
        for events in ([opening], [violation.tell(), violation.tell()], [violation.close()]):
            self.told += events
            for _ in range(self._chance.choice([1, 1, 2])):
                self._deliver(events)
        self.files.append(content)
        self._upload(content)

    def close(self) -> None:
        self._client.close()

    def _deliver(self, events: list[Event]) -> None:
        answer = self._persist("POST", "/api/v1/edge/events", body_of(events))
        for result in EventBatchResult.model_validate_json(answer.content).results:
            assert result.verdict in TAKEN, result
            self.answers[result.verdict] += 1

    def _upload(self, content: bytes) -> None:
        target = f"/api/v1/edge/evidence/{hashlib.sha256(content).hexdigest()}"
        state = UploadState.model_validate_json(self._persist("GET", target).content)
        while not state.complete:
            at = state.received_bytes
            answer = self._persist("PATCH", target, content[at : at + 700], {"upload-offset": str(at)})
            state = UploadState.model_validate_json(answer.content)

    def _persist(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        deadline = time.monotonic() + 60
        while True:
            signature = sign(
                EDGE_SECRETS["edge-1"],
                edge_id="edge-1",
                method=method,
                target=target,
                body=body,
                at=datetime.now(UTC),
            )
            try:
                answer = self._client.request(
                    method, target, content=body, headers={**signature, **(headers or {})}
                )
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the backend did not come back"
                time.sleep(0.02)
                continue
            if answer.status_code < 500:
                return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Lives:
    """The backend's process, killed and started again."""

    def __init__(self, directory: Path, port: int, url: str) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["kitchen_watch.backend.app", "tests.backend.support"])
        self._args = (directory, port, {"database_url": url})
        self._start()

    def kill_again_and_again(self, chance: random.Random) -> None:
        """Every death comes at a random moment of a life that had time to work."""
        for _ in range(KILLS):
            self._wait_until_it_listens()
            time.sleep(chance.uniform(0.05, 1.0))
            self.kill()
            self._start()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self._args[1]), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return

    def _start(self) -> None:
        self._process = self._context.Process(target=serve, args=self._args, daemon=True)
        self._process.start()


def test_ten_sudden_deaths_lose_and_double_nothing(tmp_path: Path, database_settings: dict[str, Any]) -> None:
    seed = random.randrange(2**32)
    port = free_port()
    app = make_app(make_settings(tmp_path, **database_settings), ManualClock(NOON))
    edge = Edge(f"http://127.0.0.1:{port}", seed)
    lives = Lives(tmp_path, port, app.state.parts.settings.database)
    killer = threading.Thread(target=lives.kill_again_and_again, args=[random.Random(seed)])
    killer.start()
    try:
        # How much is told between two deaths is the machine's matter; that enough is told is the test's.
        deadline = time.monotonic() + LONGEST_S
        while killer.is_alive() or len(edge.told) <= KILLS:
            assert time.monotonic() < deadline, f"only {len(edge.told)} events in {LONGEST_S} s"
            edge.tell_a_story()
        edge.tell_a_story()
    finally:
        killer.join()
        lives.kill()
        edge.close()
    told = {event.event_id for event in edge.told}
    with app.state.parts.database.read() as session:
        events = list(session.scalars(select(EventRow.event_id)))
        alerts = list(session.scalars(select(AlertRow)))
        feed = list(session.scalars(select(FeedEntryRow.id).order_by(FeedEntryRow.id)))
        incomplete = session.scalar(
            select(func.count()).select_from(EvidenceFileRow).where(EvidenceFileRow.completed_at.is_(None))
        )
    app.state.parts.database.close()
    assert len(told) > KILLS
    assert edge.answers[EventVerdict.ACCEPTED] <= len(told)
    assert Counter(events) == Counter(told), f"seed {seed}"
    assert {alert.violation_id for alert in alerts} == {event.violation_id for event in edge.told}
    assert all((alert.events_received, alert.ended_at is not None) == (4, True) for alert in alerts)
    assert feed == list(range(1, len(told) + len(edge.files) + 1)), f"seed {seed}"
    assert incomplete == 0
    store = app.state.parts.evidence
    for content in edge.files:
        assert store.path(hashlib.sha256(content).hexdigest()).read_bytes() == content
