"""Other systems hear of alerts: each message once after de-duplication, in order per alert."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from standardwebhooks.webhooks import Webhook

from kitchen_watch.backend.app import make_relay, make_sender
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.webhooks.tables import DeliveryRow, MessageRow, MessageState, ReceiverRow
from kitchen_watch.clock import ManualClock
from tests.backend.stories import Violation, deliver, opening
from tests.backend.support import Backend, running
from tests.backend.webhooks.receivers import Receiver, receiving

OFF = {"send_here": False}
"""The running backend leaves it to the processes that the tests play."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def outgoing(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[Backend]:
    settings: dict[str, Any] = {
        "outgoing": {**OFF, "allowed_networks": ["127.0.0.0/8"]},
        "deadline_look_s": 3600,  # no reminder of its own between what the tests do, however slow the machine
        **database_settings,
    }
    with running(tmp_path, **settings) as backend:
        yield backend


def add(backend: Backend, url: str, **more: Any) -> dict[str, Any]:
    answer = backend.logged_in("admin").post(
        "/api/v1/webhooks/receivers", json={"name": "市局平台", "url": url, **more}
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def look(backend: Backend) -> int:
    """A process that has just started looks: reads the feed and sends what is due."""
    database = Database(backend.parts.settings.database)
    parts = replace(backend.parts, database=database)
    make_relay(parts).look()

    async def send() -> int:
        sent = 0
        sender = make_sender(parts)
        while count := await sender.look():
            sent += count
        return sent

    try:
        return asyncio.run(send())
    finally:
        database.close()


def pass_time(backend: Backend, duration: timedelta) -> None:
    assert isinstance(backend.clock, ManualClock)
    backend.clock.advance(duration)


def handle(backend: Backend, alert_id: int) -> None:
    """An officer verifies and assigns it."""
    officer = backend.logged_in("regulator")
    for version, step in enumerate(("verify", "assign")):
        answer = officer.post(f"/api/v1/alerts/{alert_id}/{step}", json={"version": version})
        assert answer.status_code == 200, answer.text


def test_a_receiver_that_fails_twice_gets_each_message_once_and_in_order(
    outgoing: Backend, receiver: Receiver
) -> None:
    made = add(outgoing, receiver.url, codes={"NO_HAT": "605"})
    receiver.failures = 2
    deliver(outgoing, opening(), opening("cam-b1"))
    for alert_id in (1, 2):
        handle(outgoing, alert_id)
    for _ in range(12):
        look(outgoing)
        pass_time(outgoing, timedelta(minutes=10))
    told = receiver.unique()
    assert len(told) == 6
    assert len(receiver.requests) == 18  # every message thrice
    for alert_id in (1, 2):
        mine = [one for one in told if one["alert"]["alert_id"] == alert_id]
        assert [(one["type"], one["alert"]["state"]) for one in mine] == [
            ("alert.opened", "pending_verification"),
            ("alert.changed", "verified"),
            ("alert.changed", "assigned"),
        ]
        assert [one["sequence"] for one in mine] == sorted(one["sequence"] for one in mine)
        assert mine[0]["alert"]["suspected"]
        assert mine[0]["alert"]["receiver_code"] == "605"
    for request in receiver.requests:
        stamp = int(request.headers["webhook-timestamp"])
        expected = _signature(made["secret"], request.headers["webhook-id"], stamp, request.body)
        assert request.headers["webhook-signature"] == expected
        assert request.headers["webhook-id"] == request.json["message_id"]


def _signature(secret: str, message_id: str, stamp: int, body: bytes) -> str:
    from datetime import UTC, datetime

    return Webhook(secret).sign(message_id, datetime.fromtimestamp(stamp, UTC), body.decode())


def test_the_signature_is_that_of_the_scheme(outgoing: Backend, receiver: Receiver) -> None:
    made = add(outgoing, receiver.url)
    deliver(outgoing, opening())
    look(outgoing)
    request = receiver.requests[0]
    stamp = int(request.headers["webhook-timestamp"])
    expected = _signature(made["secret"], request.headers["webhook-id"], stamp, request.body)
    assert request.headers["webhook-signature"] == expected
    other = _signature(
        add(outgoing, receiver.url)["secret"], request.headers["webhook-id"], stamp, request.body
    )
    assert other != expected


def test_many_processes_and_one_that_dies_with_a_message_in_hand(
    outgoing: Backend, receiver: Receiver
) -> None:
    add(outgoing, receiver.url)
    deliver(outgoing, *(opening() for _ in range(30)))
    for alert_id in range(1, 6):
        handle(outgoing, alert_id)
    together = threading.Barrier(4)

    def process() -> None:
        together.wait()
        look(outgoing)

    threads = [threading.Thread(target=process) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    look(outgoing)
    assert len(receiver.requests) == len(receiver.unique()) == 40
    deliver(outgoing, opening("cam-b1"))
    make_relay(outgoing.parts).look()
    claimed = make_sender(outgoing.parts)._claim()  # this process dies before it sends
    assert len(claimed) == 1
    assert look(outgoing) == 0  # it is in hand
    pass_time(outgoing, timedelta(minutes=2))
    assert look(outgoing) == 1
    assert len(receiver.unique()) == 41
    by_alert: dict[int, list[int]] = defaultdict(list)
    for one in receiver.unique():
        by_alert[one["alert"]["alert_id"]].append(one["sequence"])
    assert all(numbers == sorted(numbers) for numbers in by_alert.values())


def test_what_is_never_taken_becomes_a_dead_letter_and_can_be_sent_again(
    outgoing: Backend, receiver: Receiver
) -> None:
    add(outgoing, receiver.url)
    receiver.failures = 8
    deliver(outgoing, opening())
    handle(outgoing, 1)
    look(outgoing)
    assert len({one.headers["webhook-id"] for one in receiver.requests}) == 1  # the others wait behind it
    for _ in range(30):
        pass_time(outgoing, timedelta(hours=13))
        look(outgoing)
    admin = outgoing.logged_in("admin")
    page = admin.get("/api/v1/webhooks/messages", params={"state": "dead"}).json()
    assert len(page["items"]) == 3
    assert admin.get("/api/v1/webhooks/receivers").json()["items"][0]["dead"] == 3
    first = page["items"][-1]
    assert first["attempts"] == 8
    assert first["problem"].startswith("HTTP 503")
    detail = admin.post(f"/api/v1/webhooks/messages/{first['id']}/requeue").json()
    assert (detail["state"], detail["requeued"], len(detail["deliveries"])) == ("pending", 1, 8)
    look(outgoing)
    detail = admin.get(f"/api/v1/webhooks/messages/{first['id']}").json()
    assert (detail["state"], detail["message_id"]) == ("delivered", first["message_id"])
    assert admin.post(f"/api/v1/webhooks/messages/{first['id']}/requeue").status_code == 409


def test_a_change_that_was_rolled_back_tells_nobody_anything(outgoing: Backend, receiver: Receiver) -> None:
    add(outgoing, receiver.url)
    deliver(outgoing, opening())
    officer = outgoing.logged_in("regulator")
    assert officer.post("/api/v1/alerts/1/verify", json={"version": 7}).status_code == 409
    look(outgoing)
    assert [one["type"] for one in receiver.unique()] == ["alert.opened"]


def test_a_receiver_hears_only_of_its_part_of_the_tree_and_its_codes(
    outgoing: Backend, receiver: Receiver
) -> None:
    grids = {one["code"]: one["id"] for one in outgoing.logged_in("admin").get("/api/v1/grids").json()}
    add(outgoing, receiver.url, node_id=grids["district-2"], codes={"RODENT": "614"}, only_codes=True)
    rats = [Violation(camera_id="cam-a1", code="RODENT", tier=1)]
    deliver(outgoing, rats[0].tell())
    deliver(outgoing, opening("cam-c1", edge_id="edge-2"), edge_id="edge-2")
    rat = Violation(camera_id="cam-c1", edge_id="edge-2", code="RODENT", tier=1)
    deliver(outgoing, rat.tell(), edge_id="edge-2")
    look(outgoing)
    assert [one["alert"]["receiver_code"] for one in receiver.unique()] == ["614"]


def test_secrets_are_sealed_and_told_once(outgoing: Backend, receiver: Receiver) -> None:
    made = add(outgoing, f"{receiver.url}?token=abc123")
    with outgoing.parts.database.read() as session:
        row = session.scalars(select(ReceiverRow)).one()
        stored = " ".join(str(getattr(row, column.key)) for column in ReceiverRow.__table__.columns)
    assert made["secret"] not in stored
    assert "abc123" not in stored
    listed = outgoing.logged_in("admin").get("/api/v1/webhooks/receivers").text
    assert made["secret"] not in listed
    assert "abc123" not in listed


@pytest.mark.parametrize("username", ["supervisor", "regulator", "manager_a", "staff_a"])
def test_only_administrators_name_receivers(outgoing: Backend, username: str) -> None:
    browser = outgoing.logged_in(username)
    assert browser.get("/api/v1/webhooks/receivers").status_code == 403
    body = {"name": "x", "url": "https://example.com/in"}
    assert browser.post("/api/v1/webhooks/receivers", json=body).status_code == 403


def test_a_redirection_is_not_followed_and_a_running_backend_sends_by_itself(
    tmp_path: Path, receiver: Receiver
) -> None:
    settings: dict[str, Any] = {"outgoing": {"look_every_s": 0.05, "allowed_networks": ["127.0.0.0/8"]}}
    with running(tmp_path, **settings) as backend, receiving() as other:
        receiver.headers, receiver.status, receiver.failures = {"location": other.url}, 307, 1
        add(backend, receiver.url)
        deliver(backend, opening())
        for _ in range(200):
            with backend.parts.database.read() as session:
                if session.scalar(select(func.count()).select_from(DeliveryRow)):
                    break
            threading.Event().wait(0.05)
        with backend.parts.database.read() as session:
            row = session.scalars(select(MessageRow)).one()
            assert (row.state, row.attempts) == (MessageState.PENDING, 1)
            assert row.problem.startswith("HTTP 307")
        assert other.requests == []


def test_a_new_secret_signs_beside_the_old_one_until_the_overlap_ends(
    outgoing: Backend, receiver: Receiver
) -> None:
    made = add(outgoing, receiver.url)
    admin = outgoing.logged_in("admin")
    where = f"/api/v1/webhooks/receivers/{made['id']}/secret"
    rotated = admin.post(where, json={"overlap_hours": 2}).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secret_until"] == "2026-03-02T06:00:00Z"
    deliver(outgoing, opening())
    look(outgoing)
    pass_time(outgoing, timedelta(hours=2))
    deliver(outgoing, opening())
    look(outgoing)
    during, afterwards = receiver.requests
    stamps = [int(one.headers["webhook-timestamp"]) for one in receiver.requests]
    by_new, by_old = (
        _signature(one["secret"], during.headers["webhook-id"], stamps[0], during.body)
        for one in (rotated, made)
    )
    assert during.headers["webhook-signature"] == f"{by_new} {by_old}"
    assert afterwards.headers["webhook-signature"] == _signature(
        rotated["secret"], afterwards.headers["webhook-id"], stamps[1], afterwards.body
    )
    refused = admin.post(where, json={"secret": "whsec_short"})
    assert refused.status_code == 422


def test_a_receiver_is_changed_and_what_waits_goes_to_its_new_address(
    outgoing: Backend, receiver: Receiver
) -> None:
    made = add(outgoing, "http://127.0.0.1:9/nobody")
    deliver(outgoing, opening())
    look(outgoing)
    admin = outgoing.logged_in("admin")
    where = f"/api/v1/webhooks/receivers/{made['id']}"
    changed = admin.patch(
        where, json={"url": receiver.url, "name": "新平台", "codes": {"NO_HAT": "7"}}
    ).json()
    assert (changed["name"], changed["codes"], changed["enabled"]) == ("新平台", {"NO_HAT": "7"}, True)
    assert changed["types"] == made["types"]
    pass_time(outgoing, timedelta(hours=1))
    look(outgoing)
    assert [one["type"] for one in receiver.unique()] == ["alert.opened"]
    unfit: list[dict[str, Any]] = [{"url": "https://169.254.169.254/"}, {"node_id": 999}, {"types": []}]
    for bad in [*unfit, {"name": None}]:
        assert admin.patch(where, json=bad).status_code == 422, bad
    assert admin.patch("/api/v1/webhooks/receivers/99", json={"name": "x"}).status_code == 404


def test_a_test_message_tells_at_once_whether_a_receiver_answers(
    outgoing: Backend, receiver: Receiver
) -> None:
    made = add(outgoing, receiver.url)
    admin = outgoing.logged_in("admin")
    where = f"/api/v1/webhooks/receivers/{made['id']}/test"
    tried = admin.post(where).json()
    assert (tried["delivered"], tried["status"], tried["problem"]) == (True, 200, "")
    [request] = receiver.requests
    stamp = int(request.headers["webhook-timestamp"])
    expected = _signature(made["secret"], tried["message_id"], stamp, request.body)
    assert request.headers["webhook-signature"] == expected
    assert (request.json["type"], request.json["message_id"]) == ("test", tried["message_id"])
    receiver.failures = 10**6
    refused = admin.post(where).json()
    assert (refused["delivered"], refused["status"]) == (False, 503)
    assert admin.get("/api/v1/webhooks/messages").json()["items"] == []
    assert outgoing.logged_in("supervisor").post(where).status_code == 403
