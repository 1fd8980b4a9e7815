"""Who may read, publish and confirm; bulletins that name nobody too early; what to look at tonight."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from kitchen_watch.backend.reports.tables import ReportClockRow, ReportKind
from tests.backend.reports.scenes import (
    ASSIGN,
    DAY,
    VERIFY,
    district,
    evening,
    figures,
    look,
    pass_time,
    report_of,
    rows,
    take,
)
from tests.backend.support import Backend


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The first evening."""
    with district(tmp_path_factory.mktemp("publishing")) as backend:
        evening(backend)
        yield backend


def test_a_restaurant_sees_no_report_and_an_officer_those_of_the_own_area(world: Backend) -> None:
    city, first, grid_1 = (report_of(world, code) for code in ("city", "district-1", "grid-1"))
    owner = world.logged_in("manager_a")
    for address in ("/api/v1/reports", f"/api/v1/reports/{grid_1.id}", "/api/v1/bulletins", "/reports"):
        assert owner.get(address).status_code == 403, address
    assert owner.get(f"/api/v1/reports/{first.id}/pdf").status_code == 403
    assert owner.get("/api/v1/reports/tonight").status_code == 403
    officer = world.logged_in("regulator")
    assert [one["id"] for one in officer.get("/api/v1/reports").json()["items"]] == [grid_1.id]
    for other in (city, first, report_of(world, "grid-2")):
        assert officer.get(f"/api/v1/reports/{other.id}").status_code == 404
        assert officer.get(f"/api/v1/reports/{other.id}/json").status_code == 404
        assert officer.post(f"/api/v1/reports/{other.id}/publish").status_code == 404
        assert officer.get(f"/reports/{other.id}").status_code == 404
    everything = world.logged_in("supervisor").get("/api/v1/reports?kind=daily").json()["items"]
    assert len(everything) == 6
    below = world.logged_in("supervisor").get(f"/api/v1/reports?grid_id={first.node_id}").json()["items"]
    assert {one["node"] for one in below} == {"兴庆区", "解放街所", "一号网格"}
    # the official is named for single premises, not for a grid
    assert world.logged_in("official_a").get("/api/v1/reports").json()["items"] == []


def test_who_is_asked_confirms_once_and_who_does_not_is_reminded_once_a_day(world: Backend) -> None:
    report = report_of(world, "grid-1")
    assert world.logged_in("official_a").post(f"/api/v1/reports/{report.id}/publish").status_code == 404
    supervisor = world.logged_in("supervisor")
    before = supervisor.post(f"/api/v1/reports/{report.id}/acknowledge", json={})
    assert before.status_code == 403  # nobody is asked yet
    published = supervisor.post(f"/api/v1/reports/{report.id}/publish").json()
    assert published["published_by"] == "测试 supervisor"
    assert [(one["person"], one["at"]) for one in published["receipts"]] == [("测试 regulator", None)]
    assert supervisor.post(f"/api/v1/reports/{report.id}/publish").status_code == 409
    pass_time(world, timedelta(hours=23))
    look(world)
    officer = world.logged_in("regulator")
    assert officer.get(f"/api/v1/reports/{report.id}").json()["receipts"][0]["reminders"] == 0
    pass_time(world, timedelta(hours=1))
    look(world)
    look(world)
    detail = officer.get(f"/api/v1/reports/{report.id}").json()
    assert (detail["receipts"][0]["reminders"], detail["can_acknowledge"]) == (1, True)
    told = officer.get("/api/v1/notifications").json()["items"]
    assert [(one["occasion"], one["subject_kind"], one["subject_id"]) for one in told] == [
        ("report_unconfirmed", "report", report.id)
    ]
    tonight = officer.get("/api/v1/reports/tonight").json()
    assert (tonight["counts"]["report"], tonight["lines"][-1]["detail"]) == (1, report.reference)
    assert "有已发布的报告等待您确认" in officer.get("/reports").text
    for odd in ("9" * 19, "9" * 5000, "-1", "²"):
        assert officer.get("/reports", params={"cursor": odd}).status_code == 200, odd[:20]
    waiting = officer.get("/api/v1/reports?to_confirm=true").json()["items"]
    assert [one["id"] for one in waiting] == [report.id]
    done = officer.post(f"/api/v1/reports/{report.id}/acknowledge", json={"note": "已阅"}).json()
    assert (done["confirmed"], done["asked"], done["receipts"][0]["note"]) == (1, 1, "已阅")
    assert officer.post(f"/api/v1/reports/{report.id}/acknowledge", json={}).status_code == 409


def test_a_check_by_hand_tells_that_nothing_is_different(world: Backend) -> None:
    report = report_of(world, "grid-2")
    answer = world.logged_in("supervisor2").post(f"/api/v1/reports/{report.id}/check")
    assert answer.json() == {"supplement": None}


def test_tonight_lists_what_is_overdue_and_not_seen_within_the_own_scope(world: Backend) -> None:
    found = world.logged_in("supervisor2").get("/api/v1/reports/tonight").json()
    assert {line["premises"] for line in found["lines"] if line["premises"]} == {"丙食堂"}
    assert found["counts"]["overdue"] == 1  # nobody has verified it since noon
    assert found["counts"]["blind"] == 1  # its edge never spoke
    everything = world.logged_in("supervisor").get("/api/v1/reports/tonight").json()
    assert (everything["counts"]["overdue"], everything["counts"]["blind"]) == (4, 4)
    pdf = world.logged_in("supervisor2").get("/api/v1/reports/tonight/pdf")
    assert pdf.content.startswith(b"%PDF")
    assert "丙食堂" in world.logged_in("supervisor2").get("/reports/tonight").text


def test_a_bulletin_names_nobody_whose_time_to_appeal_still_runs(tmp_path: Path) -> None:
    with district(tmp_path, reports={"look_every_s": 3600.0, "appeal_window": "PT72H"}) as backend:
        with backend.parts.database.write() as session:  # the other reports of the week are not wanted here
            session.execute(delete(ReportClockRow).where(ReportClockRow.kind != ReportKind.BULLETIN))
        take(backend, 1, VERIFY, ASSIGN)  # on Monday
        pass_time(backend, 6 * DAY)
        take(backend, 3, VERIFY, ASSIGN)  # on Sunday at noon: its window ends on Wednesday at noon
        take(backend, 4, ("regulator2", "verify", {}))  # never given to the restaurant
        pass_time(backend, timedelta(hours=8, minutes=30) + 2 * DAY)
        look(backend)
        take(backend, 2, VERIFY, ASSIGN, ("manager_a", "appeal", {"text": "是玩具。"}))
        pass_time(backend, DAY)
        look(backend)
        city = report_of(backend, "city", ReportKind.BULLETIN)
        assert city.reference == "银川市食安通报〔2026〕1号"
        named = {line[0]: line[2] for line in rows(city, "named_premises")}
        assert named == {"甲饭店": 1, "乙饭店": 1}
        assert figures(city, "named") == {"final": (2, None), "still_appealable": (2, None)}
        assert [line[0] for line in rows(city, "ranking")] == ["兴庆区", "金凤区"]
        admin = backend.logged_in("admin")
        detail = admin.post(f"/api/v1/bulletins/{city.id}/publish").json()
        asked = {one["person"] for one in detail["receipts"]}
        assert asked == {"测试 regulator", "测试 regulator2"}  # every officer below
        assert admin.get(f"/api/v1/reports/{city.id}").status_code == 404
        assert admin.post(f"/api/v1/reports/{city.id}/check").status_code == 409
        assert "通报" in admin.get(f"/bulletins/{city.id}").text
