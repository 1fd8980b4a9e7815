"""People are told: in the application, by e-mail through a real SMTP server, in a group's chat."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from kitchen_watch.backend.webhooks.tables import MessageRow, MessageState
from kitchen_watch.events import Event
from tests.backend.stories import Violation, deliver, opening
from tests.backend.support import Backend, running
from tests.backend.webhooks.receivers import Receiver, receiving
from tests.backend.webhooks.test_outgoing import add, handle, look, pass_time


def rat(camera_id: str = "cam-a1") -> Event:
    return Violation(camera_id=camera_id, code="RODENT", tier=1).tell()


class Inbox:
    """An SMTP server's handler: keeps what comes in, refuses as often as it is told to."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refusals = 0
        self.answer = "451 try later"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refusals > 0:
            self.refusals -= 1
            return self.answer
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((list(envelope.rcpt_tos), mail))
        return "250 taken"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    handler = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()


@pytest.fixture
def district(
    tmp_path: Path, database_settings: dict[str, Any], inbox: tuple[Inbox, int]
) -> Iterator[Backend]:
    mail = {"host": "127.0.0.1", "port": inbox[1], "security": "none", "sender": "kitchen@example.cn"}
    settings: dict[str, Any] = {
        "outgoing": {"send_here": False, "allowed_networks": ["127.0.0.0/8"]},
        "notifications": {"mail": mail},
        "deadline_look_s": 3600.0,
        **database_settings,
    }
    with running(tmp_path, **settings) as backend:
        yield backend


def told(backend: Backend, username: str) -> list[str]:
    items = backend.logged_in(username).get("/api/v1/notifications").json()["items"]
    return [one["occasion"] for one in reversed(items)]


def wants_mail(backend: Backend, username: str, **more: Any) -> None:
    body = {"email": f"{username}@example.cn", "by_email": True, **more}
    answer = backend.logged_in(username).put("/api/v1/notifications/preferences", json=body)
    assert answer.status_code == 200, answer.text


def test_tier_1_goes_to_both_owners_at_once_as_a_suspicion(district: Backend) -> None:
    deliver(district, rat())
    look(district)
    for username in ("manager_a", "official_a"):
        page = district.logged_in(username).get("/api/v1/notifications").json()
        assert [(one["occasion"], one["suspected"], one["tier"]) for one in page["items"]] == [
            ("suspected", True, 1)
        ]
        assert page["items"][0]["subject"] == "[疑似] 甲饭店 · 老鼠 · 一级"
        assert page["unread"] == 1
    for username in ("manager_b", "manager_c", "regulator2"):
        assert told(district, username) == []


def test_tier_2_goes_to_the_territory_first_and_to_the_restaurant_when_assigned(district: Backend) -> None:
    deliver(district, opening())
    look(district)
    assert told(district, "official_a") == ["found"]
    assert told(district, "manager_a") == []
    handle(district, 1)
    for _ in range(2):  # a restarted process looks again
        look(district)
    assert told(district, "manager_a") == ["assigned"]
    assert told(district, "official_a") == ["found", "assigned"]
    assert told(district, "regulator") == []  # nobody is told what they did themselves


def test_tier_3_waits_for_the_daily_report(district: Backend) -> None:
    deliver(district, Violation(code="NO_MASK", tier=3).tell())
    look(district)
    assert told(district, "official_a") == told(district, "manager_a") == []


def test_reading_marks_what_was_read_and_nothing_newer(district: Backend) -> None:
    manager = district.logged_in("manager_a")
    deliver(district, rat())
    look(district)
    newest = manager.get("/api/v1/notifications/unread").json()["newest"]
    deliver(district, rat("cam-a2"))
    look(district)
    assert manager.post("/api/v1/notifications/read", json={"up_to": newest}).json()["unread"] == 1
    other = district.logged_in("official_a")
    assert other.get("/api/v1/notifications/unread").json()["unread"] == 2


def test_mail_arrives_in_the_readers_language_once_although_the_server_refuses_twice(
    district: Backend, inbox: tuple[Inbox, int]
) -> None:
    wants_mail(district, "manager_a")
    inbox[0].refusals = 2
    deliver(district, rat())
    for _ in range(4):
        look(district)
        pass_time(district, timedelta(minutes=1))
    assert len(inbox[0].mails) == 1
    to, mail = inbox[0].mails[0]
    assert to == ["manager_a@example.cn"]
    assert mail["subject"] == "[疑似] 甲饭店 · 老鼠 · 一级"
    assert "http://127.0.0.1:8000/alerts/1" in mail.get_content()
    assert mail["message-id"].startswith("<mail-opened-1-p")


def test_an_addressee_that_does_not_exist_becomes_a_dead_letter_at_once(
    district: Backend, inbox: tuple[Inbox, int]
) -> None:
    wants_mail(district, "manager_a")
    inbox[0].refusals, inbox[0].answer = 99, "550 no such user"
    deliver(district, rat())
    look(district)
    with district.parts.database.read() as session:
        row = session.scalars(select(MessageRow)).one()
    assert (row.state, row.attempts) == (MessageState.DEAD, 1)
    assert "550" in row.problem
    inbox[0].refusals = 0
    admin = district.logged_in("admin")
    assert admin.post(f"/api/v1/webhooks/messages/{row.id}/requeue").status_code == 200
    look(district)
    assert len(inbox[0].mails) == 1


def test_mail_waits_for_the_end_of_quiet_hours_but_not_for_tier_1(
    district: Backend, inbox: tuple[Inbox, int]
) -> None:
    wants_mail(district, "official_a", quiet_from="11:00", quiet_to="14:00")  # it is noon
    deliver(district, opening(), rat())
    look(district)
    assert [str(mail["subject"])[:4] for _, mail in inbox[0].mails] == ["[疑似]"]
    assert told(district, "official_a") == ["found", "suspected"]  # in the application at once
    pass_time(district, timedelta(hours=2))
    look(district)
    assert len(inbox[0].mails) == 2


def test_what_is_muted_does_not_come_except_tier_1(district: Backend) -> None:
    body = {"muted": ["found", "suspected"]}
    district.logged_in("official_a").put("/api/v1/notifications/preferences", json=body)
    deliver(district, opening(), rat())
    look(district)
    assert told(district, "official_a") == ["suspected"]


@pytest.fixture
def robot() -> Iterator[Receiver]:
    with receiving() as one:
        one.answer = json.dumps({"errcode": 0, "errmsg": "ok"}).encode()
        yield one


def test_a_group_robot_of_dingtalk_gets_signed_messages(district: Backend, robot: Receiver) -> None:
    secret = "SEC0123456789abcdef"
    add(district, f"{robot.url}?access_token=t0", kind="dingtalk", secret=secret, types=["notification"])
    deliver(district, rat())
    look(district)
    assert len(robot.requests) == 1  # one for the group, not one per owner
    query = parse_qs(urlsplit(robot.requests[0].path).query)
    stamp = query["timestamp"][0]
    expected = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    assert query["sign"] == [base64.b64encode(expected).decode()]
    assert query["access_token"] == ["t0"]
    body = robot.requests[0].json
    assert body["msgtype"] == "markdown"
    assert body["markdown"]["title"] == "[疑似] 甲饭店 · 老鼠 · 一级"


def test_a_robot_that_says_no_with_http_200_is_tried_again(district: Backend, robot: Receiver) -> None:
    add(district, robot.url, kind="dingtalk", secret="SEC0123456789abcdef", types=["notification"])
    robot.answer = json.dumps({"errcode": 130101, "errmsg": "send too fast"}).encode()
    deliver(district, rat())
    look(district)
    with district.parts.database.read() as session:
        row = session.scalars(select(MessageRow)).one()
    assert row.state is MessageState.PENDING
    assert row.next_at - district.clock.now() == timedelta(minutes=1)
    robot.answer = json.dumps({"errcode": 0}).encode()
    pass_time(district, timedelta(minutes=1))
    look(district)
    with district.parts.database.read() as session:
        assert session.scalars(select(MessageRow)).one().state is MessageState.DELIVERED


def test_a_webhook_may_carry_notifications(district: Backend, robot: Receiver) -> None:
    add(district, robot.url, types=["notification"])
    deliver(district, rat())
    look(district)
    assert [one.json["occasion"] for one in robot.requests] == ["suspected"]
    assert robot.requests[0].json["message_id"] == robot.requests[0].headers["webhook-id"]


def test_a_letter_rings_at_its_addressee(district: Backend) -> None:
    deliver(district, opening())
    letter = {"kind": "reminder", "alert_ids": [1]}
    assert district.logged_in("regulator").post("/api/v1/letters", json=letter).status_code == 201
    look(district)
    page = district.logged_in("manager_a").get("/api/v1/notifications").json()
    assert [(one["occasion"], one["letter_id"]) for one in page["items"]] == [("letter", 1)]
    assert district.logged_in("manager_a").get("/notifications").status_code == 200


def test_what_is_a_day_old_when_it_is_read_rings_no_bell(district: Backend) -> None:
    deliver(district, rat())
    pass_time(district, timedelta(days=2))
    look(district)
    assert told(district, "manager_a") == []
