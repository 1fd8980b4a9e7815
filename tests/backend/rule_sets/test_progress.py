"""How a campaign goes: what it covers, who confirmed it, what was found before and during it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from kitchen_watch.backend.rule_sets.publishing import Publisher
from kitchen_watch.clock import ManualClock
from tests.backend.stories import Violation, deliver
from tests.backend.support import Backend

CAMPAIGN = {
    "name": "口罩专项行动",
    "rules": {"NO_MASK": {"tier": 2}, "NO_HAT": {"tier": 2}},
    "time_zone": "Asia/Shanghai",
    "starts_local": "2026-03-03T12:00",
    "ends_local": "2026-03-07T12:00",
}


def found(backend: Backend, camera_id: str, code: str, edge_id: str = "edge-1") -> int:
    """An alert that is verified at once; its id."""
    deliver(backend, Violation(camera_id, edge_id, code).tell(), edge_id=edge_id)
    officer = backend.logged_in("supervisor")
    alert_id: int = officer.get("/api/v1/alerts").json()["items"][0]["alert_id"]
    assert officer.post(f"/api/v1/alerts/{alert_id}/verify", json={"version": 0}).status_code == 200
    return alert_id


def progress(who: httpx.Client) -> dict[str, Any]:
    answer = who.get("/api/v1/campaigns/1/progress")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_campaign_is_told_by_what_it_covers_and_by_alerts_before_and_during(backend: Backend) -> None:
    assert isinstance(backend.clock, ManualClock)
    found(backend, "cam-a1", "NO_MASK")  # Monday noon: the day before
    found(backend, "cam-c1", "NO_HAT", "edge-2")
    found(backend, "cam-b1", "RODENT")  # another rule
    answer = backend.logged_in("admin").post("/api/v1/rule-sets", json=CAMPAIGN)
    assert answer.status_code == 201, answer.text
    planned = progress(backend.logged_in("supervisor"))
    assert (planned["state"], planned["share_of_time"], planned["before_at"]) == (
        "planned", 0.0, planned["starts_at"],
    )  # fmt: skip
    backend.clock.advance(timedelta(days=1, hours=6))
    Publisher(backend.parts.database, backend.clock, backend.parts.control).look()
    deliver(backend, Violation("cam-a1").tell())  # nobody has verified it
    found(backend, "cam-b1", "NO_MASK")
    false = found(backend, "cam-b1", "NO_HAT")
    backend.clock.advance(timedelta(days=1, hours=18))
    told = progress(backend.logged_in("supervisor"))
    assert (told["state"], told["share_of_time"], told["premises"]) == ("running", 0.5, 3)
    assert (told["edges"], told["edges_confirmed"] + told["edges_waiting"]) == (2, 2)
    assert told["edges_waiting"] == 2, "no edge is connected here: nobody has confirmed anything"
    assert [(one["code"], one["before"], one["during"]) for one in told["by_code"]] == [
        ("NO_HAT", 1, 1), ("NO_MASK", 1, 1),
    ]  # fmt: skip
    assert [(one["premises"], one["before"], one["during"]) for one in told["by_grid"]] == [
        (2, 1, 2), (1, 1, 0),
    ]  # fmt: skip
    manager, officer = backend.logged_in("manager_b"), backend.logged_in("supervisor")
    steps = [
        (officer, "assign", {"version": 1}),
        (manager, "appeal", {"version": 2, "text": "no"}),
        (
            backend.logged_in("regulator"),
            "decide",
            {"version": 3, "upheld": True, "reason": "hidden", "note": "so"},
        ),
    ]
    for who, step, body in steps:
        answer = who.post(f"/api/v1/alerts/{false}/{step}", json=body)
        assert answer.status_code == 200, answer.text
    assert [one["during"] for one in progress(officer)["by_code"]] == [0, 1], "a false alarm is no find"


def test_everybody_sees_the_figures_of_their_own_part_of_the_world(backend: Backend) -> None:
    narrow = {**CAMPAIGN, "premises_id": 3}
    assert backend.logged_in("admin").post("/api/v1/rule-sets", json=narrow).status_code == 201
    assert [one["id"] for one in backend.logged_in("regulator2").get("/api/v1/campaigns").json()] == [1]
    assert progress(backend.logged_in("regulator2"))["premises"] == 1
    assert backend.logged_in("regulator").get("/api/v1/campaigns").json() == []
    assert backend.logged_in("regulator").get("/api/v1/campaigns/1/progress").status_code == 404
    assert backend.logged_in("manager_c").get("/api/v1/campaigns").status_code == 403
    officer = backend.logged_in("regulator2")
    assert "口罩专项行动" in officer.get("/campaigns").text
    assert "口罩专项行动" in officer.get("/campaigns/1").text
    assert backend.logged_in("regulator").get("/campaigns/1").status_code == 404
