"""A day at the screen: an alert arrives live, is opened, its clip is played; nobody sees too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kitchen_watch.backend.auth.sessions import close_sessions_of
from kitchen_watch.backend.auth.tables import PersonRow
from tests.backend.stories import Chain
from tests.backend.support import Backend
from tests.browser.scenes import scene

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

CARD = "[data-feed-list] [data-alert]"


def test_an_alert_arrives_live_is_opened_and_its_clip_plays(site: Backend, visit: Visit) -> None:
    officer = visit("regulator")
    page = officer.page
    officer.wait_until_live()
    assert page.locator("[data-feed-empty]").is_visible()
    page.evaluate("window.sameDocument = true")

    moment = scene(site)
    moment.open()
    page.wait_for_selector(CARD)
    assert page.locator(f"{CARD} h3").inner_text() == "未戴厨师帽"
    assert "甲饭店" in page.locator(CARD).inner_text()
    assert page.locator(f"{CARD}.is-new").count() == 1
    assert "新预警：未戴厨师帽，甲饭店" in page.locator("[data-announcer]").inner_text()
    assert page.locator("[data-feed-empty]").is_hidden()

    moment.upload_pictures()
    page.wait_for_selector(f"{CARD} img")
    officer.until("document.querySelector('[data-alert] img').naturalWidth > 0")
    assert page.evaluate("window.sameDocument") is True
    officer.keep_picture("feed-live")

    page.click(f"{CARD} h3 a")
    page.wait_for_selector("[data-picture=annotated_snapshot]:visible")
    page.click("[data-show-picture=clean_snapshot]")
    assert page.locator("[data-picture=clean_snapshot]").is_visible()
    assert page.locator("[data-picture=annotated_snapshot]").is_hidden()
    assert page.locator("video").count() == 0

    page.evaluate("window.sameDocument = true")
    moment.announce_clip()
    page.wait_for_selector("[data-part=clip] progress")
    moment.upload_clip()
    page.wait_for_selector("video")
    assert page.evaluate("window.sameDocument") is True
    page.evaluate("document.querySelector('video').play()")
    officer.until("document.querySelector('video').currentTime > 0.5")
    page.evaluate("document.querySelector('video').currentTime = 12")  # asks for a later range
    officer.until("document.querySelector('video').currentTime > 12.2")
    assert page.evaluate("document.querySelector('video').videoWidth") == 640

    text = page.inner_text("main")
    assert "在 10 秒内，至少 70% 的分析帧须出现该情况。" in text
    assert "kitchen-yolo26n" in text
    assert "a1" * 32 in text
    assert "bf16" in text
    assert "设备时钟比服务器快 4.2 秒" in text
    assert "完整，校验通过" in text
    officer.keep_picture("alert-clip")


def test_a_lost_connection_is_shown_and_nothing_is_missed(site: Backend, visit: Visit) -> None:
    officer = visit("regulator")
    page = officer.page
    officer.wait_until_live()
    page.context.set_offline(True)
    page.wait_for_selector("[data-link-state][data-state=offline]")
    scene(site).open()
    scene(site, "cam-b1", chain=Chain(index=1)).open()
    assert page.locator(CARD).count() == 0
    page.context.set_offline(False)
    page.wait_for_selector("[data-link-state][data-state=live]")
    officer.until(f"document.querySelectorAll('{CARD}').length === 2")
    officer.errors.clear()  # the browser itself reports each failed connection


def test_a_session_that_ends_elsewhere_leads_to_the_login_page(site: Backend, visit: Visit) -> None:
    officer = visit("regulator")
    officer.wait_until_live()
    with site.parts.database.write() as session:
        close_sessions_of(session, session.query(PersonRow.id).filter_by(username="regulator").scalar())
    officer.page.wait_for_url("**/login?next=%2Falerts")


def test_a_restaurant_sees_its_own_and_nothing_else(site: Backend, visit: Visit) -> None:
    owner = visit("manager_a", size=(360, 740))
    owner.wait_until_live()
    chain = Chain()
    of_b = scene(site, "cam-b1", chain=chain, shade=7)
    of_b.open()
    of_b.upload_pictures()
    of_a = scene(site, "cam-a1", chain=chain)
    of_a.open()
    of_a.upload_pictures()
    owner.page.wait_for_selector(CARD)
    assert owner.page.locator(CARD).count() == 1
    assert "甲饭店" in owner.page.locator(CARD).inner_text()

    officer = visit("regulator")
    links = officer.page.locator(f"{CARD} h3 a")
    links.nth(1).wait_for()
    officer.page.locator(CARD, has_text="乙饭店").locator("h3 a").click()
    officer.page.wait_for_selector("[data-picture] img")
    alert_of_b = officer.page.url.removeprefix(site.url)
    picture_of_b = officer.page.locator("[data-picture] img").first.get_attribute("src") or ""

    for path in (alert_of_b, f"{alert_of_b}/card", picture_of_b, "/premises", "/edges"):
        answer = owner.page.request.get(site.url + path)
        assert answer.status in {403, 404}, path
        assert "乙饭店" not in answer.text()
    owner.go(alert_of_b)
    assert "这里没有内容" in owner.page.inner_text("main")
    owner.page.click("main a.button-primary")
    owner.page.wait_for_url("**/home")
    owner.errors.clear()  # the refused page itself


def test_filters_hold_for_what_arrives_later(site: Backend, visit: Visit) -> None:
    chain = Chain()
    scene(site, chain=chain, tier=2).open()
    officer = visit("regulator")
    page = officer.page
    page.locator(CARD).wait_for()
    page.check("input[name=tier][value='1']")
    page.wait_for_url("**tier=1**")
    officer.wait_until_live()
    assert page.locator(CARD).count() == 0
    assert "没有符合条件的预警" in page.inner_text("[data-feed-empty]")
    scene(site, "cam-b1", chain=chain, tier=2).open()
    scene(site, "cam-a2", chain=chain, code="RODENT", tier=1).open()
    page.wait_for_selector(CARD)
    assert page.locator(f"{CARD} h3").all_inner_texts() == ["老鼠"]


def test_the_feed_can_be_worked_by_keyboard(site: Backend, visit: Visit) -> None:
    chain = Chain()
    for camera_id in ("cam-a1", "cam-b1"):
        scene(site, camera_id, chain=chain).open()
    officer = visit("regulator")
    page = officer.page
    page.locator(CARD).nth(1).wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('[data-alert]').innerText").count("甲饭店") == 1
    page.keyboard.press("Enter")
    page.wait_for_url("**/alerts/*")


def test_sound_for_tier_1_is_a_choice_that_stays(visit: Visit) -> None:
    officer = visit("regulator")
    button = officer.page.locator("[data-sound]")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("title") == "一级预警声音：开"
    officer.go("/alerts")
    assert button.get_attribute("aria-pressed") == "true"


def test_the_language_is_switched_in_the_menu_and_stays(visit: Visit) -> None:
    officer = visit("regulator")
    page = officer.page
    page.click("details.menu > summary")
    page.click("button[name=language][value=en]")
    page.wait_for_selector("html[lang=en]")
    assert "Nothing" not in page.title()
    officer.go("/cameras")
    assert page.inner_text("h1") == "Cameras"
    page.click("details.menu > summary")
    page.click("button[name=theme][value=dark]")
    page.wait_for_selector("html[data-theme=dark]")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 19, 25)"
