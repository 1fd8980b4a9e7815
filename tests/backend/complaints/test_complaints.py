"""A complaint from the hotline to its answer: evidence, task, clock, and who may know who complained."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kitchen_watch.backend.complaints.figures import ComplaintFigures, complaints_figures
from kitchen_watch.backend.complaints.routes import rules_of
from kitchen_watch.backend.complaints.timer import ComplaintTimer
from kitchen_watch.backend.organisations.tables import NodeRow
from tests.backend.retention.nights import QUIET, evidence, files, finish, later, retention
from tests.backend.support import NOON, Backend, running

WORDS = ("李女士", "13800000000")


@pytest.fixture
def district(tmp_path: Path) -> Iterator[Backend]:
    with running(tmp_path, **QUIET, complaints={"look_every_s": 3600}) as backend:
        yield backend


def file(backend: Backend, username: str = "regulator", **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "channel": "12315",
        "reference": "1640100002026030200012",
        "category": "foreign_matter",
        "premises_id": premises(backend, "JY-A"),
        "since_at": (NOON - timedelta(hours=2)).isoformat(),
        "until_at": NOON.isoformat(),
        "text": "菜里有头发",
        "complainant": WORDS[0],
        "contact": WORDS[1],
    }
    answer = backend.logged_in(username).post("/api/v1/complaints", json=body | more)
    assert answer.status_code == 201, answer.text
    complaint: dict[str, Any] = answer.json()
    return complaint


def premises(backend: Backend, licence_no: str) -> int:
    rows = backend.logged_in("admin").get("/api/v1/premises").json()["items"]
    return next(int(row["id"]) for row in rows if row["licence_no"] == licence_no)


def step(backend: Backend, name: str, username: str = "regulator", **body: Any) -> Any:
    return backend.logged_in(username).post(f"/api/v1/complaints/1/{name}", json=body)


def told(backend: Backend, username: str) -> list[str]:
    items = backend.logged_in(username).get("/api/v1/notifications").json()["items"]
    return [one["occasion"] for one in items]


def test_a_complaint_saves_the_evidence_that_retention_would_have_deleted_that_night(
    district: Backend,
) -> None:
    """Restaurant A is complained about a year later: within 24 hours of that time nothing goes."""
    evidence(district, "cam-a1", "cam-b1")
    finish(district, 1, 2)
    later(district, days=364, hours=23)
    complaint = file(district)
    assert [alert["alert_id"] for alert in complaint["alerts"]] == [1]
    hold = complaint["hold"]
    assert (hold["kind"], hold["source"], hold["active"]) == ("premises", "complaint/1", True)
    assert hold["since_at"] == (NOON - timedelta(hours=26)).isoformat().replace("+00:00", "Z")
    later(district, hours=24)
    preview = district.logged_in("admin").get("/api/v1/retention/preview").json()
    assert [(one["alert_id"], one["held"]) for one in preview["items"]] == [(1, True), (2, False)]
    assert retention(district).look() == 2
    admin = district.logged_in("admin")
    assert admin.get(files(admin, 1)["clip"]["url"]).status_code == 200
    assert files(admin, 2)["clip"]["deleted_at"]


def test_it_is_numbered_given_to_the_grid_as_a_task_and_told_to_its_officers(district: Backend) -> None:
    first, second = file(district, "supervisor"), file(district, "supervisor")
    assert [first["title"], second["title"]] == ["投诉〔2026〕1号", "投诉〔2026〕2号"]
    assert (first["state"], first["grid"]) == ("received", "一号网格")
    assert first["due_at"] == "2026-03-03T15:59:59Z"
    assert first["answer_due_at"] == "2026-03-17T15:59:59Z"
    assert first["task_id"] != second["task_id"]
    assert told(district, "regulator") == ["complaint", "complaint"]
    assert told(district, "regulator2") == []


def test_words_are_looked_for_as_they_are_written(district: Backend) -> None:
    file(district, text="菜里有 5% 的沙子", reference="A_1")
    file(district, text="菜里有 50 粒沙子", reference="AB1")
    browser = district.logged_in("regulator")

    def found(words: str) -> list[int]:
        items = browser.get("/api/v1/complaints", params={"q": words}).json()["items"]
        return [one["id"] for one in items]

    assert (found("5%"), found("a_1"), found("沙子"), found("\\")) == ([1], [1], [2, 1], [])
    assert "about=" in browser.get("/complaints", params={"find": "JY-"}).text
    assert "about=" not in browser.get("/complaints", params={"find": "J%-"}).text


def test_an_official_without_a_grid_is_shown_no_way_to_a_task_that_is_not_theirs(district: Backend) -> None:
    task = file(district)["task_id"]
    official = district.logged_in("official_a")
    assert official.get(f"/api/v1/tasks/{task}").status_code == 404
    assert official.get("/api/v1/complaints/1").json()["task_id"] is None
    assert f"/tasks/{task}" not in official.get("/complaints/1").text
    assert f"/tasks/{task}" in district.logged_in("regulator").get("/complaints/1").text


def test_from_received_to_closed_and_open_again(district: Backend) -> None:
    file(district)
    assert step(district, "answer", version=1, text="已核查").status_code == 409
    accepted = step(district, "accept", version=1).json()
    assert (accepted["state"], accepted["handler"]) == ("accepted", "测试 regulator")
    assert step(district, "note", version=1, text="现场核查").status_code == 409
    assert step(district, "answer", version=2, text="").status_code == 422
    answered = step(district, "answer", version=2, text="已核查并责令整改").json()
    assert (answered["state"], answered["due_at"]) == ("answered", None)
    assert step(district, "close", version=3).json()["state"] == "closed"
    later(district, days=3)
    again = step(district, "reopen", version=4, text="投诉人不认可").json()
    assert (again["state"], again["answer_due_at"]) == ("accepted", "2026-03-20T15:59:59Z")
    assert [entry["step"] for entry in again["entries"]] == ["file", "accept", "answer", "close", "reopen"]
    assert again["hold"]["active"], "only a decision lifts a hold"


def test_who_complained_is_known_to_those_who_handle_it_and_to_nobody_else(district: Backend) -> None:
    file(district, "supervisor")
    for username, knows in (
        ("regulator", True),
        ("supervisor", True),
        ("official_a", False),
        ("admin", False),
    ):
        browser = district.logged_in(username)
        text = browser.get("/api/v1/complaints/1").text
        assert [word in text for word in WORDS] == [knows, knows], username
        assert not any(word in browser.get("/api/v1/complaints").text for word in WORDS)
    log = district.logged_in("admin").get("/api/v1/audit").json()["items"]
    looks = [one["username"] for one in log if one["action"] == "complainant_viewed"]
    assert sorted(looks) == ["regulator", "supervisor"]
    assert not any(word in str(log) for word in WORDS)


@pytest.mark.parametrize(("username", "status"), [("manager_a", 403), ("staff_a", 403), ("regulator2", 404)])
def test_neither_the_restaurant_nor_another_grid_hears_of_it(
    district: Backend, username: str, status: int
) -> None:
    complaint = file(district)
    browser = district.logged_in(username)
    assert browser.get("/api/v1/complaints/1").status_code == status
    assert "菜里有头发" not in browser.get("/api/v1/complaints").text
    body = {"version": 1, "text": "？？"}
    assert browser.post("/api/v1/complaints/1/accept", json=body).status_code == status
    assert told(district, username) == []
    assert complaint["version"] == 1


def test_the_grid_is_reminded_in_the_term_and_at_its_end_each_once(district: Backend) -> None:
    file(district, "supervisor")
    timer = ComplaintTimer(district.parts.database, district.clock, rules_of(district.parts))
    other = ComplaintTimer(district.parts.database, district.clock, rules_of(district.parts))
    assert timer.look() == 0
    later(district, hours=20)
    assert (timer.look(), other.look(), timer.look()) == (1, 0, 0)
    later(district, days=2)
    assert timer.look() == 1
    assert told(district, "regulator").count("complaint_due") == 2
    listed = district.logged_in("regulator").get("/api/v1/complaints", params={"overdue": True}).json()
    assert [one["overdue"] for one in listed["items"]] == [True]
    step(district, "accept", version=1)
    assert timer.look() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"until_at": (NOON - timedelta(days=1)).isoformat()},
        {"until_at": (NOON + timedelta(days=1)).isoformat()},
        {"since_at": "0001-01-01T00:00:00Z"},
        {"text": " "},
        {"category": "bad"},
    ],
)
def test_a_complaint_that_makes_no_sense_is_refused(district: Backend, wrong: dict[str, Any]) -> None:
    body = {
        "channel": "12315", "category": "other", "premises_id": premises(district, "JY-A"),
        "since_at": NOON.isoformat(), "until_at": NOON.isoformat(), "text": "投诉内容",
    }  # fmt: skip
    answer = district.logged_in("regulator").post("/api/v1/complaints", json=body | wrong)
    assert answer.status_code == 422


def test_figures_of_a_district_are_the_sum_of_its_grids(district: Backend) -> None:
    for licence_no in ("JY-A", "JY-B", "JY-C"):
        file(district, "supervisor", premises_id=premises(district, licence_no))
    step(district, "accept", version=1)
    step(district, "answer", version=2, text="已答复")
    later(district, days=20)
    now = district.clock.now()
    with district.parts.database.read() as session:
        paths = {node.code: node.path for node in session.scalars(select(NodeRow))}
        found = {code: complaints_figures(session, path, NOON, now) for code, path in paths.items()}
        assert complaints_figures(session, paths["city"], now, now + timedelta(days=1)).received == 0
    assert found["grid-1"] == ComplaintFigures(
        received=2, refused=0, answered=1, due=2, answered_in_time=1, open=1, overdue=1
    )
    assert found["grid-2"] == ComplaintFigures(
        received=1, refused=0, answered=0, due=1, answered_in_time=0, open=1, overdue=1
    )
    for name in ComplaintFigures.__dataclass_fields__:
        parts = [getattr(found[code], name) for code in ("grid-1", "grid-2")]
        assert getattr(found["city"], name) == sum(parts), name
