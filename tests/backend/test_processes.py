"""Two backend processes of the operating system over one PostgreSQL: one service, also when one is killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from kitchen_watch.backend.deadlines.tables import AlertNoticeRow
from kitchen_watch.backend.listening import CONNECTION_NAME
from kitchen_watch.backend.serving import bind, server_for
from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.clock import SystemClock
from kitchen_watch.control import CommandAnswer, ViewerAnswer, ViewerEnded
from tests.backend.edges.test_control import connected, in_thread, status
from tests.backend.stories import Violation, deliver
from tests.backend.streams import listening
from tests.backend.support import NOON, Backend, make_app, make_settings
from tests.backend.test_killed import free_port
from tests.postgres import new_database

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

LONG_S = 60.0
"""How seldom a process looks by itself here: what comes sooner was told by the other process."""
SOON_S = 10.0
LISTENERS = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"
MINUTE = timedelta(minutes=1)
LOGINS_PER_MINUTE = 4
OFFER = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


class SharedClock(SystemClock):
    """The same wall clock for several processes: it stands, and is moved through a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return NOON + timedelta(seconds=float(self._file.read_text()))

    def move_to(self, after_noon: timedelta) -> None:
        beside = self._file.with_suffix(".new")
        beside.write_text(str(after_noon.total_seconds()))
        beside.replace(self._file)


def settings_of(directory: Path, url: str) -> BackendSettings:
    return make_settings(
        directory,
        database_url=url,
        feed_poll_s=LONG_S,
        deadline_look_s=0.02,
        logins_per_minute=LOGINS_PER_MINUTE,
    )


def serve(directory: Path, url: str, port: int) -> None:
    """One life of a process."""
    app = make_app(settings_of(directory, url), SharedClock(directory / "clock"))
    server_for(app, app.state.parts.settings).run(sockets=[bind("127.0.0.1", port)])


class Pair:
    """Two processes, and this one as a third that serves nothing and only looks into the database."""

    def __init__(self, directory: Path, url: str) -> None:
        self.clock = SharedClock(directory / "clock")
        self.clock.move_to(timedelta())
        self._args = (directory, url)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["kitchen_watch.backend.app", "tests.backend.support"])
        self._app = make_app(settings_of(directory, url), self.clock)
        self._ports = [free_port(), free_port()]
        self._processes = [self._start(port) for port in self._ports]
        self.backends = [Backend(self._app, f"http://127.0.0.1:{port}", self.clock) for port in self._ports]
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        for backend in self.backends:
            client = backend.client()
            until(lambda client=client: _ready(client))  # type: ignore[misc]

    def kill(self, number: int) -> None:
        """As ``kill -9`` does."""
        self._processes[number].kill()
        self._processes[number].join()

    def restart(self, number: int) -> None:
        self._processes[number] = self._start(self._ports[number])

    def close(self) -> None:
        for number, backend in enumerate(self.backends):
            backend.close()
            self.kill(number)
        self._app.state.parts.database.close()

    def _start(self, port: int) -> ForkServerProcess:
        process = self._context.Process(target=serve, args=(*self._args, port), daemon=True)
        process.start()
        return process


@pytest.fixture(scope="module")
def pair(seeded_postgres: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    server, template = seeded_postgres
    pair = Pair(tmp_path_factory.mktemp("pair"), new_database(server, template=template))
    yield pair
    pair.close()


def until(condition: Callable[[], Any], *, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_stream_hears_at_once_what_the_other_process_took_and_resumes_on_any(pair: Pair) -> None:
    first, second = pair.backends
    until(lambda: _listeners(pair) == 2)
    with listening(second.logged_in("regulator")) as stream:
        began = time.monotonic()
        deliver(first, Violation().tell())
        told = stream.next_alert()["feed_id"]
        assert time.monotonic() - began < SOON_S
    deliver(second, Violation().tell())  # while the browser is between two processes
    with listening(first.logged_in("regulator"), last_event_id=told) as stream:
        assert stream.next_alert()["feed_id"] == told + 1
        deliver(second, Violation().tell())
        assert stream.next_alert()["feed_id"] == told + 2


def test_a_lost_connection_to_the_database_loses_no_notice(pair: Pair) -> None:
    first, second = pair.backends
    until(lambda: _listeners(pair) == 2)
    with listening(second.logged_in("regulator")) as stream:
        with first.parts.database.write() as session:
            session.execute(text(f"SELECT pg_terminate_backend(pid) {LISTENERS}"), {"name": CONNECTION_NAME})
        began = time.monotonic()
        deliver(first, Violation().tell())  # perhaps nobody listens just now
        stream.next_alert()
        assert time.monotonic() - began < SOON_S
    until(lambda: _listeners(pair) == 2)


def test_reminder_and_supervision_come_once_though_a_process_is_killed_while_it_tells_them(
    pair: Pair,
) -> None:
    count = 40
    for backend in pair.backends:
        deliver(backend, *[Violation(tier=1, code="RODENT").tell() for _ in range(count // 2)])
    for victim, (after_noon, kind) in enumerate(((5 * MINUTE, "reminder"), (10 * MINUTE, "supervision"))):
        pair.clock.move_to(after_noon)
        until(lambda kind=kind: _issued(pair)[kind])  # type: ignore[misc]
        pair.kill(victim)
        pair.restart(victim)
        until(lambda kind=kind: len(_issued(pair)[kind]) >= count)  # type: ignore[misc]
    pair.wait_until_ready()
    time.sleep(0.2)  # ten looks of each: somebody may say something twice
    for numbers in _issued(pair).values():
        assert Counter(numbers.values()) == {1: count}
    with pair.backends[0].parts.database.read() as session:
        assert session.scalars(select(AlertNoticeRow.number).distinct()).all() == [1]


def _issued(pair: Pair) -> dict[str, Counter[int]]:
    """How often each alert was told of, by kind."""
    issued: dict[str, Counter[int]] = {"reminder": Counter(), "supervision": Counter()}
    with pair.backends[0].parts.database.read() as session:
        for kind, alert_id in session.execute(select(AlertNoticeRow.kind, AlertNoticeRow.alert_id)):
            issued[kind.value][alert_id] += 1
    return issued


def _listeners(pair: Pair) -> int:
    with pair.backends[0].parts.database.read() as session:
        return session.scalar(text(f"SELECT count(*) {LISTENERS}"), {"name": CONNECTION_NAME}) or 0


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


async def test_what_one_process_asks_reaches_an_edge_that_is_connected_to_another(pair: Pair) -> None:
    """Commands, and what belongs to a live view: asked, told, ended, and gone."""
    first, second = pair.backends
    until(lambda: _listeners(pair) == 2)
    async with connected(second) as edge:
        await edge.hello()
        live = await asyncio.to_thread(first.logged_in("admin").get, "/api/v1/cameras/cam-a1/live")
        assert live.json()["playable"] is False, "reached, but its camera was not seen yet"
        await edge.beat(status("cam-a1"))
        live = await asyncio.to_thread(first.logged_in("admin").get, "/api/v1/cameras/cam-a1/live")
        assert live.json()["playable"] is True
        asking = asyncio.create_task(
            in_thread(
                first.logged_in("admin").post,
                "/api/v1/cameras/cam-a1/commands",
                json={"action": "reconnect"},
            )
        )
        command = await edge.hear()
        assert command.camera_id == "cam-a1"
        await edge.say(CommandAnswer(command_id=command.command_id, accepted=False, reason="in the night"))
        assert (await asking).json() == {"accepted": False, "reason": "in the night", "data": None}

        offer = {"content": OFFER, "headers": {"content-type": "application/sdp"}}
        watching = asyncio.create_task(
            in_thread(first.logged_in("admin").post, "/api/v1/cameras/cam-a1/whep", **offer)
        )
        asked = await edge.hear()
        await edge.say(ViewerAnswer(view_id=asked.view_id, accepted=True, sdp="v=0\r\n"))
        answer = await watching
        assert answer.status_code == 201, answer.text
        began = time.monotonic()
        await edge.say(ViewerEnded(view_id=asked.view_id, reason="the browser went away"))
        async with asyncio.timeout(SOON_S):
            assert (await edge.hear()).type == "viewer_close", "the process that has the view ended it"
        assert time.monotonic() - began < SOON_S
    began = time.monotonic()
    answer = await in_thread(
        first.logged_in("admin").post, "/api/v1/cameras/cam-a1/commands", json={"action": "reconnect"}
    )
    assert answer.status_code == 409
    assert "not connected" in answer.json()["detail"]
    assert time.monotonic() - began < SOON_S, "nobody waits for an edge that nobody has"


def test_attempts_to_log_in_are_counted_by_all_processes_together(pair: Pair) -> None:
    first, second = pair.backends
    pair.clock.move_to(timedelta(days=1))  # a minute of its own
    wrong = {"username": "nobody", "password": "wrong wrong wrong"}
    answers = []
    for number in range(LOGINS_PER_MINUTE + 2):
        backend = (first, second)[number % 2]
        wrong["username"] = f"nobody-{number}"  # or the login itself would be locked first
        answers.append(backend.client().post("/api/v1/session", json=wrong).status_code)
    assert answers == [401] * LOGINS_PER_MINUTE + [429, 429]
    pair.clock.move_to(timedelta(days=1, minutes=2))
    assert first.client().post("/api/v1/session", json=wrong).status_code == 401
