"""A city's tasks: a tree from a file, reports of units, progress as sums, reminders before they are due."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from sqlalchemy import select

from kitchen_watch.backend.notifications.channels import teller_of
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.tasks.figures import TaskFigures, tasks_figures
from kitchen_watch.backend.tasks.timer import TaskTimer
from tests.backend.organisations.test_imports import apply, send
from tests.backend.retention.nights import QUIET, later
from tests.backend.support import NOON, Backend, running

HEAD = "编号,上级编号,任务,牵头部门,责任单位编码,完成时限,权重\n"
TREE = (
    HEAD
    + "1,,创建示范街,,,,\n"
    + "1.1,1,明厨亮灶全覆盖,餐饮科,grid-1 grid-2,2026-03-20,3\n"
    + "1.2,1,食品安全宣传,宣传科,grid-1,2026/3/10,1\n"
    + "2,,校园周边整治,餐饮科,grid-2,2026年4月1日,2\n"
)


@pytest.fixture
def district(tmp_path: Path) -> Iterator[Backend]:
    with running(tmp_path, **QUIET, tasks={"look_every_s": 3600}) as backend:
        yield backend


@pytest.fixture
def given(district: Backend) -> Backend:
    admin = district.logged_in("admin")
    done = apply(admin, send(admin, "tasks", TREE))
    assert done.status_code == 200, done.text
    return district


def tree(browser: httpx.Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = browser.get("/api/v1/tasks").json()["items"]
    return items


def unit(browser: httpx.Client, number: str, name: str) -> dict[str, Any]:
    task = next(one for one in tree(browser) if one["number"] == number)
    units: list[dict[str, Any]] = browser.get(f"/api/v1/tasks/{task['id']}").json()["units"]
    return next(one for one in units if one["unit"] == name)


def report(browser: httpx.Client, part: dict[str, Any], **body: Any) -> httpx.Response:
    whole = {"version": part["version"], "state": "doing", "text": "进展顺利"} | body
    return browser.post(f"/api/v1/tasks/units/{part['id']}/reports", json=whole)


def test_a_file_becomes_a_tree_and_the_same_file_changes_nothing(given: Backend) -> None:
    admin = given.logged_in("admin")
    lines = [(one["number"], one["depth"], one["progress"]["units"]) for one in tree(admin)]
    assert lines == [("1", 0, 3), ("1.1", 1, 2), ("1.2", 1, 1), ("2", 0, 1)]
    again = send(admin, "tasks", TREE)
    assert (again["new"], again["changed"], again["same"]) == (0, 0, 4)


def test_every_bad_row_is_told_and_nothing_is_applied_until_all_are_good(district: Backend) -> None:
    admin = district.logged_in("admin")
    text = (
        HEAD
        + "1,2,甲,,,,\n2,1,乙,,,,\n"
        + "3,9,丙,,,2026-13-01,\n"
        + "4,,丁,,nowhere,,0\n"
        + "5,,戊,,grid-1,,\n5.1,5,己,,grid-1,,1.5\n"
    )
    preview = send(admin, "tasks", text)
    found = {(one["row"], one["column"], one["code"]) for one in preview["problems"]}
    assert found == {
        (2, "parent_number", "circle"), (3, "parent_number", "circle"), (4, "due_on", "bad_date"),
        (5, "node_codes", "nowhere"), (6, "node_codes", "heading"), (7, "weight", "bad_value"),
    }  # fmt: skip
    assert apply(admin, preview).status_code == 422
    assert tree(admin) == []


def test_units_report_and_the_shares_of_departments_and_grids_sum_up_to_the_whole(given: Backend) -> None:
    officer = given.logged_in("regulator")
    part = unit(officer, "1.1", "一号网格")
    assert report(officer, part, done=60).status_code == 200
    assert report(officer, part, done=70).status_code == 409, "somebody has reported meanwhile"
    part = unit(officer, "1.2", "一号网格")
    assert report(officer, part, done=90, state="done").status_code == 422
    assert report(officer, part, done=100, state="done").status_code == 200
    view = given.logged_in("admin").get("/api/v1/tasks/progress").json()
    assert view["whole"] == {"units": 4, "finished": 1, "overdue": 0, "done": 280, "whole": 900}
    for parts in (view["departments"], view["units"]):
        for name, value in view["whole"].items():
            assert sum(one["progress"][name] for one in parts) == value
    assert [one["name"] for one in view["departments"]] == ["宣传科", "餐饮科"]
    heading = tree(given.logged_in("admin"))[0]["progress"]
    assert (heading["done"], heading["whole"]) == (280, 700)


@pytest.mark.parametrize(
    ("username", "seen"),
    [("regulator", ["1", "1.1", "1.2"]), ("regulator2", ["1", "1.1", "2"]), ("official_a", [])],
)
def test_everybody_sees_the_tasks_of_their_scope(given: Backend, username: str, seen: list[str]) -> None:
    browser = given.logged_in(username)
    assert [one["number"] for one in tree(browser)] == seen
    foreign = unit(given.logged_in("admin"), "1.1", "二号网格" if username == "regulator" else "一号网格")
    assert report(browser, foreign, done=50).status_code == 404


def test_a_restaurant_has_no_part_in_it(given: Backend) -> None:
    manager = given.logged_in("manager_a")
    for path in ("/api/v1/tasks", "/api/v1/tasks/1", "/api/v1/tasks/progress", "/api/v1/tasks/export"):
        assert manager.get(path).status_code == 403


def test_a_report_carries_a_file_that_only_its_scope_can_fetch(given: Backend) -> None:
    officer = given.logged_in("regulator")
    part = unit(officer, "1.1", "一号网格")
    path = f"/api/v1/tasks/units/{part['id']}/attachments"
    assert officer.post(path, content=b"#!/bin/sh", params={"name": "a.sh"}).status_code == 422
    sent = officer.post(path, content=b"%PDF-1.7 report", params={"name": "../总结.pdf"}).json()
    assert sent["name"] == "总结.pdf"
    other = unit(officer, "1.2", "一号网格")
    assert report(officer, other, done=10, attachment_id=sent["id"]).status_code == 404
    assert report(officer, part, done=10, attachment_id=sent["id"]).status_code == 200
    answer = officer.get(sent["url"])
    assert (answer.content, answer.headers["content-type"]) == (b"%PDF-1.7 report", "application/pdf")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert given.logged_in("regulator2").get(sent["url"]).status_code == 404


def test_units_are_reminded_before_the_due_day_and_once_after_it(given: Backend) -> None:
    parts = given.parts
    timers = [
        TaskTimer(parts.database, given.clock, parts.settings.tasks, teller=teller_of(given.parts.settings))
        for _ in range(2)
    ]

    def told() -> list[str]:
        items = given.logged_in("regulator").get("/api/v1/notifications").json()["items"]
        return [one["facts"]["about"] for one in reversed(items)]

    for timer in timers:
        timer.look()
    assert told() == []
    later(given, days=1, hours=1)  # a week before 1.2 is due
    for timer in timers:
        timer.look()
    assert told() == ["1.2 食品安全宣传"]
    officer = given.logged_in("regulator")
    report(officer, unit(officer, "1.2", "一号网格"), state="done", done=100)
    later(given, days=20)
    for timer in timers:
        timer.look()
    assert told() == ["1.2 食品安全宣传", "1.1 明厨亮灶全覆盖"]
    assert tree(given.logged_in("regulator"))[1]["progress"]["overdue"] == 1


def test_a_unit_that_is_taken_away_keeps_its_reports_and_no_longer_counts(given: Backend) -> None:
    officer, admin = given.logged_in("regulator"), given.logged_in("admin")
    report(officer, unit(officer, "1.1", "一号网格"), done=60)
    changed = send(admin, "tasks", HEAD + "1.1,1,明厨亮灶全覆盖,餐饮科,grid-2,2026-03-20,3\n")
    assert changed["changed"] == 1
    assert apply(admin, changed).status_code == 200
    part = unit(officer, "1.1", "一号网格")
    assert (part["state"], len(part["reports"])) == ("stopped", 1)
    assert report(officer, part, done=70).status_code == 409
    assert tree(admin)[1]["progress"] == {"units": 1, "finished": 0, "overdue": 0, "done": 0, "whole": 300}


def test_progress_and_tasks_leave_as_files(given: Backend) -> None:
    officer = given.logged_in("regulator")
    book = openpyxl.load_workbook(io.BytesIO(officer.get("/api/v1/tasks/export").content))
    rows = list(book.worksheets[0].values)
    assert [(row[0], row[3], row[6]) for row in rows[1:]] == [
        ("1.1", "一号网格", "0"), ("1.2", "一号网格", "0"),
    ]  # fmt: skip
    admin = given.logged_in("admin")
    text = admin.get("/api/v1/exports/tasks", params={"format": "csv"}).content
    answer = admin.post("/api/v1/imports/tasks", content=text).json()
    assert (answer["problems"], answer["same"]) == ([], 4)


def test_figures_of_a_city_are_the_sum_of_its_grids(given: Backend) -> None:
    officer = given.logged_in("regulator")
    report(officer, unit(officer, "1.2", "一号网格"), state="done", done=100)
    with given.parts.database.read() as session:
        paths = {node.code: node.path for node in session.scalars(select(NodeRow))}
        found = {
            code: tasks_figures(session, paths[code], NOON, NOON + timedelta(days=20))
            for code in ("city", "grid-1", "grid-2")
        }
    assert found["grid-1"] == TaskFigures(
        due=2, done_in_time=1, open=1, overdue=1, weighted_done=100, weighted_whole=400
    )
    for name in TaskFigures.__dataclass_fields__:
        assert getattr(found["city"], name) == sum(getattr(found[one], name) for one in ("grid-1", "grid-2"))


def test_a_task_that_is_due_some_day_does_not_stop_the_reminders_of_others(given: Backend) -> None:
    admin = given.logged_in("admin")
    done = apply(admin, send(admin, "tasks", HEAD + "0,,长期工作,餐饮科,grid-1,9999-12-31,1\n"))
    assert done.status_code == 200, done.text
    timer = TaskTimer(
        given.parts.database, given.clock, given.parts.settings.tasks, teller=teller_of(given.parts.settings)
    )
    timer.look()
    later(given, days=1, hours=1)
    timer.look()
    items = given.logged_in("regulator").get("/api/v1/notifications").json()["items"]
    assert [one["facts"]["about"] for one in items] == ["1.2 食品安全宣传"]
