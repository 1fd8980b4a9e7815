"""Pages of the feed: newest first, filtered, and continued by a cursor."""

from __future__ import annotations

from kitchen_watch.clock import ManualClock
from tests.backend.stories import Violation, deliver, opening
from tests.backend.support import Backend


def ids(answer: dict[str, list[dict[str, int]]]) -> list[int]:
    return [item["alert_id"] for item in answer["items"]]


def test_pages_follow_each_other_without_gap_or_repetition(any_backend: Backend) -> None:
    deliver(any_backend, *(opening() for _ in range(25)))
    browser = any_backend.logged_in("regulator")
    seen: list[int] = []
    cursor = None
    for _ in range(3):
        page = browser.get("/api/v1/alerts", params={"limit": 10, **({"cursor": cursor} if cursor else {})})
        seen += ids(page.json())
        cursor = page.json()["next_cursor"]
    assert cursor is None
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 25


def test_filters_narrow_the_feed(any_backend: Backend) -> None:
    rodent = Violation(camera_id="cam-b1", code="RODENT", tier=1)
    covered = Violation(camera_id="cam-a2", code="CAM_COVERED", tier=2)
    deliver(any_backend, rodent.tell(), covered.tell(), covered.close(), opening("cam-a1"))
    browser = any_backend.logged_in("regulator")

    def codes(**params: object) -> list[str]:
        page = browser.get("/api/v1/alerts", params=params)  # type: ignore[arg-type]  # any primitive
        assert page.status_code == 200, page.text
        return [item["code"] for item in page.json()["items"]]

    assert codes() == ["NO_HAT", "CAM_COVERED", "RODENT"]
    assert codes(tier=1) == ["RODENT"]
    assert codes(code=["RODENT", "CAM_COVERED"]) == ["CAM_COVERED", "RODENT"]
    assert codes(ongoing=False) == ["CAM_COVERED"]
    assert codes(camera_id="cam-a1") == ["NO_HAT"]
    assert codes(state="verified") == []
    assert codes(found_from="2026-03-02T05:00:00Z") == []
    grids = {node["code"]: node["id"] for node in any_backend.logged_in("admin").get("/api/v1/grids").json()}
    assert len(codes(grid_id=grids["district-1"])) == 3
    assert codes(grid_id=grids["district-2"]) == []


def test_a_foreign_cursor_is_a_problem(backend: Backend) -> None:
    answer = backend.logged_in("regulator").get("/api/v1/alerts", params={"cursor": "zzz"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_counts_begin_at_local_midnight(any_backend: Backend) -> None:
    deliver(any_backend, opening(), Violation(code="RODENT", tier=1).tell())
    assert isinstance(any_backend.clock, ManualClock)
    browser = any_backend.logged_in("regulator")
    assert browser.get("/api/v1/alerts/counts").json() == {
        "open_by_tier": {"1": 1, "2": 1, "3": 0},
        "found_today": 2,
    }
    any_backend.clock.advance(11 * 3600)  # noon at Greenwich minus eight: 23:00 in Shanghai
    browser = any_backend.logged_in("regulator")
    assert browser.get("/api/v1/alerts/counts").json()["found_today"] == 2
    any_backend.clock.advance(2 * 3600)
    assert browser.get("/api/v1/alerts/counts").json()["found_today"] == 0
