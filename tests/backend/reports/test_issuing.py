"""Reports come by the clock: once each, all from one state, sealed, and never changed afterwards."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from kitchen_watch.backend.reports.content import SupplementContent
from kitchen_watch.backend.reports.tables import ReportKind, ReportRow, SupplementRow
from tests.backend.reports.scenes import (
    ASSIGN,
    DAY,
    EVENING,
    REJECT,
    VERIFY,
    district,
    evening,
    figures,
    look,
    pass_time,
    report_of,
    reports,
    rows,
    take,
)
from tests.backend.stories import Violation, deliver
from tests.backend.support import Backend


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Backend]:
    with district(tmp_path) as backend:
        yield backend


@pytest.fixture
def any_world(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[Backend]:
    with district(tmp_path, **database_settings) as backend:
        yield backend


def test_every_node_has_its_report_at_the_cut_off_and_a_parent_is_the_sum_of_its_children(
    any_world: Backend,
) -> None:
    take(any_world, 1, VERIFY)
    take(any_world, 3, REJECT)
    assert look(any_world) == 0  # at noon nothing is due
    pass_time(any_world, EVENING)
    together = threading.Barrier(2)

    def process() -> None:
        together.wait()
        look(any_world)

    threads = [threading.Thread(target=process) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    issued = reports(any_world)
    assert len(issued) == len({row.node_id for row in issued}) == 6
    city, first, second = (report_of(any_world, code) for code in ("city", "district-1", "district-2"))
    assert first.reference == "兴庆区食安日报〔2026〕1号"
    assert (first.day, first.issued_by) == (date(2026, 3, 2), None)
    assert figures(city)["found"] == (4, None)
    assert figures(city)["false_alarm_rate"] == (1, 2)
    for key, (value, out_of) in figures(city).items():
        parts = [figures(first)[key], figures(second)[key]]
        assert value == sum(part[0] for part in parts), key
        assert out_of == (None if out_of is None else sum(part[1] or 0 for part in parts)), key
    lines = rows(city, "by_node")
    assert [line[0] for line in lines] == ["兴庆区", "金凤区"]
    assert sum(line[1] for line in lines) == 4
    # what is sealed is the very text that is stored
    assert first.sha256 == hashlib.sha256(first.content.encode()).hexdigest()
    assert (
        json.dumps(json.loads(first.content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        == first.content
    )
    # the database itself refuses to change or to lose it
    for act in (update(ReportRow).values(number=99), delete(ReportRow)):
        with pytest.raises(DBAPIError, match="never changed"), any_world.parts.database.write() as session:
            session.execute(act)


def test_after_a_standstill_the_missed_reports_follow_each_for_its_own_day(world: Backend) -> None:
    pass_time(world, EVENING + 2 * DAY)
    look(world)
    look(world)
    mine = [row for row in reports(world) if row.node_id == report_of(world, "grid-1").node_id]
    assert [(row.day, row.number) for row in mine] == [
        (date(2026, 3, 2), 1), (date(2026, 3, 3), 2), (date(2026, 3, 4), 3),
    ]  # fmt: skip
    assert [figures(row)["found"][0] for row in mine] == [3, 0, 0]
    assert mine[0].until_at == mine[1].since_at


def test_a_week_is_the_sum_of_its_days(world: Backend) -> None:
    pass_time(world, EVENING + 6 * DAY)
    look(world)
    weeks = [row for row in reports(world, ReportKind.WEEKLY) if row.node_id == 1]
    assert [(row.day, row.number) for row in weeks] == [(date(2026, 3, 8), 1)]
    days = [figures(row)["found"][0] for row in reports(world) if row.node_id == 1]
    assert len(days) == 7
    assert figures(weeks[0])["found"] == (sum(days), None) == (4, None)


def test_a_later_false_alarm_is_a_supplement_and_the_report_stays(world: Backend) -> None:
    evening(world)
    before = report_of(world, "grid-1")
    pass_time(world, DAY / 4)
    take(world, 1, REJECT)
    take(world, 2, VERIFY)  # goes on, and corrects nothing
    pass_time(world, DAY)
    look(world)
    report = next(row for row in reports(world) if row.id == before.id)
    assert (report.content, report.sha256) == (before.content, before.sha256)
    with world.parts.database.read() as session:
        supplements = session.scalars(select(SupplementRow).where(SupplementRow.report_id == before.id)).all()
    assert len(supplements) == 1
    content = SupplementContent.model_validate_json(supplements[0].content)
    assert (content.report, content.report_sha256) == (before.reference, before.sha256)
    assert {(one.key, one.row, one.before.value, one.after.value) for one in content.differences} == {
        ("false_alarms", "", 0, 1),
        ("false_alarms", "NO_HAT", 0, 1),
    }
    assert [(one.alert_id, one.cause) for one in content.causes] == [(1, "false_alarm")]
    # its parents' reports of that day are supplemented alike, and asked again nothing is new
    with world.parts.database.read() as session:
        assert len(session.scalars(select(SupplementRow)).all()) == 4
    pass_time(world, DAY)
    look(world)
    with world.parts.database.read() as session:
        assert len(session.scalars(select(SupplementRow)).all()) == 4


def test_an_appeal_won_and_an_event_that_came_late_are_named_as_causes(world: Backend) -> None:
    take(world, 2, VERIFY, ASSIGN, ("manager_a", "appeal", {"text": "是玩具。"}))
    evening(world)
    take(
        world,
        2,
        ("supervisor", "decide", {"upheld": True, "reason": "other_object", "note": "确为玩具。"}),
    )
    deliver(world, Violation(camera_id="cam-b1", code="NO_MASK", tier=3).tell())  # of noon, told at night
    pass_time(world, DAY)
    look(world)
    first = next(row for row in reports(world) if row.node_id == report_of(world, "grid-1").node_id)
    with world.parts.database.read() as session:
        row = session.scalars(select(SupplementRow).where(SupplementRow.report_id == first.id)).one()
    content = SupplementContent.model_validate_json(row.content)
    assert {(one.alert_id, one.cause) for one in content.causes} == {(2, "appeal_upheld"), (5, "late")}
    assert ("heard_later", 0, 1) in {
        (one.key, one.before.value, one.after.value) for one in content.differences
    }


def test_a_row_that_was_changed_past_the_database_is_seen(world: Backend) -> None:
    evening(world)
    report = report_of(world, "grid-1")
    with world.parts.database.write() as session:
        session.execute(text("DROP TRIGGER reports_no_update"))
        session.execute(
            update(ReportRow)
            .where(ReportRow.id == report.id)
            .values(content=report.content.replace('"value":3', '"value":2'))
        )
    officer = world.logged_in("regulator")
    assert officer.get(f"/api/v1/reports/{report.id}").json()["intact"] is False
    assert officer.get(f"/api/v1/reports/{report.id}/pdf").status_code == 409
    assert officer.post(f"/api/v1/reports/{report.id}/publish").status_code == 409


def test_a_district_to_try_out_has_yesterdays_report_at_once_and_todays_in_the_evening(
    tmp_path: Path,
) -> None:
    wanted = {"look_every_s": 3600.0, "begin_with_yesterday": True}
    with district(tmp_path, reports=wanted) as backend:
        browser = backend.logged_in("admin")
        nodes = len(browser.get("/api/v1/grids").json())
        patience = time.monotonic() + 20
        while len(issued := reports(backend)) < nodes:  # the backend's own timer is at it, too
            assert time.monotonic() < patience
            time.sleep(0.05)
        assert {row.day.isoformat() for row in issued} == {"2026-03-01"}
        path = f"/api/v1/reports/{report_of(backend, 'city').id}"
        assert browser.get(path).status_code == 200
        pass_time(backend, EVENING)
        assert look(backend) == len(issued)
        assert {row.day.isoformat() for row in reports(backend)} == {"2026-03-01", "2026-03-02"}
