"""An alert's life over the API: both sides, two officers at once, appeals, merging, photos."""

from __future__ import annotations

import io
import random
import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from kitchen_watch.clock import ManualClock
from tests.backend.stories import Violation, deliver, opening
from tests.backend.support import NOON, Backend

HOUR = timedelta(hours=1)


def picture(
    seed: int = 1, *, form: str = "JPEG", size: tuple[int, int] = (640, 480), exif: bool = False
) -> bytes:
    """A photo of coarse random blocks: the same seed looks the same, another one does not."""
    dice = random.Random(seed)
    blocks = Image.new("RGB", (8, 8))
    for x in range(8):
        for y in range(8):
            blocks.putpixel((x, y), (dice.randrange(256), dice.randrange(256), dice.randrange(256)))
    large = blocks.resize(size, Image.Resampling.BICUBIC)
    data = Image.Exif()
    if exif:
        data[0x010F] = "SecretPhoneMaker"
        data[0x8825] = {1: "N", 2: (38.0, 28.0, 0.0)}
    encoded = io.BytesIO()
    large.save(encoded, form, exif=data)
    return encoded.getvalue()


class Case:
    """Alert 1 and everybody who has to do with it."""

    def __init__(self, backend: Backend, **story: Any) -> None:
        self.backend = backend
        deliver(backend, Violation(**story).tell())
        self.browsers: dict[str, httpx.Client] = {}

    def browser(self, name: str) -> httpx.Client:
        if name not in self.browsers:
            self.browsers[name] = self.backend.logged_in(name)
        return self.browsers[name]

    def see(self, name: str = "regulator") -> dict[str, Any]:
        answer = self.browser(name).get("/api/v1/alerts/1/case")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def try_(self, name: str, step: str, **body: Any) -> httpx.Response:
        if step not in {"remind", "supervise", "contain"}:
            body.setdefault("version", self.see(name)["version"])
        return self.browser(name).post(f"/api/v1/alerts/1/{step}", json=body)

    def do(self, name: str, step: str, **body: Any) -> dict[str, Any]:
        answer = self.try_(name, step, **body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def photo(self, name: str = "staff_a", content: bytes | None = None) -> httpx.Response:
        return self.browser(name).post("/api/v1/alerts/1/photos", content=content or picture())

    def wait(self, duration: timedelta) -> None:
        assert isinstance(self.backend.clock, ManualClock)
        self.backend.clock.advance(duration)

    def until_assigned(self) -> None:
        self.do("regulator", "verify")
        self.do("regulator", "assign")

    def until_submitted(self) -> None:
        self.until_assigned()
        self.do("staff_a", "accept")
        photo = self.photo().json()["photo_id"]
        self.do("staff_a", "submit", text="帽子已戴好", photo_ids=[photo])


def test_from_an_alert_to_a_closed_case(any_backend: Backend) -> None:
    case = Case(any_backend)
    assert case.see()["steps"] == ["verify", "reject"]
    assert case.see("manager_a")["steps"] == []
    case.do("regulator", "verify")
    assigned = case.do("regulator", "assign", note="请今天改好")
    assert assigned["premises_owner"]["name"] == "测试 manager_a"
    assert assigned["territory_owner"]["name"] == "测试 official_a"
    assert assigned["due_at"] == "2026-03-02T05:00:00Z"  # accept within an hour
    case.wait(HOUR / 2)
    accepted = case.do("staff_a", "accept")
    assert accepted["due_at"] == "2026-03-02T15:59:59Z"  # fix before midnight in Shanghai
    photo = case.photo().json()
    assert case.browser("regulator").get(photo["url"]).status_code == 404  # not submitted yet
    submitted = case.do("staff_a", "submit", text="帽子已戴好", photo_ids=[photo["photo_id"]])
    assert submitted["state"] == "submitted"
    assert case.browser("regulator").get(photo["url"]).headers["content-type"] == "image/jpeg"
    returned = case.do("regulator", "review", accepted=False, note="照片看不清")
    assert returned["state"] == "returned"
    again = case.photo(content=picture(2)).json()["photo_id"]
    case.do("manager_a", "submit", text="重新拍了", photo_ids=[again])
    closed = case.do("regulator", "review", accepted=True)
    assert (closed["state"], closed["due_at"], closed["overdue"]) == ("closed", None, False)
    assert {one["step"]: one["met"] for one in closed["deadlines"]} == dict.fromkeys(
        ("verify", "accept", "fix"), True
    )
    assert [one["step"] for one in closed["transitions"]] == [
        "verify", "assign", "accept", "begin", "submit", "return", "begin", "submit", "close",
    ]  # fmt: skip
    assert [one["accepted"] for one in closed["rectifications"]] == [False, True]
    reopened = case.do("regulator", "reopen", note="又没戴")
    assert (reopened["state"], reopened["steps"]) == ("reopened", ["assign"])
    written = case.browser("admin").get("/api/v1/audit", params={"action": "alert_close"}).json()["items"]
    assert [(one["username"], one["object_id"]) for one in written] == [("regulator", "1")]
    summary = case.browser("regulator").get("/api/v1/alerts/1").json()
    assert (summary["state"], summary["version"]) == ("reopened", 10)


def test_of_two_officers_at_once_one_wins_and_the_other_is_told_who_did_what(any_backend: Backend) -> None:
    case = Case(any_backend)
    asked = [("regulator", "verify", {}), ("official_a", "reject", {"reason": "too_small"})]
    for name, _, _ in asked:
        case.browser(name)
    together = threading.Barrier(2)
    answers: dict[str, httpx.Response] = {}

    def act(name: str, step: str, body: dict[str, str]) -> None:
        together.wait()
        answers[name] = case.try_(name, step, version=0, **body)

    threads = [threading.Thread(target=act, args=one) for one in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers.values()) == [200, 409]
    loser = next(answer for answer in answers.values() if answer.status_code == 409).json()
    winner = next(name for name, answer in answers.items() if answer.status_code == 200)
    done = {"regulator": "verified", "official_a": "called a false alarm"}[winner]
    assert loser["detail"].startswith(f"测试 {winner} has {done} this alert at 2026-03-02 04:00 UTC")
    assert len(case.see()["transitions"]) == 1


def test_the_same_key_does_it_once_and_answers_the_same(any_backend: Backend) -> None:
    case = Case(any_backend)
    browser, key = case.browser("regulator"), {"idempotency-key": "0123456789abcdef"}
    body = {"version": 0, "note": ""}
    first = browser.post("/api/v1/alerts/1/verify", json=body, headers=key)
    case.do("regulator", "assign")
    second = browser.post("/api/v1/alerts/1/verify", json=body, headers=key)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    other = browser.post("/api/v1/alerts/1/verify", json={"version": 2}, headers=key)
    assert other.status_code == 409
    assert "idempotency key" in other.json()["detail"]
    for _ in range(2):
        browser.post("/api/v1/alerts/1/remind", json={}, headers={"idempotency-key": "remind-me-once"})
    assert case.see()["reminders"] == 1


@pytest.mark.parametrize("upheld", [True, False])
def test_another_officer_decides_the_appeal(any_backend: Backend, upheld: bool) -> None:
    case = Case(any_backend)
    case.until_assigned()
    assert case.try_("staff_a", "appeal", text="他戴了帽子").status_code == 403
    case.do("manager_a", "appeal", text="他戴了帽子")
    body = {"upheld": upheld, "note": "看过录像", **({"reason": "misread_clothing"} if upheld else {})}
    refused = case.try_("regulator", "decide", **body)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    assert "another officer" in refused.json()["detail"]
    assert case.try_("manager_a", "decide", **body).status_code == 403
    decided = case.do("supervisor", "decide", **body)
    assert decided["state"] == ("false_alarm" if upheld else "appeal_rejected")
    assert decided["appeals"][0]["upheld"] is upheld
    assert decided["appeals"][0]["decided_by"]["name"] == "测试 supervisor"
    if upheld:
        assert decided["due_at"] is None
        assert {one["step"]: one["met"] for one in decided["deadlines"]} == {
            "verify": True, "accept": True, "fix": None,
        }  # fmt: skip


def test_what_is_found_late_is_contained_by_midnight_and_closed_by_ten(any_backend: Backend) -> None:
    assert isinstance(any_backend.clock, ManualClock)
    any_backend.clock.set_wall(NOON + timedelta(hours=8, minutes=1))  # 20:01 in Shanghai
    case = Case(any_backend, tier=1, code="RODENT")
    verified = case.do("regulator", "verify")
    due = {one["step"]: one["due_at"] for one in verified["deadlines"]}
    assert (due["contain"], due["fix"]) == ("2026-03-02T15:59:59Z", "2026-03-03T02:00:00Z")
    contained = case.do("manager_a", "contain", text="已封闭该区域")
    assert contained["due_at"] == "2026-03-03T02:00:00Z"
    assert contained["rectifications"][0]["kind"] == "containment"
    assert case.try_("regulator", "contain", text="已封闭").status_code == 403


def test_who_contains_a_suspicion_is_not_asked_again_when_it_is_verified(any_backend: Backend) -> None:
    assert isinstance(any_backend.clock, ManualClock)
    any_backend.clock.set_wall(NOON + timedelta(hours=9))  # 21:00 in Shanghai
    case = Case(any_backend, tier=1, code="RODENT")
    case.do("staff_a", "contain", text="已封闭该区域")
    verified = case.do("regulator", "verify")
    assert [one["step"] for one in verified["deadlines"]] == ["verify", "fix"]


def test_people_remind_and_supervise(any_backend: Backend) -> None:
    case = Case(any_backend)
    case.until_assigned()
    case.do("regulator", "remind", note="快一点")
    case.do("supervisor", "supervise", note="第一次")
    seen = case.do("supervisor", "supervise", level=3, note="严重")
    assert (seen["reminders"], seen["supervision_level"]) == (1, 3)
    assert [(one["kind"], one["number"], one["level"], one["for_premises"]) for one in seen["notices"]] == [
        ("reminder", 1, 0, True), ("supervision", 1, 1, True), ("supervision", 2, 3, True),
    ]  # fmt: skip
    assert case.try_("supervisor", "supervise", level=2).status_code == 422
    assert case.try_("manager_a", "remind").status_code == 403


def test_merge_and_transfer(any_backend: Backend) -> None:
    case = Case(any_backend)
    deliver(any_backend, opening("cam-a2"), opening("cam-b1"), opening("cam-a1"))
    case.do("regulator", "verify")
    assert case.try_("regulator", "merge", into_alert_id=1).status_code == 422
    assert "same premises" in case.try_("regulator", "merge", into_alert_id=3).json()["detail"]
    assert case.try_("regulator", "merge", into_alert_id=99).status_code == 404
    merged = case.do("regulator", "merge", into_alert_id=2)
    assert (merged["state"], merged["transitions"][-1]["merged_into"], merged["due_at"]) == (
        "merged",
        2,
        None,
    )
    browser = case.browser("regulator")
    assert browser.post("/api/v1/alerts/4/verify", json={"version": 0}).status_code == 200
    assert browser.post("/api/v1/alerts/4/transfer", json={"version": 1}).status_code == 422  # why?
    moved = browser.post("/api/v1/alerts/4/transfer", json={"version": 1, "note": "立案"})
    assert (moved.json()["state"], moved.json()["steps"]) == ("transferred", [])
    assert browser.post("/api/v1/alerts/2/merge", json={"version": 0, "into_alert_id": 4}).status_code == 409


def test_impossible_steps_are_refused_in_a_sentence(backend: Backend) -> None:
    case = Case(backend)
    refused = case.try_("regulator", "assign")
    assert refused.status_code == 409
    assert refused.json()["detail"] == (
        'This alert is not verified yet; the step "assign" is possible only while it is verified or reopened.'
    )
    assert case.try_("regulator", "reject", reason="bad luck").status_code == 422


def test_photos_are_new_real_and_clean(any_backend: Backend) -> None:
    case = Case(any_backend)
    assert case.photo().status_code == 409  # before the assignment
    case.until_assigned()
    for content in (b"", b"not a picture", picture(size=(100, 100)), b"GIF89a" + bytes(50)):
        refused = case.browser("staff_a").post("/api/v1/alerts/1/photos", content=content)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    plain = io.BytesIO()
    Image.new("RGB", (640, 480), "white").save(plain, "PNG")
    assert "one plain colour" in case.photo(content=plain.getvalue()).json()["detail"]
    assert case.photo("regulator").status_code == 403
    assert case.photo("manager_b").status_code == 404
    taken = case.photo(content=picture(exif=True))
    assert case.photo(content=picture(exif=True)).json() == taken.json()  # the same upload once more
    kept = case.browser("staff_a").get(taken.json()["url"])
    assert b"SecretPhoneMaker" not in kept.content
    assert not Image.open(io.BytesIO(kept.content)).getexif()
    case.do("staff_a", "accept")
    missing = case.try_("staff_a", "submit", text="改好了", photo_ids=[99])
    assert missing.status_code == 422
    assert case.see()["state"] == "accepted"  # all or nothing
    case.do("staff_a", "submit", text="改好了", photo_ids=[taken.json()["photo_id"]])
    case.do("regulator", "review", accepted=False, note="再拍")
    reused = case.photo(content=picture(form="PNG", size=(800, 600)))  # saved anew, the same picture
    assert "used before" in reused.json()["detail"]
    assert case.photo(content=picture(7)).status_code == 200


def test_a_strangers_case_does_not_exist(any_backend: Backend) -> None:
    case = Case(any_backend)
    case.until_submitted()
    for name in ("manager_b", "regulator2", "supervisor2"):
        browser = case.browser(name)
        assert browser.get("/api/v1/alerts/1/case").status_code == 404
        assert browser.get("/api/v1/alerts/1/photos/1").status_code == 404
        for step in ("verify", "assign", "accept", "begin", "reopen", "transfer"):
            assert (
                browser.post(f"/api/v1/alerts/1/{step}", json={"version": 5, "note": "x"}).status_code == 404
            )
