"""The tree, premises, cameras and people are changed without losing anybody's work or anybody's premises."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.backend.stories import deliver, opening_with_evidence
from tests.backend.support import Backend


def grids(browser: httpx.Client) -> dict[str, dict[str, Any]]:
    return {node["code"]: node for node in browser.get("/api/v1/grids").json()}


def people(browser: httpx.Client) -> dict[str, dict[str, Any]]:
    return {person["username"]: person for person in browser.get("/api/v1/people").json()["items"]}


def premises(browser: httpx.Client) -> dict[str, dict[str, Any]]:
    return {item["licence_no"]: item for item in browser.get("/api/v1/premises").json()["items"]}


PREMISES_KEYS = (
    "licence_no", "name", "name_en", "business_type", "address", "node_id", "time_zone", "hours",
    "responsible_person", "phone", "latitude", "longitude", "inspection_grade", "risk_grade",
    "rollout_batch", "uniform", "active", "version",
)  # fmt: skip
PERSON_KEYS = (
    "username", "display_name", "role", "node_id", "premises_id", "group_id", "disabled", "version",
)  # fmt: skip


def body_of(view: dict[str, Any], keys: tuple[str, ...], **changes: Any) -> dict[str, Any]:
    return {key: view[key] for key in keys} | changes


def test_a_new_grid_takes_premises_once_somebody_answers_for_it(any_backend: Backend) -> None:
    admin = any_backend.logged_in("admin")
    station = grids(admin)["station-1"]
    new = {"code": "grid-9", "kind": "grid", "name": "九号网格", "parent_id": station["id"]}
    grid = admin.post("/api/v1/grids", json=new)
    assert grid.status_code == 201, grid.text
    assert grid.json()["path"].startswith(station["path"])
    place = {"licence_no": "JY-N", "name": "新饭店", "node_id": grid.json()["id"]}

    refused = admin.post("/api/v1/premises", json=place)
    assert refused.status_code == 422
    assert "no officer" in refused.json()["detail"]
    listed = admin.get("/api/v1/organisation/orphans").json()
    assert [entry["code"] for entry in listed["grids_without_officer"]] == ["grid-9"]

    officer = {
        "username": "officer9", "display_name": "九号", "role": "grid_officer", "node_id": grid.json()["id"],
    }  # fmt: skip
    made = admin.post("/api/v1/people", json=officer)
    assert made.status_code == 201
    assert any_backend.log_in("officer9", made.json()["one_time_password"])
    assert admin.post("/api/v1/premises", json=place).status_code == 201
    assert admin.get("/api/v1/organisation/orphans").json()["grids_without_officer"] == []


def test_the_last_officer_of_a_grid_with_premises_cannot_go(any_backend: Backend) -> None:
    admin = any_backend.logged_in("admin")
    officer = people(admin)["regulator"]
    for change in ({"disabled": True}, {"node_id": grids(admin)["grid-2"]["id"]}):
        body = body_of(officer, PERSON_KEYS, **change)
        answer = admin.put(f"/api/v1/people/{officer['id']}", json=body)
        assert answer.status_code == 409, answer.text
    assert people(admin)["regulator"] == officer

    second = {
        "username": "deputy", "display_name": "副手", "role": "grid_officer", "node_id": officer["node_id"],
    }  # fmt: skip
    assert admin.post("/api/v1/people", json=second).status_code == 201
    gone = admin.put(f"/api/v1/people/{officer['id']}", json=body_of(officer, PERSON_KEYS, disabled=True))
    assert gone.status_code == 200


def test_the_last_administrator_stays(backend: Backend) -> None:
    admin = backend.logged_in("admin")
    row = people(admin)["admin"]
    answer = admin.put(f"/api/v1/people/{row['id']}", json=body_of(row, PERSON_KEYS, disabled=True))
    assert answer.status_code == 409


def test_premises_lie_in_leaves_only(backend: Backend) -> None:
    admin = backend.logged_in("admin")
    tree = grids(admin)
    place = {"licence_no": "JY-N", "name": "新饭店", "node_id": tree["station-1"]["id"]}
    assert "Choose one of those" in admin.post("/api/v1/premises", json=place).json()["detail"]
    below = {"code": "deeper", "kind": "grid", "name": "更深", "parent_id": tree["grid-1"]["id"]}
    assert "Move them first" in admin.post("/api/v1/grids", json=below).json()["detail"]


def test_a_moved_premises_leaves_its_old_alerts_in_the_old_grid(any_backend: Backend) -> None:
    admin = any_backend.logged_in("admin")
    deliver(any_backend, opening_with_evidence("cam-a1"))
    place = premises(admin)["JY-A"]
    old, new = grids(admin)["grid-1"]["id"], grids(admin)["grid-2"]["id"]
    moved = admin.put(f"/api/v1/premises/{place['id']}", json=body_of(place, PREMISES_KEYS, node_id=new))
    assert moved.status_code == 200, moved.text

    def alerts(node_id: int) -> int:
        return len(admin.get("/api/v1/alerts", params={"grid_id": node_id}).json()["items"])

    assert (alerts(old), alerts(new)) == (1, 0)
    deliver(any_backend, opening_with_evidence("cam-a2"))
    assert (alerts(old), alerts(new)) == (1, 1)


def test_a_moved_district_takes_everything_below_with_it(any_backend: Backend) -> None:
    admin = any_backend.logged_in("admin")
    tree = grids(admin)
    station = tree["station-1"]
    body = {
        "code": "station-1", "kind": "station", "name": "解放街所",
        "parent_id": tree["district-2"]["id"], "version": station["version"],
    }  # fmt: skip
    assert admin.put(f"/api/v1/grids/{station['id']}", json=body).status_code == 200
    assert grids(admin)["grid-1"]["path"].startswith(tree["district-2"]["path"])
    seen = premises(any_backend.logged_in("supervisor2"))
    assert set(seen) == {"JY-A", "JY-B", "JY-C"}
    circle = dict(body, code="district-2", name="金凤区", parent_id=tree["grid-1"]["id"], version=1)
    assert admin.put(f"/api/v1/grids/{tree['district-2']['id']}", json=circle).status_code == 422


def test_who_has_not_seen_the_last_change_is_told(any_backend: Backend) -> None:
    admin = any_backend.logged_in("admin")
    place = premises(admin)["JY-A"]
    first = body_of(place, PREMISES_KEYS, phone="0951-1")
    assert admin.put(f"/api/v1/premises/{place['id']}", json=first).status_code == 200
    second = admin.put(f"/api/v1/premises/{place['id']}", json=body_of(place, PREMISES_KEYS, phone="0951-2"))
    assert second.status_code == 409
    assert premises(admin)["JY-A"]["phone"] == "0951-1"
    entry = admin.get("/api/v1/audit", params={"action": "premises_changed"}).json()["items"][0]
    assert entry["facts"]["changes"] == {"phone": ["", "0951-1"]}


def test_three_scales_never_share_a_column(backend: Backend) -> None:
    admin = backend.logged_in("admin")
    place = premises(admin)["JY-A"]
    graded = body_of(place, PREMISES_KEYS, inspection_grade="C", risk_grade="D")
    assert admin.put(f"/api/v1/premises/{place['id']}", json=graded).status_code == 200
    shown = premises(admin)["JY-A"]
    assert (shown["inspection_grade"], shown["risk_grade"], shown["official_level"]) == ("C", "D", "D")
    wrong = body_of(shown, PREMISES_KEYS, inspection_grade="D")
    assert admin.put(f"/api/v1/premises/{place['id']}", json=wrong).status_code == 422


def test_the_history_of_responsible_officials_is_kept(any_backend: Backend) -> None:
    admin = any_backend.logged_in("admin")
    place = premises(admin)["JY-A"]
    other = people(admin)["regulator"]
    named = admin.put(
        f"/api/v1/premises/{place['id']}/official", json={"person_id": other["id"], "level": "C"}
    )
    assert [(item["level"], item["until_at"] is None) for item in named.json()["items"]] == [
        ("C", True),
        ("D", False),
    ]
    assert premises(any_backend.logged_in("official_a")) == {}
    manager = people(admin)["manager_a"]
    refused = admin.put(f"/api/v1/premises/{place['id']}/official", json={"person_id": manager["id"]})
    assert refused.status_code == 422


def test_a_camera_is_registered_and_changed(backend: Backend) -> None:
    admin = backend.logged_in("admin")
    place = premises(admin)["JY-A"]
    camera = {
        "camera_id": "cam-new", "premises_id": place["id"], "edge_id": "edge-1", "name": "备餐",
        "area_type": "area", "zone_type": "cold_room", "gb_device_id": "34020000001320000001",
    }  # fmt: skip
    made = admin.post("/api/v1/cameras", json=camera)
    assert made.status_code == 201, made.text
    assert admin.post("/api/v1/cameras", json=camera).status_code == 409
    changed = {key: value for key, value in camera.items() if key != "camera_id"}
    changed |= {"public": True, "version": 1}
    assert admin.put("/api/v1/cameras/cam-new", json=changed).json()["public"] is True
    assert admin.put("/api/v1/cameras/cam-new", json=changed).status_code == 409
    nowhere = dict(camera, camera_id="cam-2", edge_id="edge-nowhere")
    assert admin.post("/api/v1/cameras", json=nowhere).status_code == 422
    with_number = dict(camera, camera_id="cam-2", gb_device_id="123")
    assert admin.post("/api/v1/cameras", json=with_number).status_code == 422


@pytest.mark.parametrize("username", ["regulator", "supervisor", "official_a", "manager_a", "staff_a"])
def test_only_administrators_change_the_organisation(backend: Backend, username: str) -> None:
    browser = backend.logged_in(username)
    place = {"licence_no": "JY-N", "name": "新饭店", "node_id": 4}
    assert browser.post("/api/v1/premises", json=place).status_code == 403
    assert browser.get("/api/v1/people").status_code == 403
