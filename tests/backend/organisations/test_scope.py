"""Who sees what: each role its own part, the same for lists, single objects and figures."""

from __future__ import annotations

import pytest

from tests.backend.stories import deliver, opening
from tests.backend.support import Backend

SEES = {
    "admin": {"JY-A", "JY-B", "JY-C"},
    "supervisor": {"JY-A", "JY-B", "JY-C"},
    "supervisor2": {"JY-C"},
    "regulator": {"JY-A", "JY-B"},
    "regulator2": {"JY-C"},
    "official_a": {"JY-A"},
    "manager_a": {"JY-A"},
    "staff_a": {"JY-A"},
    "manager_b": {"JY-B"},
}
CAMERAS = {"JY-A": {"cam-a1", "cam-a2"}, "JY-B": {"cam-b1"}, "JY-C": {"cam-c1"}}


def test_every_role_sees_its_own_part_and_nothing_else(any_backend: Backend) -> None:
    deliver(any_backend, opening("cam-a1"), opening("cam-b1"))
    deliver(any_backend, opening("cam-c1", edge_id="edge-2"), edge_id="edge-2")
    everything = any_backend.logged_in("admin").get("/api/v1/alerts").json()["items"]
    assert len(everything) == 3
    for username, licences in SEES.items():
        browser = any_backend.logged_in(username)
        premises = browser.get("/api/v1/premises").json()["items"]
        assert {item["licence_no"] for item in premises} == licences, username
        cameras = {item["camera_id"] for item in browser.get("/api/v1/cameras").json()["items"]}
        assert cameras == set().union(*(CAMERAS[licence] for licence in licences)), username
        alerts = browser.get("/api/v1/alerts").json()["items"]
        assert {item["camera"]["camera_id"] for item in alerts} <= cameras
        assert len(alerts) == len(licences)
        assert sum(browser.get("/api/v1/alerts/counts").json()["open_by_tier"].values()) == len(licences)
        for alert in everything:
            wanted = 200 if alert["camera"]["camera_id"] in cameras else 404
            assert browser.get(f"/api/v1/alerts/{alert['alert_id']}").status_code == wanted
            assert browser.get(f"/api/v1/premises/{alert['premises']['id']}").status_code == wanted
            assert browser.get(f"/api/v1/cameras/{alert['camera']['camera_id']}").status_code == wanted


def test_what_is_out_of_scope_looks_like_what_does_not_exist(backend: Backend) -> None:
    deliver(backend, opening("cam-b1"))
    browser = backend.logged_in("manager_a")
    foreign, absent = browser.get("/api/v1/alerts/1"), browser.get("/api/v1/alerts/999")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.text.replace("alert 1 ", "") == absent.text.replace("alert 999 ", "")


@pytest.mark.parametrize(
    ("username", "edges"),
    [
        ("admin", ["edge-1", "edge-2"]),
        ("regulator", ["edge-1"]),
        ("regulator2", ["edge-2"]),
        ("official_a", []),
    ],
)
def test_an_edge_is_shown_to_those_who_see_all_its_cameras(
    any_backend: Backend, username: str, edges: list[str]
) -> None:
    shown = any_backend.logged_in(username).get("/api/v1/edges").json()
    assert [edge["edge_id"] for edge in shown] == edges


def test_the_tree_is_shown_from_the_own_node_down(any_backend: Backend) -> None:
    def codes(username: str) -> list[str]:
        return [node["code"] for node in any_backend.logged_in(username).get("/api/v1/grids").json()]

    assert codes("admin") == ["city", "district-1", "station-1", "grid-1", "district-2", "grid-2"]
    assert codes("supervisor2") == ["district-2", "grid-2"]
    assert codes("regulator") == ["grid-1"]
    assert any_backend.logged_in("manager_a").get("/api/v1/grids").status_code == 403


def test_lists_are_paged(any_backend: Backend) -> None:
    browser = any_backend.logged_in("admin")
    first = browser.get("/api/v1/premises", params={"limit": 2}).json()
    second = browser.get("/api/v1/premises", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    licences = [item["licence_no"] for item in first["items"] + second["items"]]
    assert (licences, second["next_cursor"]) == (["JY-A", "JY-B", "JY-C"], None)
    first = browser.get("/api/v1/cameras", params={"limit": 3}).json()
    second = browser.get("/api/v1/cameras", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    cameras = [item["camera_id"] for item in first["items"] + second["items"]]
    assert (cameras, second["next_cursor"]) == (["cam-a1", "cam-a2", "cam-b1", "cam-c1"], None)
