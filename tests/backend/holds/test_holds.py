"""Holds: who may place, see and lift them, and what they must say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kitchen_watch.backend.holds.tables import HoldRow
from tests.backend.retention.nights import QUIET
from tests.backend.stories import deliver, opening
from tests.backend.support import Backend, running

HOLD = {"kind": "alert", "alert_id": 1, "reason": "行政处罚取证"}
SPAN = {"since_at": "2026-03-01T00:00:00+08:00", "until_at": "2026-03-02T00:00:00+08:00"}


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    directory: Path = tmp_path_factory.mktemp("holds")
    with running(directory, **QUIET) as backend:
        deliver(backend, opening("cam-a1"), opening("cam-b1"))
        deliver(backend, opening("cam-c1", edge_id="edge-2"), edge_id="edge-2")
        yield backend


@pytest.mark.parametrize(
    ("username", "status"),
    [("regulator", 201), ("official_a", 201), ("supervisor2", 404), ("regulator2", 404), ("manager_a", 403)],
)
def test_supervision_staff_hold_what_lies_in_their_scope(
    district: Backend, username: str, status: int
) -> None:
    assert district.logged_in(username).post("/api/v1/holds", json=HOLD).status_code == status


def test_a_restaurant_never_hears_of_a_hold(district: Backend) -> None:
    hold = district.logged_in("regulator").post("/api/v1/holds", json=HOLD).json()
    manager = district.logged_in("manager_a")
    for path in ("/api/v1/holds", f"/api/v1/holds/{hold['id']}", "/api/v1/retention/deletions"):
        assert manager.get(path).status_code == 403
    assert district.logged_in("regulator2").get(f"/api/v1/holds/{hold['id']}").status_code == 404
    assert all(one["premises"] != "甲饭店" for one in holds(district, "regulator2"))


def test_lifting_is_for_whoever_placed_it_and_for_supervisors_and_is_done_once(district: Backend) -> None:
    hold = district.logged_in("regulator").post("/api/v1/holds", json=HOLD).json()
    path, reason = f"/api/v1/holds/{hold['id']}/lift", {"reason": "不再需要"}
    assert district.logged_in("official_a").post(path, json=reason).status_code == 403
    supervisor = district.logged_in("supervisor")
    assert supervisor.post(path, json={"reason": " "}).status_code == 422
    answer = supervisor.post(path, json=reason)
    assert answer.status_code == 200
    assert [one["act"] for one in answer.json()["entries"]] == ["placed", "lifted"]
    assert supervisor.post(path, json=reason).status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "alert", "reason": "没有说是哪一条"},
        {"kind": "alert", "alert_id": 1, "camera_id": "cam-a1", "reason": "两样"},
        {"kind": "alert", "alert_id": 1, **SPAN, "reason": "不需要时段"},
        {"kind": "premises", "premises_id": 1, "reason": "没有时段"},
        {"kind": "camera", "camera_id": "cam-a1", "since_at": SPAN["until_at"],
         "until_at": SPAN["since_at"], "reason": "时段颠倒"},
        {"kind": "premises", "premises_id": 1, "since_at": SPAN["since_at"],
         "until_at": "9999-12-31T23:00:00Z", "reason": "没有哪本日历上有"},
        {"kind": "alert", "alert_id": 1, "reason": ""},
        {"kind": "alert", "alert_id": 1, "reason": "已过期", "ends_at": "2026-03-01T00:00:00+08:00"},
    ],
)  # fmt: skip
def test_a_hold_that_says_too_little_or_too_much_is_refused(district: Backend, wrong: dict[str, Any]) -> None:
    assert district.logged_in("regulator").post("/api/v1/holds", json=wrong).status_code == 422


def holds(backend: Backend, username: str) -> list[dict[str, Any]]:
    answer: dict[str, Any] = backend.logged_in(username).get("/api/v1/holds").json()
    items: list[dict[str, Any]] = answer["items"]
    return items


def test_a_hold_of_old_that_reaches_to_the_end_of_the_calendar_is_still_shown(district: Backend) -> None:
    regulator = district.logged_in("regulator")
    body = {"kind": "premises", "premises_id": 1, **SPAN, "reason": "取证"}
    hold = regulator.post("/api/v1/holds", json=body)
    with district.parts.database.write() as session:
        row = session.get_one(HoldRow, hold.json()["id"])
        row.until_at = row.ends_at = datetime(9999, 12, 31, 23, tzinfo=UTC)
    assert "9999" in regulator.get(f"/holds/{hold.json()['id']}").text
    assert regulator.get("/holds").status_code == 200
