"""Events become alerts, each exactly once, on both databases."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from kitchen_watch.backend.alerts.tables import AlertRow, FeedEntryRow
from kitchen_watch.backend.ingest.growth import fold
from kitchen_watch.backend.ingest.tables import EventRow
from kitchen_watch.clock import ManualClock
from kitchen_watch.events import Event, EventBatchResult, EventKind, EventVerdict
from tests.backend.stories import Violation, body_of, deliver, opening, verdicts
from tests.backend.support import NOON, Backend

ACCEPTED, DUPLICATE = EventVerdict.ACCEPTED, EventVerdict.DUPLICATE
DEFERRED, REFUSED = EventVerdict.DEFERRED, EventVerdict.REFUSED


def counted(backend: Backend, table: type[Any]) -> int:
    with backend.parts.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def only_alert(backend: Backend) -> AlertRow:
    with backend.parts.database.read() as session:
        return session.scalars(select(AlertRow)).one()


def test_an_opening_event_becomes_an_alert_with_both_times(any_backend: Backend) -> None:
    event = opening(server_offset_ms=-1500)
    assert verdicts(deliver(any_backend, event)) == [ACCEPTED]
    page = any_backend.logged_in("regulator").get("/api/v1/alerts").json()
    [alert] = page["items"]
    assert (alert["code"], alert["tier"], alert["state"]) == ("NO_HAT", 2, "pending_verification")
    assert alert["found_at"] == "2026-03-02T04:00:00Z"
    assert alert["occurred_at"] == "2026-03-02T04:00:10Z"
    assert alert["server_offset_ms"] == -1500
    assert alert["premises"]["place"] == "银川市 › 兴庆区 › 解放街所 › 一号网格"


def test_the_same_event_again_is_a_duplicate(any_backend: Backend) -> None:
    event = opening()
    assert verdicts(deliver(any_backend, event, event)) == [ACCEPTED, DUPLICATE]
    assert verdicts(deliver(any_backend, event)) == [DUPLICATE]
    assert (counted(any_backend, AlertRow), counted(any_backend, EventRow)) == (1, 1)
    assert counted(any_backend, FeedEntryRow) == 1


def test_one_violation_is_one_growing_alert(any_backend: Backend) -> None:
    violation = Violation()
    deliver(any_backend, violation.tell(), violation.tell(confidence=0.9))
    assert isinstance(any_backend.clock, ManualClock)
    any_backend.clock.advance(60)
    deliver(any_backend, violation.close(confidence=0.6))
    alert = only_alert(any_backend)
    assert (alert.confidence, alert.last_sequence, alert.events_received) == (0.9, 2, 3)
    assert alert.ended_at == NOON + timedelta(seconds=30)
    assert alert.found_at == NOON
    assert alert.updated_at == NOON + timedelta(seconds=60)


def test_a_violation_that_comes_back_reopens_the_same_alert(any_backend: Backend) -> None:
    violation = Violation()
    deliver(any_backend, violation.tell(), violation.close())
    assert only_alert(any_backend).ended_at is not None
    deliver(any_backend, violation.tell())
    alert = only_alert(any_backend)
    assert (alert.ended_at, alert.reopenings) == (None, 1)


def test_events_out_of_order_make_the_same_alert(any_backend: Backend) -> None:
    violation = Violation()
    first, second, last = violation.tell(), violation.tell(confidence=0.8), violation.close()
    for event in (last, first, second):
        assert verdicts(deliver(any_backend, event)) == [ACCEPTED]
    alert = only_alert(any_backend)
    assert (alert.occurred_at, alert.ended_at) == (first.occurred_at, last.ended_at)
    assert (alert.events_received, alert.confidence) == (3, 0.8)
    detail = any_backend.logged_in("regulator").get(f"/api/v1/alerts/{alert.id}").json()
    assert [event["sequence"] for event in detail["events"]] == [0, 1, 2]
    assert detail["missing_events"] == 0


def test_a_gap_is_shown_until_it_is_filled(any_backend: Backend) -> None:
    violation = Violation()
    first, second, third = violation.tell(), violation.tell(), violation.tell()
    deliver(any_backend, first, third)
    browser = any_backend.logged_in("regulator")
    address = f"/api/v1/alerts/{only_alert(any_backend).id}"
    assert browser.get(address).json()["missing_events"] == 1
    deliver(any_backend, second)
    assert browser.get(address).json()["missing_events"] == 0


def test_many_deliveries_of_the_same_events_at_once(any_backend: Backend) -> None:
    violation = Violation()
    events = [violation.tell() for _ in range(5)]
    results: list[EventBatchResult] = []
    start = threading.Barrier(6)

    def one() -> None:
        start.wait()
        results.append(deliver(any_backend, *events))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [verdict for result in results for verdict in verdicts(result)]
    assert (every.count(ACCEPTED), every.count(DUPLICATE)) == (5, 25)
    assert (counted(any_backend, AlertRow), counted(any_backend, EventRow)) == (1, 5)
    with any_backend.parts.database.read() as session:
        assert list(session.scalars(select(FeedEntryRow.id).order_by(FeedEntryRow.id))) == [1, 2, 3, 4, 5]


def test_edges_that_deliver_at_once_leave_no_gap_in_the_feed(any_backend: Backend) -> None:
    def one(edge_id: str, camera_id: str) -> None:
        for _ in range(8):
            deliver(any_backend, opening(camera_id, edge_id=edge_id), edge_id=edge_id)

    threads = [
        threading.Thread(target=one, args=args)
        for args in [("edge-1", "cam-a1"), ("edge-1", "cam-b1"), ("edge-2", "cam-c1"), ("edge-2", "cam-c1")]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with any_backend.parts.database.read() as session:
        ids = list(session.scalars(select(FeedEntryRow.id).order_by(FeedEntryRow.id)))
    assert ids == list(range(1, 33))


def test_an_unknown_camera_is_deferred_and_taken_later(any_backend: Backend) -> None:
    result = deliver(any_backend, opening("cam-new"))
    assert verdicts(result) == [DEFERRED]
    assert "cam-new" in (result.results[0].reason or "")


def test_a_camera_of_another_edge_is_refused(any_backend: Backend) -> None:
    assert verdicts(deliver(any_backend, opening("cam-c1"))) == [REFUSED]
    assert verdicts(deliver(any_backend, opening("cam-c1", edge_id="edge-2"))) == [REFUSED]


def test_one_bad_event_does_not_refuse_its_batch(any_backend: Backend) -> None:
    good = opening()
    bad = opening().model_dump(mode="json") | {"tier": 9}
    newer = opening().model_dump(mode="json") | {"schema_version": "kitchen_watch.event/2"}
    nul = opening(detail="nul \x00 here")
    huge = opening().model_dump(mode="json") | {"sequence": 2**40}
    ancient = opening().model_dump(mode="json") | {"occurred_at": "0001-01-01T00:00:00+14:00"}
    result = deliver(any_backend, bad, good, newer, nul, huge, ancient)
    assert verdicts(result) == [REFUSED, ACCEPTED, DEFERRED, REFUSED, REFUSED, REFUSED]
    assert "tier" in (result.results[0].reason or "")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_that_is_more_than_ten_years_off_is_refused(backend: Backend, sign: int) -> None:
    def with_offset(years: int) -> dict[str, Any]:
        offset = sign * years * 365 * 24 * 3600 * 1000
        return opening().model_dump(mode="json") | {"server_offset_ms": offset}

    assert verdicts(deliver(backend, with_offset(9), with_offset(11))) == [ACCEPTED, REFUSED]


def test_a_place_in_a_violation_is_taken_once(any_backend: Backend) -> None:
    violation = Violation()
    first = violation.tell()
    deliver(any_backend, first)
    impostor = first.model_copy(update={"event_id": uuid4()})
    assert verdicts(deliver(any_backend, impostor)) == [REFUSED]
    other = opening().model_copy(update={"event_id": first.event_id})
    assert verdicts(deliver(any_backend, other)) == [REFUSED]
    elsewhere = violation.tell(camera_id="cam-b1")
    assert verdicts(deliver(any_backend, elsewhere)) == [REFUSED]


def test_fields_of_a_newer_edge_are_ignored_and_long_texts_cut(any_backend: Backend) -> None:
    event = opening(detail="很长" * 1000, zone_id="z" * 500, server_offset_ms=10**9)
    raw = event.model_dump(mode="json") | {"weather": {"sunny": True}}
    assert verdicts(deliver(any_backend, raw)) == [ACCEPTED]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"events": []}', b'{"events": [NaN]}', b'{"events": 1}'])
def test_a_body_that_is_no_batch_is_a_problem(backend: Backend, body: bytes) -> None:
    answer = backend.signed("POST", "/api/v1/edge/events", body=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_more_than_a_hundred_events_are_too_many(backend: Backend) -> None:
    event = json.loads(body_of([opening()]))["events"][0]
    answer = backend.signed("POST", "/api/v1/edge/events", body=body_of([event] * 101))
    assert answer.status_code == 422


def test_every_answer_to_an_edge_tells_the_servers_time(backend: Backend) -> None:
    answer = backend.signed("POST", "/api/v1/edge/events", body=b"x")
    assert answer.headers["kw-server-time"] == NOON.isoformat()
    unsigned = backend.client().post("/api/v1/edge/events", content=b"{}")
    assert (unsigned.status_code, unsigned.headers["kw-server-time"]) == (401, NOON.isoformat())
    assert unsigned.headers["content-type"] == "application/problem+json"


def _violation_events() -> list[Event]:
    violation = Violation()
    return [
        violation.tell(detail="first"),
        violation.tell(confidence=0.9),
        violation.close(detail="closed"),
        violation.tell(),
        violation.tell(EventKind.CLOSED, zone_id="stove"),
    ]


@given(st.permutations(_violation_events()))
def test_the_order_of_arrival_does_not_matter(events: list[Event]) -> None:
    known = fold(events)
    assert (known.reopenings, known.events_received, known.detail) == (1, 5, "closed")
    assert (known.confidence, known.zone_id) == (0.9, "stove")
    assert known == fold(sorted(events, key=lambda event: event.sequence))
