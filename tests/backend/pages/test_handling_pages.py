"""Steps from the page of an alert, the quick look, and the board: who may, and refusals in words."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from kitchen_watch.clock import ManualClock
from tests.backend.handling.test_case import picture
from tests.backend.pages.markup import read
from tests.backend.stories import Violation, deliver
from tests.backend.support import Backend


def take(browser: httpx.Client, step: str, *, alert_id: int = 1, **fields: object) -> httpx.Response:
    form = {"csrf_token": browser.headers["x-csrf-token"], "version": 0, **fields}
    return browser.post(f"/alerts/{alert_id}/steps/{step}", data=form)


def steps_on(browser: httpx.Client) -> set[str]:
    page = read(browser.get("/alerts/1").text)
    assert page.problems == []
    return {one.attributes["data-step"] or "" for one in page.all("form") if "data-step" in one.attributes}


def lines(browser: httpx.Client, path: str) -> list[str]:
    found = read(browser.get(path).text).all("li")
    return [one.attributes["data-board-alert"] or "" for one in found if "data-board-alert" in one.attributes]


def test_a_page_offers_exactly_what_its_reader_may_do_now(backend: Backend) -> None:
    deliver(backend, Violation().tell())
    officer, owner = backend.logged_in("regulator"), backend.logged_in("manager_a")
    staff = backend.logged_in("staff_a")
    assert steps_on(officer) == {"verify", "reject", "remind", "supervise"}
    assert steps_on(owner) == {"contain"}
    assert take(officer, "verify").headers["location"] == "/alerts/1"
    assert steps_on(officer) == {"assign", "transfer", "remind", "supervise"}
    take(officer, "assign", version=1)
    assert steps_on(owner) == {"accept", "appeal"}
    assert steps_on(staff) == {"accept"}  # the manager appeals, nobody else
    take(staff, "accept", version=2)
    assert steps_on(staff) == {"submit"}
    assert steps_on(officer) == {"remind", "supervise"}


def test_who_is_too_late_is_told_who_was_faster(backend: Backend) -> None:
    deliver(backend, Violation().tell())
    take(backend.logged_in("regulator"), "verify")
    late = take(backend.logged_in("supervisor"), "reject", reason="glare_or_dark")
    assert late.status_code == 409
    assert "已有人先处理" in late.text
    assert "测试 regulator 核实属实" in late.text


def test_what_was_written_is_kept_when_a_step_is_refused(backend: Backend) -> None:
    deliver(backend, Violation().tell())
    officer = backend.logged_in("regulator")
    refused = take(officer, "reject", reason="other", note=" ")
    assert refused.status_code == 422
    assert "原因为“其他”时，请在说明中写明。" in refused.text
    take(officer, "verify")
    take(officer, "assign", version=1)
    owner = backend.logged_in("manager_a")
    take(owner, "accept", version=2)
    refused = take(owner, "submit", version=3, text="已经<b>擦</b>净")
    assert refused.status_code == 422
    assert "请添加 1 至 9 张现状照片。" in refused.text
    assert "已经&lt;b&gt;擦&lt;/b&gt;净</textarea>" in refused.text


@pytest.mark.parametrize("name", ["manager_b", "regulator2"])
def test_strangers_to_an_alert_find_nothing_there(backend: Backend, name: str) -> None:
    deliver(backend, Violation().tell())
    stranger = backend.logged_in(name)
    assert take(stranger, "verify").status_code == 404
    assert stranger.get("/alerts/1/look").status_code in {403, 404}
    assert stranger.post("/alerts/1/photos", content=picture()).status_code in {403, 404}
    assert backend.logged_in("regulator").get("/api/v1/alerts/1/case").json()["version"] == 0


def test_a_step_needs_the_token_of_the_session(backend: Backend) -> None:
    deliver(backend, Violation().tell())
    officer = backend.logged_in("regulator")
    del officer.headers["x-csrf-token"]
    assert officer.post("/alerts/1/steps/verify", data={"version": 0}).status_code == 403


def test_a_bad_photo_is_told_in_the_readers_language(backend: Backend) -> None:
    deliver(backend, Violation().tell())
    officer, owner = backend.logged_in("regulator"), backend.logged_in("staff_a")
    early = owner.post("/alerts/1/photos", content=picture())
    assert (early.status_code, early.json()["problem"]) == (409, "只有在交办之后、提交整改之前才能上传照片。")
    take(officer, "verify")
    take(officer, "assign", version=1)
    for content, words in ((b"no picture", "无法读取"), (picture(size=(100, 90)), "小于 240 像素")):
        refused = owner.post("/alerts/1/photos", content=content)
        assert refused.status_code == 422
        assert words in refused.json()["problem"]
    kept = owner.post("/alerts/1/photos", content=picture())
    assert [box.attributes["value"] for box in read(kept.text).all("input")] == ["1"]


def test_the_board_sorts_by_urgency_within_the_readers_area(backend: Backend) -> None:
    assert isinstance(backend.clock, ManualClock)
    deliver(backend, Violation(tier=2).tell())
    backend.clock.advance(timedelta(minutes=40))  # its half hour to verify is over
    deliver(backend, Violation(camera_id="cam-b1", code="RODENT", tier=1).tell())
    deliver(backend, Violation(camera_id="cam-a2", code="NO_MASK", tier=3).tell())
    deliver(backend, Violation(camera_id="cam-c1", edge_id="edge-2").tell(), edge_id="edge-2")
    officer = backend.logged_in("regulator")
    assert lines(officer, "/board") == ["1", "2", "3"]
    assert lines(officer, "/board?tier=1&tier=3") == ["2", "3"]
    assert lines(officer, "/board?tier=9&grid=nonsense") == ["1", "2", "3"]
    text = officer.get("/board").text
    assert "超期 10 分钟" in text
    assert "还剩 10 分钟" in text
    assert backend.logged_in("manager_a").get("/board").status_code == 403
    assert lines(backend.logged_in("regulator2"), "/board") == ["4"]
    pressed = take(officer, "remind", next="/board")
    assert pressed.headers["location"] == "/board"
    assert "已催办" in officer.get("/board").text
    assert take(officer, "remind", next="https://evil.example/").headers["location"] == "/"
