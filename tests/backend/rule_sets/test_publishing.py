"""What an officer decides reaches the edge, and the edge's word reaches the officer."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from kitchen_watch.backend.edges.tables import ConfigurationRow
from kitchen_watch.backend.rule_sets.publishing import Publisher
from kitchen_watch.clock import ManualClock
from kitchen_watch.control import CameraCommand, CommandAnswer, ConfigurationAnswer, ConfigurationOffer
from tests.backend.edges.test_control import connected
from tests.backend.stories import PICTURE, deliver, opening_with_evidence, upload
from tests.backend.support import NOON, Backend, running

TRIANGLE = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.6]]
MASK = {"zone_id": "window", "kind": "mask", "name": "窗户", "polygon": TRIANGLE}
ZONE = {"zone_id": "stove", "kind": "zone", "name": "灶台", "polygon": TRIANGLE}


def publish(backend: Backend) -> list[str]:
    return Publisher(backend.parts.database, backend.clock, backend.parts.control).look()


def offers(backend: Backend) -> int:
    with backend.parts.database.read() as session:
        return session.scalar(select(func.count()).select_from(ConfigurationRow)) or 0


async def call(browser: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    return await asyncio.to_thread(browser.request, method, path, **more)


async def test_a_mask_is_drawn_and_the_edge_confirms_it(backend: Backend) -> None:
    officer = backend.logged_in("regulator")
    async with connected(backend) as edge:
        await edge.hello()
        drawn = await call(
            officer, "PUT", "/api/v1/cameras/cam-a1/areas", json={"version": 0, "areas": [MASK, ZONE]}
        )
        assert drawn.status_code == 200, drawn.text
        offer = await edge.hear()
        assert isinstance(offer, ConfigurationOffer)
        told = offer.cameras["cam-a1"]
        assert told is not None
        assert [mask["zone_id"] for mask in told["privacy"]] == ["window"]
        assert [zone["zone_id"] for zone in told["zones"]] == ["stove"]
        await edge.say(ConfigurationAnswer(offer_id=offer.offer_id, version=offer.version, accepted=True))
        await edge.beat()
        shown = (await call(officer, "GET", "/api/v1/cameras/cam-a1/areas")).json()
        assert (shown["version"], shown["answer"]["state"], shown["answer"]["connected"]) == (
            1, "accepted", True,
        )  # fmt: skip


async def test_a_refusal_is_shown_with_its_reason(backend: Backend) -> None:
    admin = backend.logged_in("admin")
    async with connected(backend) as edge:
        await edge.hello()
        made = await call(
            admin, "POST", "/api/v1/rule-sets",
            json={"name": "all", "area_type": "stove", "rules": {"NO_HAT": {"held_s": 5}}},
        )  # fmt: skip
        assert made.status_code == 201, made.text
        offer = await edge.hear()
        reason = "configuration: cam-a1: main: is missing"
        await edge.say(
            ConfigurationAnswer(offer_id=offer.offer_id, version=offer.version, accepted=False, reason=reason)
        )
        await edge.beat()
        shown = (await call(admin, "GET", f"/api/v1/rule-sets/{made.json()['id']}")).json()
        answers = {answer["edge_id"]: answer for answer in shown["edges"]}
        assert (answers["edge-1"]["state"], answers["edge-1"]["reason"]) == ("refused", reason)
        assert answers["edge-2"]["state"] == "waiting"
        assert shown["edges"][0]["edge_id"] == "edge-1", "refusals come first"


def test_two_officers_draw_at_once_and_one_is_told(any_backend: Backend) -> None:
    officer, supervisor = any_backend.logged_in("regulator"), any_backend.logged_in("supervisor")
    first = officer.put("/api/v1/cameras/cam-a1/areas", json={"version": 0, "areas": [MASK]})
    second = supervisor.put("/api/v1/cameras/cam-a1/areas", json={"version": 0, "areas": [ZONE]})
    assert (first.status_code, second.status_code) == (200, 409)
    third = supervisor.put("/api/v1/cameras/cam-a1/areas", json={"version": 1, "areas": [], "note": "拆除"})
    assert third.json()["version"] == 2
    history = officer.get("/api/v1/cameras/cam-a1/areas/versions").json()["items"]
    assert [(item["version"], len(item["areas"]), item["note"]) for item in history] == [
        (2, 0, "拆除"),
        (1, 1, ""),
    ]


def test_a_campaign_begins_and_ends_by_local_time_each_once(any_backend: Backend) -> None:
    """NOON is 12:00 in Shanghai; the campaign lasts from 13:00 to 14:00 there."""
    clock = any_backend.clock
    assert isinstance(clock, ManualClock)
    admin = any_backend.logged_in("admin")
    made = admin.post(
        "/api/v1/rule-sets",
        json={
            "name": "专项", "rules": {"NO_MASK": {"tier": 1}},
            "starts_local": "2026-03-02T13:00:00", "ends_local": "2026-03-02T14:00:00",
        },
    )  # fmt: skip
    assert made.status_code == 201, made.text
    path = "/api/v1/cameras/cam-c1/rules"
    publish(any_backend)
    assert admin.get(path).json()["rules"] == {}
    before = offers(any_backend)

    clock.advance(timedelta(minutes=61).total_seconds())
    assert clock.now() > NOON
    assert admin.get(path).json()["rules"]["NO_MASK"]["tier"]["value"] == 1
    publish(any_backend)
    begun = offers(any_backend)
    assert begun > before
    assert publish(any_backend) == []
    assert offers(any_backend) == begun

    clock.advance(timedelta(minutes=60).total_seconds())
    publish(any_backend)
    assert admin.get(path).json()["rules"] == {}
    assert offers(any_backend) > begun
    log = admin.get("/api/v1/audit").json()["items"]
    told = [entry["action"] for entry in log if entry["action"].startswith("campaign_")]
    assert told == ["campaign_ended", "campaign_began"]


def test_a_change_that_says_nothing_new_to_an_edge_makes_no_offer(backend: Backend) -> None:
    admin = backend.logged_in("admin")
    body = {"name": "B only", "premises_id": 2, "rules": {"NO_HAT": {"held_s": 5}}}
    made = admin.post("/api/v1/rule-sets", json=body)
    assert made.status_code == 201
    publish(backend)
    before = offers(backend)
    again = admin.put(f"/api/v1/rule-sets/{made.json()['id']}", json=body | {"version": 1, "note": "same"})
    assert again.json()["version"] == 2
    publish(backend)
    assert offers(backend) == before
    versions = admin.get(f"/api/v1/rule-sets/{made.json()['id']}/versions").json()["items"]
    assert [(item["version"], item["note"]) for item in versions] == [(2, "same"), (1, "")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"rules": {"NO_SUCH_RULE": {"tier": 1}}},
        {"rules": {}, "premises_id": 9999},
        {"rules": {}, "starts_local": "2026-03-02T13:00:00", "ends_local": "2026-03-02T13:00:00"},
        {"rules": {}, "starts_local": "0001-01-01T00:00:00"},
        {"rules": {}, "starts_local": "2026-03-02T13:00:00Z"},
        {"rules": {}, "time_zone": "Mars/Olympus", "starts_local": "2026-03-02T13:00:00"},
    ],
)
def test_an_impossible_rule_set_is_refused(backend: Backend, wrong: dict[str, Any]) -> None:
    answer = backend.logged_in("admin").post("/api/v1/rule-sets", json={"name": "x", **wrong})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("named", "starts_at"),
    [({}, "2026-03-02T12:00:00Z"), ({"time_zone": "Asia/Shanghai"}, "2026-03-02T05:00:00Z")],
)
def test_a_campaign_that_names_no_zone_begins_by_the_services_clock(
    tmp_path: Path, named: dict[str, str], starts_at: str
) -> None:
    with running(tmp_path, time_zone="America/Lima") as backend:
        body = {"name": "x", "rules": {"NO_HAT": {"held_s": 5}}, "starts_local": "2026-03-02T07:00:00"}
        if named:
            body["starts_local"] = "2026-03-02T13:00:00"
        made = backend.logged_in("admin").post("/api/v1/rule-sets", json=body | named)
        assert made.json()["starts_at"] == starts_at
        early = {"name": "y", "rules": {}, "starts_local": "9999-12-31T23:00:00"}  # beyond UTC's calendar
        assert backend.logged_in("admin").post("/api/v1/rule-sets", json=early).status_code == 422


def test_nobody_draws_on_a_camera_outside_the_own_scope(backend: Backend) -> None:
    for username in ("regulator2", "official_a"):
        browser = backend.logged_in(username)
        path = "/api/v1/cameras/cam-b1/areas"
        assert browser.get(path).status_code == 404
        assert browser.put(path, json={"version": 0, "areas": [MASK]}).status_code == 404
    assert backend.logged_in("manager_b").put(path, json={"version": 0, "areas": []}).status_code == 403


async def test_the_picture_to_draw_on_comes_from_the_edge_or_from_evidence(backend: Backend) -> None:
    officer = backend.logged_in("regulator")
    path = "/api/v1/cameras/cam-a1/picture"
    assert (await call(officer, "GET", path)).status_code == 404
    async with connected(backend) as edge:
        await edge.hello()
        asked = asyncio.create_task(call(officer, "GET", path))
        command = await edge.hear()
        while not isinstance(command, CameraCommand):
            command = await edge.hear()
        await edge.say(
            CommandAnswer(
                command_id=command.command_id, accepted=True, data=base64.b64encode(PICTURE).decode()
            )
        )
        answer = await asked
    assert (answer.content, answer.headers["x-picture-from"]) == (PICTURE, "edge")
    event = opening_with_evidence("cam-a1", clean_snapshot=PICTURE)
    await asyncio.to_thread(deliver, backend, event)
    await asyncio.to_thread(upload, backend, PICTURE)
    answer = await call(officer, "GET", path)
    assert answer.headers["x-picture-from"] == "evidence"
    assert answer.content == PICTURE
