"""One day: an alert comes from the edge, is verified, assigned, put right on a phone, reviewed and closed."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageDraw

from kitchen_watch.backend.pages.languages import choose
from kitchen_watch.backend.pages.times import remaining
from tests.backend.stories import Chain
from tests.backend.support import Backend
from tests.browser.conftest import DESK
from tests.browser.scenes import scene

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

POCKET = (390, 844)
STATE = "[data-part=head] .alert-state"


def photo(directory: Path, name: str, seed: int, *, plain: bool = False) -> str:
    """A picture as a phone would take it; the same seed looks the same."""
    dice = random.Random(seed)
    image = Image.new("RGB", (1200, 900), (214, 220, 222))
    if not plain:
        draw = ImageDraw.Draw(image)
        for _ in range(24):
            x, y = dice.randrange(1000), dice.randrange(700)
            shade = tuple(dice.randrange(256) for _ in range(3))
            draw.rectangle((x, y, x + dice.randrange(60, 400), y + dice.randrange(60, 400)), fill=shade)
    path = directory / name
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    path.write_bytes(buffer.getvalue())
    return str(path)


def alert_with_evidence(site: Backend, *, clip: bool = True) -> None:
    moment = scene(site)
    moment.open()
    moment.upload_pictures()
    if clip:
        moment.announce_clip()
        moment.upload_clip()


def step(page: Page, name: str) -> None:
    """Take a step that stands there as a button."""
    page.locator(f"form[data-step={name}] button.button-primary").click()


def explain(page: Page, name: str, words: str, *, field: str = "note", reason: str = "") -> None:
    """Open a step that wants words, write them, and take it."""
    form = page.locator(f"form[data-step={name}]")
    page.locator(f"details:has(form[data-step={name}]) > summary").click()
    if reason:
        form.locator("select[name=reason]").select_option(reason)
    form.locator(f"[name={field}]").fill(words)
    form.locator("button.button-primary").click()


def expect_state(page: Page, words: str) -> None:
    page.locator(STATE, has_text=words).wait_for()


def test_from_the_edge_to_a_closed_case(site: Backend, visit: Visit, tmp_path: Path) -> None:
    alert_with_evidence(site)
    officer = visit("regulator", size=DESK)
    desk = officer.page
    desk.click("[data-feed-list] [data-alert] h3 a")
    expect_state(desk, "疑似")
    assert "还剩" in desk.inner_text("#do .due")
    owner = visit("manager_a", size=POCKET)
    phone = owner.page
    owner.go("/alerts/1")
    assert phone.locator("form[data-step=verify]").count() == 0

    desk.evaluate("window.sameDocument = true")
    step(desk, "verify")
    expect_state(desk, "已核实")
    step(desk, "assign")
    expect_state(desk, "已交办")
    assert "测试 manager_a" in desk.inner_text("#do")
    assert "测试 official_a" in desk.inner_text("#do")
    assert desk.evaluate("window.sameDocument") is True

    expect_state(phone, "已交办")  # it came by itself
    owner.go("/home")
    owner.keep_picture("day-home")
    assert "需要立即办理" in phone.inner_text(".todo")
    assert phone.locator("[data-look]:visible").count() == 0  # the quick look is for those who verify
    assert "还剩" in phone.inner_text(".todo .due")
    phone.click(".todo-go")
    step(phone, "accept")
    expect_state(phone, "已接收")
    rectify(owner, tmp_path)
    expect_state(phone, "已提交整改")

    expect_state(desk, "已提交整改")
    assert desk.locator(".compare figure").count() == 3  # evidence, the restaurant's photo, the camera now
    officer.until("[...document.querySelectorAll('.compare img[src]')].every((one) => one.naturalWidth > 0)")
    desk.locator(".rectifications").scroll_into_view_if_needed()
    officer.keep_picture("day-review")
    explain(desk, "return", "看不清帽子，请再拍一张")
    expect_state(desk, "已退回")
    expect_state(phone, "已退回")
    assert "看不清帽子" in phone.inner_text("[data-part=history]")
    rectify(owner, tmp_path, seed=3, words="重新拍摄")
    expect_state(desk, "已提交整改")
    step(desk, "close")
    expect_state(desk, "已办结")
    text = desk.inner_text("[data-part=history]")
    for words in ("核实属实", "交办", "接收了预警", "提交了整改", "退回整改", "办结"):
        assert words in text
    officer.keep_picture("day-closed")
    expect_state(phone, "已办结")
    owner.go("/home")
    assert "目前没有需要您办理的事项" in phone.inner_text("main")


def rectify(owner: Visitor, directory: Path, *, seed: int = 2, words: str = "全员已戴好厨师帽") -> None:
    page = owner.page
    camera = page.locator("[data-file=camera]")
    if seed == 2:
        camera.set_input_files(photo(directory, "plain.jpg", 0, plain=True))
        page.locator("[data-problem]:visible").wait_for()
        assert "单一颜色" in page.inner_text("[data-problem]:visible")
        owner.errors.clear()  # the browser names the refused upload
    camera.set_input_files(photo(directory, f"photo-{seed}.jpg", seed))
    page.locator("[data-photo-tray] img").wait_for()
    page.fill("#submit-text", words)
    owner.keep_picture(f"day-rectify-{seed}")
    step(page, "submit")


def test_the_same_photo_is_refused_in_words(site: Backend, visit: Visit, tmp_path: Path) -> None:
    alert_with_evidence(site, clip=False)
    browser = site.logged_in("regulator")
    for version, name in enumerate(("verify", "assign")):
        assert browser.post(f"/api/v1/alerts/1/{name}", json={"version": version}).status_code == 200
    owner = visit("staff_a", size=POCKET)
    page = owner.page
    owner.go("/alerts/1")
    step(page, "accept")
    choose_photo(page, photo(tmp_path, "one.jpg", 5))
    page.locator("[data-photo-tray] img").wait_for()
    page.fill("#submit-text", "已整改")
    step(page, "submit")
    expect_state(page, "已提交整改")
    assert (
        site.logged_in("supervisor")
        .post("/api/v1/alerts/1/review", json={"version": 5, "accepted": False, "note": "再拍"})
        .is_success
    )
    expect_state(page, "已退回")
    choose_photo(page, photo(tmp_path, "again.jpg", 5))
    page.locator("[data-problem]:visible").wait_for()
    assert "使用过" in page.inner_text("[data-problem]:visible")
    assert page.locator("[data-photo-tray] img").count() == 0
    owner.errors.clear()


def choose_photo(page: Page, path: str) -> None:
    """As a person does: the browser's own dialog, from which a photo comes back a moment later."""
    with page.expect_file_chooser() as dialog:
        page.click("[data-pick=files]")
    dialog.value.set_files(path)


def test_a_photo_that_takes_its_time_comes_to_a_page_that_has_moved_on_meanwhile(
    site: Backend, visit: Visit, tmp_path: Path
) -> None:
    alert_with_evidence(site, clip=False)
    browser = site.logged_in("regulator")
    for version, name in enumerate(("verify", "assign")):
        assert browser.post(f"/api/v1/alerts/1/{name}", json={"version": version}).status_code == 200
    owner = visit("staff_a", size=POCKET)
    page = owner.page
    owner.go("/alerts/1")
    step(page, "accept")
    page.locator("[data-pick=files]").wait_for()
    with page.expect_file_chooser() as dialog:
        page.click("[data-pick=files]")
    assert browser.post("/api/v1/alerts/1/remind", json={"note": "请尽快"}).is_success
    page.locator("[data-moved]:visible").wait_for()  # the page says so; the form stays for its photo
    dialog.value.set_files(photo(tmp_path, "slow.jpg", 7))
    page.locator("[data-photo-tray] img").wait_for()


def test_an_appeal_is_decided_by_another_officer(site: Backend, visit: Visit) -> None:
    alert_with_evidence(site, clip=False)
    accuser = visit("regulator")
    accuser.go("/alerts/1")
    step(accuser.page, "verify")
    expect_state(accuser.page, "已核实")
    step(accuser.page, "assign")
    expect_state(accuser.page, "已交办")
    owner = visit("manager_a", size=POCKET)
    owner.go("/alerts/1")
    explain(owner.page, "appeal", "戴的是白色帽子，画面反光", field="text")
    expect_state(owner.page, "申诉")
    expect_state(accuser.page, "申诉")
    assert accuser.page.locator("form[data-step=uphold_appeal]").count() == 0
    assert "须由其他人员裁定" in accuser.page.inner_text("#do")
    judge = visit("supervisor")
    judge.go("/alerts/1")
    assert "白色帽子" in judge.page.inner_text("#do")
    explain(judge.page, "uphold_appeal", "确有帽子", reason="misread_clothing")
    expect_state(judge.page, "误报")
    assert "着装识别有误" in judge.page.inner_text("[data-part=history]")
    expect_state(owner.page, "误报")


def test_of_two_officers_at_once_the_second_is_told(site: Backend, visit: Visit) -> None:
    alert_with_evidence(site, clip=False)
    second = visit("supervisor", language="en")
    second.page.route("**/alerts/stream**", lambda route: route.abort())  # hears of nothing by itself
    second.go("/alerts/1")
    first = visit("regulator")
    first.go("/alerts/1")
    step(first.page, "verify")
    expect_state(first.page, "已核实")
    explain(second.page, "reject", "", reason="steam_or_smoke")
    told = second.page.locator("[data-refused]")
    told.wait_for()
    assert "Somebody was faster" in told.inner_text()
    assert "测试 regulator verified it" in told.inner_text()
    expect_state(second.page, "Verified")
    assert second.page.locator("form[data-step=assign]").count() == 1
    second.keep_picture("day-faster")
    second.errors.clear()  # the conflict and the stream that was cut are named by the browser


def test_a_writer_is_told_of_another_and_keeps_what_is_written(site: Backend, visit: Visit) -> None:
    alert_with_evidence(site, clip=False)
    writer = visit("supervisor")
    writer.go("/alerts/1")
    page = writer.page
    page.locator("details:has(form[data-step=reject]) > summary").click()
    page.fill("#reject-note", "像是蒸汽")
    page.wait_for_timeout(500)  # until its stream is open
    assert site.logged_in("regulator").post("/api/v1/alerts/1/verify", json={"version": 0}).is_success
    page.locator("[data-moved]:visible").wait_for()
    assert page.input_value("#reject-note") == "像是蒸汽"
    page.click("[data-show-anew]")
    expect_state(page, "已核实")


def test_a_page_counts_down_in_the_same_words_as_the_server(site: Backend, visit: Visit) -> None:
    now = datetime(2026, 3, 2, 4, tzinfo=UTC)
    for language in ("zh", "en"):
        officer = visit("regulator", language=language)
        script = officer.page.get_attribute("script[src$='feed.js']", "src") or ""
        for seconds in (-90_061, -3_600, -61, -20, 0, 59, 60, 3_599, 3_600, 3_660, 86_399, 86_400, 300_000):
            told = officer.page.evaluate(
                "([address, left]) => import(address).then((times) => times.remaining(left))",
                [script.replace("feed.js", "times.js"), seconds * 1000],
            )
            assert told == remaining(now + timedelta(seconds=seconds), choose(language), now=now)


def test_suspicions_are_judged_by_key_while_the_clip_loops(site: Backend, visit: Visit) -> None:
    chain = Chain()
    for camera_id in ("cam-a1", "cam-a2", "cam-b1"):
        moment = scene(site, camera_id, chain=chain, shade=hash(camera_id) % 50)
        moment.open()
        moment.upload_pictures()
        moment.announce_clip()
        moment.upload_clip()
    officer = visit("regulator")
    page = officer.page
    page.locator("[data-look]").nth(2).wait_for()
    officer.wait_until_live()
    page.keyboard.press("o")
    page.wait_for_selector("[data-look-of='3'] video")
    officer.until("document.querySelector('[data-look-of] video').currentTime > 0.2")
    assert page.evaluate("document.querySelector('[data-look-of] video').loop") is True
    page.keyboard.press("1")  # the reasons are shut: nothing happens
    officer.keep_picture("day-look")
    page.keyboard.press("v")
    page.wait_for_selector("[data-look-of='2']")
    page.keyboard.press("f")
    officer.keep_picture("day-look-reasons")
    page.keyboard.press("1")
    page.wait_for_selector("[data-look-of='1']")
    page.keyboard.press("Escape")
    states = [site.logged_in("regulator").get(f"/api/v1/alerts/{key}/case").json() for key in (1, 2, 3)]
    assert [one["state"] for one in states] == ["pending_verification", "false_alarm", "verified"]
    assert states[1]["transitions"][0]["reason"] == "steam_or_smoke"
    page.wait_for_selector("[data-alert='3'][data-state=verified]")


def test_the_board_shows_what_is_late_and_presses_for_it(site: Backend, visit: Visit) -> None:
    alert_with_evidence(site, clip=False)
    officer = visit("regulator")
    officer.go("/board")
    page = officer.page
    assert page.locator("[data-board-alert]").count() == 1
    page.locator("[data-board-alert] form[action$=remind] button").click()
    page.locator("[data-board-alert]", has_text="已催办 1 次").wait_for()
    page.locator("[data-board-alert] form[action$=supervise] button").click()
    page.locator("[data-board-alert]", has_text="督办 1 级").wait_for()
    assert "督办（2 级）" in page.inner_text("[data-board-alert]")
    officer.keep_picture("day-board")
    page.check("input[name=tier][value='1']")
    page.wait_for_url("**tier=1**")
    assert page.locator("[data-board-alert]").count() == 0
    owner = visit("manager_a", size=POCKET)
    owner.go("/board")
    assert "您的角色不能使用此页面" in owner.page.inner_text("main")
    owner.errors.clear()
