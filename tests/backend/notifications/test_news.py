"""What is about no alert is told like alerts: in the application, by e-mail, in chats, to other systems."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kitchen_watch.backend.complaints.routes import rules_of
from kitchen_watch.backend.complaints.timer import ComplaintTimer
from kitchen_watch.backend.webhooks.tables import MessageRow
from tests.backend.complaints.test_complaints import file, told
from tests.backend.notifications.test_notifications import wants_mail
from tests.backend.retention.nights import QUIET, later
from tests.backend.support import Backend, running
from tests.backend.webhooks.test_outgoing import add

GROUP: dict[str, Any] = {"types": ["notification"], "url": "https://example.com/x"}


@pytest.fixture
def district(tmp_path: Path) -> Iterator[Backend]:
    """Mail is set up and nothing is sent: what waits is looked at. It is noon, 20:00 in eight hours."""
    settings: dict[str, Any] = {
        "notifications": {"mail": {"host": "smtp.example.cn", "sender": "kitchen@example.cn"}},
        "complaints": {"look_every_s": 3600},
    }
    with running(tmp_path, **QUIET, **settings) as backend:
        yield backend


def waiting(backend: Backend) -> list[MessageRow]:
    with backend.parts.database.read() as session:
        return list(session.scalars(select(MessageRow).order_by(MessageRow.id)))


def test_a_complaint_reaches_its_officer_by_mail_and_the_chat_and_system_of_its_part_of_the_tree(
    district: Backend,
) -> None:
    wants_mail(district, "regulator")
    nodes = district.logged_in("admin").get("/api/v1/grids").json()
    grids = {one["code"]: one["id"] for one in nodes}
    add(district, name="here", node_id=grids["grid-1"], **GROUP)
    add(district, name="elsewhere", node_id=grids["grid-2"], **GROUP)
    add(district, name="hats only", codes={"NO_HAT": "1"}, only_codes=True, **GROUP)
    file(district, "supervisor")
    mail, hook = waiting(district)
    assert mail.payload["to"] == "regulator@example.cn"
    assert mail.payload["subject"].startswith("[投诉举报] 投诉〔2026〕1号")
    assert mail.payload["text"].rstrip().endswith("/complaints/1")
    assert (hook.payload["occasion"], hook.payload["subject_kind"], hook.payload["subject_id"]) == (
        "complaint", "complaint", 1,
    )  # fmt: skip


def test_it_waits_for_the_end_of_quiet_hours_and_is_told_once_however_many_look(
    district: Backend,
) -> None:
    file(district, "supervisor")
    wants_mail(district, "regulator", quiet_from="00:00", quiet_to="23:59")
    later(district, hours=20)
    timers = [ComplaintTimer(district.parts.database, district.clock, rules_of(district.parts)) for _ in "ab"]
    assert [timer.look() for timer in (*timers, *timers)] == [1, 0, 0, 0]
    (mail,) = waiting(district)
    assert mail.next_at == datetime(2026, 3, 3, 15, 59, tzinfo=UTC)
    assert mail.next_at > district.clock.now() + timedelta(hours=1)


def test_what_is_muted_is_told_neither_here_nor_by_mail(district: Backend) -> None:
    wants_mail(district, "regulator", muted=["complaint"])
    file(district, "supervisor")
    assert (told(district, "regulator"), waiting(district)) == ([], [])
