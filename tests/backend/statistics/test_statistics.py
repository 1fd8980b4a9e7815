"""What a district reads of its figures over the API, and who may read what."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from kitchen_watch.backend.statistics.precision import judged
from tests.backend.stories import Violation, deliver
from tests.backend.support import NOON, Backend

SPAN = {
    "since_at": (NOON - timedelta(days=2)).isoformat(),
    "until_at": (NOON + timedelta(days=1)).isoformat(),
}


@pytest.fixture
def busy(any_backend: Backend) -> Backend:
    """A: one bare head verified, one refused; B: a rat not verified yet; C: a bare head."""
    for camera_id, code, tier, edge in (
        ("cam-a1", "NO_HAT", 2, "edge-1"),
        ("cam-a2", "NO_HAT", 2, "edge-1"),
        ("cam-b1", "RODENT", 1, "edge-1"),
        ("cam-c1", "NO_HAT", 2, "edge-2"),
    ):
        violation = Violation(camera_id=camera_id, code=code, tier=tier, edge_id=edge)
        deliver(any_backend, violation.tell(), edge_id=edge)
    officer = any_backend.logged_in("regulator")
    for alert, step, body in ((1, "verify", {}), (2, "reject", {"reason": "hidden"})):
        answer = officer.post(f"/api/v1/alerts/{alert}/{step}", json={"version": 0, **body})
        assert answer.status_code == 200, answer.text
    return any_backend


def asked(backend: Backend, who: str, path: str = "", **more: Any) -> Any:
    answer = backend.logged_in(who).get(f"/api/v1/statistics{path}", params={**SPAN, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_city_is_the_sum_of_its_districts(busy: Backend) -> None:
    city = asked(busy, "supervisor")
    assert [child["name"] for child in city["children"]] == ["兴庆区", "金凤区"]
    assert city["total"]["found"] == 4 == sum(child["figures"]["found"] for child in city["children"])
    assert city["total"]["false_alarm_rate"] == {"part": 1, "whole": 2, "rate": 0.5}
    assert city["total"]["pending"] == 2
    assert city["codes"][0] == {
        "code": "NO_HAT", "found": 3, "believed": 1, "false_alarms": 1, "cumulative_share": 1.0,
    }  # fmt: skip
    assert sum(day["count"] for day in city["days"]) == 3 == sum(map(sum, city["hours"]))
    assert city["hours"][0][12] == 3, "found on a Monday at noon in China"
    assert [one["name"] for one in city["premises"]] == ["甲饭店"]


def test_an_officer_counts_the_own_grid_and_nothing_else(busy: Backend) -> None:
    grids = {one["code"]: one["id"] for one in busy.logged_in("admin").get("/api/v1/grids").json()}
    assert asked(busy, "regulator")["total"]["found"] == 3
    assert asked(busy, "regulator2")["total"]["found"] == 1
    foreign = busy.logged_in("regulator2").get("/api/v1/statistics", params={"grid_id": grids["grid-1"]})
    assert foreign.status_code == 404
    for nobody in ("manager_a", "staff_a"):
        assert busy.logged_in(nobody).get("/api/v1/statistics").status_code == 403


def test_filters_by_code_tier_and_kind_of_business(busy: Backend) -> None:
    assert asked(busy, "supervisor", code="RODENT")["total"]["found"] == 1
    assert asked(busy, "supervisor", tier=2)["total"]["found"] == 3
    assert asked(busy, "supervisor", business_type="no such kind")["total"]["found"] == 0
    empty = busy.logged_in("supervisor").get(
        "/api/v1/statistics", params={"since_at": SPAN["until_at"], "until_at": SPAN["since_at"]}
    )
    assert empty.status_code == 422
    assert "after since_at" in empty.json()["detail"]


def test_the_table_says_the_same_and_is_written_down(busy: Backend) -> None:
    answer = busy.logged_in("supervisor").get("/api/v1/statistics/table", params=SPAN)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["found"] for row in rows] == ["3", "1", "4"]
    assert (rows[-1]["false_alarm_rate_part"], rows[-1]["false_alarm_rate_whole"]) == ("1", "2")
    entries = busy.logged_in("admin").get("/api/v1/audit", params={"action": "statistics_exported"}).json()
    assert [one["username"] for one in entries["items"]] == ["supervisor"]


@pytest.mark.parametrize("by", ["rule", "camera", "model"])
def test_how_often_each_source_was_right(busy: Backend, by: str) -> None:
    found = asked(busy, "supervisor", "/precision", by=by)
    assert sum(one["judged"] for one in found) == 2
    assert sum(one["false_alarms"] for one in found) == 1
    assert not any(one["enough"] for one in found), "two cases prove nothing"


def test_a_threshold_is_advised_where_it_would_have_helped() -> None:
    """From 0.8 on 38 of 40 were right, below it 5 of 20: the advice keeps 38 of 43 right ones."""
    (one,) = judged([("NO_HAT", "cam-1", 16, 40, 2), ("NO_HAT", "cam-1", 12, 20, 15)])
    assert one.precision == pytest.approx(43 / 60)
    advice = one.advice()
    assert advice is not None
    assert list(advice) == pytest.approx([0.8, 38 / 43])
    (few,) = judged([("NO_HAT", "cam-1", 16, 10, 5)])
    assert few.advice() is None
    (good,) = judged([("NO_HAT", "cam-1", 16, 40, 1)])
    assert good.advice() is None


def test_a_span_at_an_end_of_the_calendar_is_refused(backend: Backend) -> None:
    officer = backend.logged_in("regulator")
    for since, until in (("0001-01-05", "0001-01-06"), ("9999-12-30", "9999-12-31")):
        span = {"since_at": f"{since}T20:00:00Z", "until_at": f"{until}T20:00:00Z"}
        assert officer.get("/api/v1/statistics", params=span).status_code == 422, span
