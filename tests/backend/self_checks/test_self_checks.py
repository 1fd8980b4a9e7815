"""Self-checks in a running backend: filled, handed in, corrected, missing, reminded of, counted."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.notifications.channels import teller_of
from kitchen_watch.backend.notifications.tables import NotificationRow
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.self_checks.figures import self_checks_figures
from kitchen_watch.backend.self_checks.filling import seal
from kitchen_watch.backend.self_checks.tables import SelfCheckReminderRow, SelfCheckRow
from kitchen_watch.backend.self_checks.timer import SelfCheckTimer
from kitchen_watch.clock import ManualClock
from tests.backend.stories import deliver, opening
from tests.backend.support import NOON, Backend, running

TUESDAY = "2026-03-03"
B = 2


def photo(seed: int = 1) -> bytes:
    noise = random.Random(seed).randbytes(320 * 240 * 3)
    file = io.BytesIO()
    Image.frombytes("RGB", (320, 240), noise).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def district(tmp_path: Path) -> Iterator[Backend]:
    """Tuesday noon; B, of which no hours are known, has an alert of this morning."""
    clock = ManualClock(NOON)
    settings = {"outgoing": {"send_here": False}, "self_checks": {"look_every_s": 9999.0}}
    with running(tmp_path, clock=clock, **settings) as backend:
        clock.advance(timedelta(days=1))
        deliver(backend, opening("cam-b1"))
        yield backend


def begin(who: httpx.Client, period: str = TUESDAY, kind: str = "daily") -> dict[str, Any]:
    answer = who.post("/api/v1/self-checks", json={"kind": kind, "period": period})
    assert answer.status_code == 201, answer.text
    check: dict[str, Any] = answer.json()
    return check


def all_good(check: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"yes_no": "yes", "text": "无"}
    numbers = {"cold_storage": 4.0, "frozen_storage": -18.5}
    return {
        item["key"]: {"value": numbers.get(item["key"], good.get(item["kind"]))}
        for section in check["content"]["sections"]
        for item in section["items"]
    }


def hand_in(who: httpx.Client, check: dict[str, Any], **answers: Any) -> httpx.Response:
    target = f"/api/v1/self-checks/{check['id']}"
    body = {"version": check["version"], "answers": all_good(check) | answers}
    saved = who.put(target, json=body)
    assert saved.status_code == 200, saved.text
    return who.post(f"{target}/submit", json={"version": saved.json()["version"]})


def test_a_restaurant_fills_todays_form_beginning_with_its_alerts_and_hands_it_in(district: Backend) -> None:
    manager = district.logged_in("manager_b")
    due = manager.get("/api/v1/self-checks/due").json()["items"]
    assert [(one["kind"], one["period"], one["overdue"]) for one in due] == [("daily", TUESDAY, False)]
    check = begin(manager)
    assert [(one["code"], one["state"]) for one in check["alerts"]] == [("NO_HAT", "pending_verification")]
    assert check["answers"]["measures"]["value"] == "本期监控预警：未戴厨师帽 1 起（已办结 0 起）。"
    assert begin(manager)["id"] == check["id"], "begun twice, it is one draft"
    target = f"/api/v1/self-checks/{check['id']}"
    early = manager.post(f"{target}/submit", json={"version": 1})
    assert early.status_code == 422
    assert "工作衣帽整洁" in early.text
    # what is not in order needs a picture
    saved = manager.put(target, json={"version": 1, "answers": all_good(check) | {"pests": {"value": "no"}}})
    assert manager.post(f"{target}/submit", json={"version": 2}).status_code == 422
    shown = manager.post(f"{target}/photos", params={"item": "pests"}, content=photo())
    assert shown.status_code == 200, shown.text
    assert manager.post(f"{target}/photos", params={"item": "nothing"}, content=photo()).status_code == 422
    assert manager.post(f"{target}/photos", params={"item": "pests"}, content=b"x").status_code == 422
    done = manager.post(f"{target}/submit", json={"version": saved.json()["version"]})
    assert done.status_code == 200, done.text
    assert (done.json()["findings"], done.json()["late"], done.json()["may_edit"]) == (1, False, False)
    officer = district.logged_in("regulator")
    assert officer.get(done.json()["photos"][0]["url"]).headers["content-type"] == "image/jpeg"
    assert manager.get("/api/v1/self-checks/due").json()["items"] == []
    with district.parts.database.read() as session:
        row = session.get_one(SelfCheckRow, check["id"])
        assert row.sha256 == seal(session, row)
        actions = set(session.scalars(select(AuditRow.action).where(AuditRow.object_type == "self_check")))
    assert actions == {"self_check_submitted", "self_check_photo_viewed"}


def test_what_was_handed_in_never_changes_and_a_correction_names_it(district: Backend) -> None:
    manager = district.logged_in("manager_b")
    check = begin(manager)
    done = hand_in(manager, check).json()
    target = f"/api/v1/self-checks/{check['id']}"
    body = {"version": done["version"], "answers": {}}
    assert manager.put(target, json=body).status_code == 409
    assert manager.post(f"{target}/submit", json={"version": done["version"]}).status_code == 409
    assert manager.post(f"{target}/photos", params={"item": "pests"}, content=photo()).status_code == 409
    assert manager.post(f"{target}/correct", json={"reason": ""}).status_code == 422
    answer = manager.post(f"{target}/correct", json={"reason": "冷藏温度填错"})
    assert answer.status_code == 201, answer.text
    correction = answer.json()
    assert (correction["corrects_id"], correction["revision"]) == (check["id"], 2)
    assert correction["answers"]["cold_storage"]["value"] == 4.0
    assert manager.post(f"{target}/correct", json={"reason": "again"}).status_code == 409
    assert hand_in(manager, correction, cold_storage={"value": 12.0}).json()["findings"] == 1
    before = manager.get(target).json()
    assert (before["answers"], before["sha256"]) == (done["answers"], done["sha256"])
    assert before["corrected_by_id"] == correction["id"]


def test_two_people_of_one_restaurant_cannot_overwrite_each_other(district: Backend) -> None:
    check = begin(district.logged_in("manager_b"))
    body = {"version": check["version"], "answers": {"clothes": {"value": "yes"}}}
    target = f"/api/v1/self-checks/{check['id']}"
    assert district.logged_in("manager_b").put(target, json=body).status_code == 200
    late = district.logged_in("manager_b").put(target, json=body)
    assert late.status_code == 409


def test_drafts_and_other_restaurants_forms_are_nobody_elses(district: Backend) -> None:
    check = begin(district.logged_in("manager_b"))
    target = f"/api/v1/self-checks/{check['id']}"
    for username in ("manager_a", "manager_c", "regulator", "regulator2"):
        assert district.logged_in(username).get(target).status_code == 404
    hand_in(district.logged_in("manager_b"), check)
    assert district.logged_in("regulator").get(target).status_code == 200
    for username in ("manager_a", "regulator2", "supervisor2", "official_a"):
        assert district.logged_in(username).get(target).status_code == 404
    assert district.logged_in("regulator").post("/api/v1/self-checks", json={}).status_code in {403, 422}


def test_periods_that_are_too_long_ago_or_to_come_cannot_be_begun(district: Backend) -> None:
    manager = district.logged_in("manager_b")
    for period, status in (
        ("2026-03-04", 409), ("2026-02-01", 409), ("2026-02-30", 422), ("2026-03", 422), ("0001-01-01", 422),
    ):  # fmt: skip
        answer = manager.post("/api/v1/self-checks", json={"kind": "daily", "period": period})
        assert answer.status_code == status, period
    patrol = {"kind": "patrol", "period": TUESDAY}
    assert manager.post("/api/v1/self-checks", json=patrol).status_code == 422


def test_what_was_missing_before_anybody_was_asked(district: Backend) -> None:
    officer = district.logged_in("regulator")
    for since, until in (("0001-01-01", "0001-01-02"), ("0001-01-05", "0001-02-10"), (None, "0001-01-02")):
        span = {"until_at": f"{until}T00:00:00Z"} | ({"since_at": f"{since}T00:00:00Z"} if since else {})
        assert officer.get("/api/v1/self-checks/missing", params=span).status_code == 422, span


def test_what_is_missing_is_listed_and_counted_and_closed_days_excuse(district: Backend) -> None:
    """A opens on Mondays only; B and C have no hours and so every day; B announces a closed Thursday."""
    assert isinstance(district.clock, ManualClock)
    manager = district.logged_in("manager_b")
    hand_in(manager, begin(manager))
    closed = {"first_day": "2026-03-05", "last_day": "2026-03-05", "reason": "盘点"}
    assert manager.post("/api/v1/self-checks/closures", json=closed).status_code == 201
    over = {"first_day": "2026-03-01", "last_day": "2026-03-05", "reason": "后补"}
    assert manager.post("/api/v1/self-checks/closures", json=over).status_code == 422
    officer = district.logged_in("regulator")
    assert officer.post("/api/v1/self-checks/closures", json=over).status_code == 422, "no premises named"
    district.clock.advance(timedelta(days=3))  # Friday noon: Tuesday to Thursday were due
    late = begin(district.logged_in("manager_b"), "2026-03-04")
    found = district.logged_in("supervisor").get("/api/v1/self-checks/missing").json()
    assert [(one["premises"], one["period"]) for one in found["items"]] == [
        ("乙饭店", "2026-03-04"),
        ("丙食堂", "2026-03-03"),
        ("丙食堂", "2026-03-04"),
        ("丙食堂", "2026-03-05"),
    ]
    assert (found["due"], found["submitted"], found["late"], found["missing"]) == (5, 1, 0, 4)
    lines = district.logged_in("regulator").get(f"/api/v1/ratings/{B}").json()["lines"]
    assert [(one["kind"], one["count"], one["of"], one["points"]) for one in lines] == [
        ("self_checks", 1, 2, -0.5)
    ]
    assert hand_in(district.logged_in("manager_b"), late).json()["late"]
    assert district.logged_in("regulator").get(f"/api/v1/ratings/{B}").json()["score"] == 100.0
    mine = district.logged_in("regulator").get("/api/v1/self-checks/missing").json()
    assert (mine["due"], mine["submitted"], mine["late"], mine["missing"], mine["items"]) == (2, 2, 1, 0, [])
    with district.parts.database.read() as session:
        paths = {row.code: row.path for row in session.scalars(select(NodeRow))}
        city, one, two = (
            self_checks_figures(session, paths[code], NOON, district.clock.now())
            for code in ("city", "district-1", "district-2")
        )
    for name in ("due", "submitted", "late", "missing", "findings"):
        assert getattr(city, name) == getattr(one, name) + getattr(two, name), name
    assert (city.due, city.missing) == (5, 3)


def test_a_restaurant_is_reminded_once_however_often_the_timers_look(district: Backend) -> None:
    assert isinstance(district.clock, ManualClock)
    hand_in(district.logged_in("manager_b"), begin(district.logged_in("manager_b")))
    parts = district.parts

    def look() -> int:
        settings = parts.settings.self_checks
        return SelfCheckTimer(
            parts.database, district.clock, settings, teller=teller_of(district.parts.settings)
        ).look()

    assert look() == 0, "at noon nobody is pressed"
    district.clock.advance(timedelta(hours=9, minutes=30))
    assert look() == 1, "C alone: A is closed on Tuesdays, B has handed in"
    assert look() == 0
    with parts.database.read() as session:
        told = session.execute(select(NotificationRow.source, NotificationRow.person_id)).all()
        assert session.scalar(select(func.count()).select_from(SelfCheckReminderRow)) == 1
    assert [source for source, _ in told if source.startswith("self-check/")] == [
        f"self-check/3/daily/{TUESDAY}"
    ]
    heard = district.logged_in("manager_c").get("/api/v1/notifications").json()["items"]
    assert heard[0]["subject"] == "[自查到期] 丙食堂 · 2026-03-03"


def test_the_pages_work_on_a_phone_without_a_script(district: Backend) -> None:
    manager = district.logged_in("manager_b")
    token = {"csrf_token": manager.headers["x-csrf-token"]}
    assert "日管控" in manager.get("/self-checks").text
    bad = manager.post("/self-checks", data={**token, "kind": "daily", "period": "x"})
    assert bad.status_code == 422
    begun = manager.post("/self-checks", data={**token, "kind": "daily", "period": TUESDAY})
    assert begun.status_code == 303
    target = begun.headers["location"]
    check = begin(manager)
    values = {f"value-{key}": str(one["value"]) for key, one in all_good(check).items()}
    form = {**token, "version": str(check["version"]), "act": "submit", **values, "value-pests": "no"}
    wrong = manager.post(target, data={**form, "value-cold_storage": "cold"})
    assert wrong.status_code == 422
    assert 'value="cold"' in wrong.text, "what was entered is not lost"
    gap = manager.post(target, data=form)
    assert gap.status_code == 422
    assert "此项需附照片" in gap.text
    again = {**form, "version": "2"}
    assert manager.post(target, data=form).status_code == 409, "an old page"
    done = manager.post(target, data=again, files={"photo-pests": ("a.jpg", photo(), "image/jpeg")})
    assert done.status_code == 303, done.text
    assert "更正" in manager.get(target).text
    officer = district.logged_in("regulator")
    assert TUESDAY in officer.get("/self-checks?days=1").text
    assert "否" in officer.get(target).text
    assert manager.post(f"{target}/correct", data={**token, "reason": "错"}).status_code == 303
    days = {"first_day": "2026-05-01", "last_day": "2026-05-03", "reason": "店休"}
    assert manager.post("/self-checks/closures", data={**token, **days}).status_code == 303
    assert manager.post("/self-checks/closures", data={**token, **days, "reason": ""}).status_code == 422
