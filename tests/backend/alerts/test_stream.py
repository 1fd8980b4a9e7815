"""The live stream: at once, without loss, only what is in scope, and only as long as the session."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.backend.stories import Violation, deliver, opening
from tests.backend.streams import listening
from tests.backend.support import Backend, make_app, make_settings, running, serving


def test_an_alert_reaches_its_listeners_at_once(any_backend: Backend) -> None:
    with listening(any_backend.logged_in("regulator")) as stream:
        violation = Violation()
        deliver(any_backend, violation.tell())
        opened = stream.next_alert()
        deliver(any_backend, violation.close())
        closed = stream.next_alert()
    assert (opened["kind"], closed["kind"]) == ("opened", "closed")
    assert opened["alert_id"] == closed["alert_id"]
    assert (opened["code"], opened["tier"], opened["camera_id"]) == ("NO_HAT", 2, "cam-a1")


def test_a_listener_hears_only_of_the_own_scope(any_backend: Backend) -> None:
    with (
        listening(any_backend.logged_in("manager_a")) as restaurant,
        listening(any_backend.logged_in("regulator2")) as other_district,
        listening(any_backend.logged_in("supervisor")) as everything,
    ):
        deliver(any_backend, opening("cam-b1"), opening("cam-a1"))
        deliver(any_backend, opening("cam-c1", edge_id="edge-2"), edge_id="edge-2")
        assert [restaurant.next_alert()["camera_id"]] == ["cam-a1"]
        assert [other_district.next_alert()["camera_id"]] == ["cam-c1"]
        assert [everything.next_alert()["camera_id"] for _ in range(3)] == ["cam-b1", "cam-a1", "cam-c1"]


def test_a_stream_resumes_after_the_last_event_id_without_loss(any_backend: Backend) -> None:
    browser = any_backend.logged_in("regulator")
    deliver(any_backend, *(opening() for _ in range(5)))
    with listening(browser, after=0) as stream:
        seen = [stream.next_alert()["feed_id"] for _ in range(2)]
    deliver(any_backend, *(opening() for _ in range(5)))
    with listening(browser, after=0, last_event_id=seen[-1]) as stream:
        seen += [stream.next_alert()["feed_id"] for _ in range(8)]
    assert seen == list(range(1, 11))


def test_nothing_is_lost_while_many_are_delivered_and_the_listener_reconnects(any_backend: Backend) -> None:
    browser = any_backend.logged_in("supervisor")
    total = 60

    def push(edge_id: str, camera_id: str) -> None:
        for _ in range(total // 2):
            deliver(any_backend, opening(camera_id, edge_id=edge_id), edge_id=edge_id)

    threads = [
        threading.Thread(target=push, args=args) for args in [("edge-1", "cam-a1"), ("edge-2", "cam-c1")]
    ]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while len(seen) < total:
        with listening(browser, last_event_id=seen[-1] if seen else 0) as stream:
            seen += [stream.next_alert()["feed_id"] for _ in range(min(7, total - len(seen)))]
    for thread in threads:
        thread.join()
    assert seen == list(range(1, total + 1))


def test_a_catch_up_longer_than_a_batch_comes_complete(backend: Backend) -> None:
    violation = Violation()
    for _ in range(11):
        deliver(backend, *(violation.tell() for _ in range(100)))
    with listening(backend.logged_in("regulator"), after=0) as stream:
        assert [stream.next_alert()["feed_id"] for _ in range(1100)] == list(range(1, 1101))


def test_a_stream_ends_when_its_session_is_ended(backend: Backend) -> None:
    browser = backend.logged_in("manager_a")
    with listening(browser) as stream:
        assert browser.delete("/api/v1/session").status_code == 204
        event = stream.next_event()
        assert (event["event"], event["data"]) == ("goodbye", "session_ended")
        with pytest.raises(EOFError):
            stream.next_event()


def test_pings_tell_the_servers_time(tmp_path: Path) -> None:
    with running(tmp_path, stream_ping_s=0.1) as backend, listening(backend.logged_in("admin")) as stream:
        event = stream.next_event()
        assert (event["event"], event["data"]) == ("ping", "2026-03-02T04:00:00+00:00")


def test_a_second_process_on_the_same_database_is_heard(
    tmp_path: Path, database_settings: dict[str, Any]
) -> None:
    with running(tmp_path, feed_poll_s=0.1, **database_settings) as first:
        settings = make_settings(
            tmp_path / "second", database_url=first.parts.settings.database, feed_poll_s=0.1
        )
        with (
            serving(make_app(settings), first.clock) as second,
            listening(second.logged_in("regulator")) as stream,
        ):
            deliver(first, opening())
            assert stream.next_alert()["kind"] == "opened"


def test_without_a_session_there_is_no_stream(backend: Backend) -> None:
    assert backend.client().get("/api/v1/alerts/stream").status_code == 401
