"""Chromium watches a camera: directly, by way of the server when UDP is blocked, and through outages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.tables import PremisesRow
from tests.backend.live.edges import OF, edge_of
from tests.backend.support import Backend
from tests.browser.conftest import DESK, PHONE
from tests.live.peers import streaming

if TYPE_CHECKING:
    from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

STATE = "document.querySelector('[data-live]').dataset.state"
WORDS = "document.querySelector('[data-live-words]').textContent"
FRAMES = "document.querySelector('[data-live-video]').getVideoPlaybackQuality().totalVideoFrames"
SIZE = "((video) => `${video.videoWidth}x${video.videoHeight}`)(document.querySelector('[data-live-video]'))"
PAGE = "/cameras/cam-a1/live"
UDP_BLOCKED = """
window.RTCPeerConnection = class extends RTCPeerConnection {
  async setRemoteDescription(answer) {
    // what a network without UDP looks like from here: the other side's addresses lead nowhere
    answer.sdp = answer.sdp.replace(/a=candidate:[^\\r\\n]*\\r\\n/g, "");
    return super.setRemoteDescription(answer);
  }
};
"""
WHEN = """
window.kwWhen = {};
addEventListener("kw:live", ({ detail }) => { window.kwWhen[detail] ??= performance.now(); }, true);
"""
"""Keeps the moment (ms) at which the player first came into each of its states."""
ASKED = """
window.WebSocket = class extends WebSocket {
  constructor(address, ...more) {
    super(address, ...more);
    if (String(address).includes("kind=fmp4")) window.kwWhen.asked ??= performance.now();
  }
};
"""
"""Keeps the moment at which the film by way of the server was asked for."""
NO_MSE = "delete window.MediaSource;"


def test_chromium_plays_through_webrtc_at_the_right_size(site: Backend, visit: Visit) -> None:
    with edge_of(site):
        for who, size in (("manager_a", PHONE), ("regulator", DESK)):
            visitor = visit(who, size=size)
            visitor.go(PAGE)
            visitor.until(f"{STATE} === 'webrtc'", seconds=15)
            before = visitor.page.evaluate(FRAMES)
            visitor.until(f"{FRAMES} > {before} + 5", seconds=10)
            assert visitor.page.evaluate(SIZE) == "320x192"
            visitor.keep_picture(f"live-webrtc-{size[0]}")


@pytest.mark.parametrize(("blocked", "state"), [(UDP_BLOCKED, "fmp4"), (UDP_BLOCKED + NO_MSE, "mjpeg")])
def test_without_udp_it_falls_back_and_says_why(
    site: Backend, visit: Visit, blocked: str, state: str
) -> None:
    with edge_of(site):
        visitor = visit("manager_a", size=PHONE)
        visitor.page.add_init_script(blocked + WHEN + ASKED)
        visitor.go(PAGE)
        visitor.until(f"{STATE} === '{state}'", seconds=20)
        if state == "fmp4":
            took = visitor.page.evaluate("window.kwWhen.fmp4 - window.kwWhen.connecting") / 1000
            assert 4 <= took < 6
            waited = visitor.page.evaluate("window.kwWhen.fmp4 - window.kwWhen.asked") / 1000
            assert waited > 0.5, "it was made ready while the direct way could still have come"
        why = "当前网络无法直接连接" if state == "fmp4" else "当前浏览器无法直接播放"
        assert why in visitor.page.evaluate(WORDS)
        if state == "fmp4":
            before = visitor.page.evaluate(FRAMES)
            visitor.until(f"{FRAMES} > {before} + 5", seconds=10)
        visitor.keep_picture(f"live-{state}")


def test_the_camera_dies_and_comes_back_without_loading_the_page_again(site: Backend, visit: Visit) -> None:
    with edge_of(site, running=False) as edge:
        live = edge.cameras["cam-a1"]
        visitor = visit("manager_a", size=PHONE)
        with streaming(OF, live.main, live.sub, ahead=10):
            visitor.go(PAGE)
            visitor.until(f"{STATE} === 'webrtc'", seconds=15)
        edge.away = True
        visitor.until(f"{STATE} === 'away'", seconds=25)
        assert "该摄像头目前没有画面" in visitor.page.inner_text("[data-live-slate]")
        visitor.until("document.querySelector('[data-live-picture]').naturalWidth === 320")
        visitor.keep_picture("live-away")
        edge.away = False
        with streaming(OF, live.main, live.sub, ahead=10):
            visitor.until(f"{STATE} === 'webrtc'", seconds=25)


def test_a_wall_shows_what_it_has_and_fits_the_screen(site: Backend, visit: Visit) -> None:
    with edge_of(site):
        for size in (PHONE, DESK):
            visitor = visit("regulator", size=size)
            visitor.go("/wall?show=4")
            visitor.until(PLAYS, seconds=40)
            visitor.until("!!document.querySelector('[data-live=cam-a2][data-state=away]')", seconds=10)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert visitor.page.evaluate(wide) <= 0
            visitor.keep_picture(f"live-wall-{size[0]}")


PLAYS = f"['webrtc', 'fmp4', 'mjpeg'].includes({STATE})"
"""Where the way does not matter: a busy machine may miss the patience of the best one."""
WATCHED = "[...document.querySelectorAll('[data-live]')].map((one) => one.dataset.live).join()"
HELD = "document.querySelector('[data-wall]').hasAttribute('data-held')"
QUICK = "document.querySelector('[data-wall]').dataset.rotate = '2'"


def test_a_patrol_goes_on_by_itself_and_waits_for_who_looks_closely(site: Backend, visit: Visit) -> None:
    with edge_of(site):
        visitor = visit("regulator", size=DESK)
        visitor.go("/wall?show=1&rotate=15")
        visitor.page.evaluate("window.sameDocument = true")
        visitor.until(PLAYS, seconds=40)
        visitor.page.hover("[data-wall]")
        visitor.page.evaluate(QUICK)
        visitor.until(HELD)
        visitor.page.wait_for_timeout(3000)
        assert visitor.page.evaluate(WATCHED) == "cam-a1"
        visitor.page.mouse.move(2, 2)
        visitor.until(f"{WATCHED} === 'cam-a2'", seconds=10)
        assert "from=1" in visitor.page.url
        visitor.until(f"{STATE} === 'away'", seconds=15)
        # Views that were left have ended, and the page was never loaded anew.
        visitor.page.wait_for_timeout(500)
        assert len(site.parts.live.views) == 0
        assert visitor.page.evaluate("window.sameDocument") is True
        visitor.keep_picture("live-patrol")


def test_a_wall_obeys_the_keyboard(site: Backend, visit: Visit) -> None:
    with edge_of(site):
        visitor = visit("regulator", size=DESK, language="en")
        visitor.go("/wall?show=1&rotate=15")
        visitor.until(PLAYS, seconds=40)
        visitor.page.keyboard.press("ArrowLeft")
        visitor.until(f"{WATCHED} === 'cam-b1'")
        visitor.page.keyboard.press("ArrowRight")
        visitor.until(f"{WATCHED} === 'cam-a1'")
        visitor.page.keyboard.press("Space")
        visitor.page.evaluate(QUICK)
        visitor.until(HELD)
        assert visitor.page.inner_text("[data-wall-pause]").strip() == "Go on"
        visitor.until(PLAYS, seconds=40)
        visitor.page.focus("[data-live]")
        visitor.page.keyboard.press("Enter")
        visitor.until("!!document.fullscreenElement")
        until_watched(visitor, site, "main")
        visitor.page.keyboard.press("Enter")
        visitor.until("!document.fullscreenElement")
        until_watched(visitor, site, "sub")


def until_watched(visitor: Visitor, site: Backend, quality: str) -> None:
    for _ in range(100):
        if [view.quality for view in site.parts.live.views._views.values()] == [quality]:
            return
        visitor.page.wait_for_timeout(100)
    pytest.fail(f"the {quality} stream is not watched")


def test_a_window_is_asked_once_why_it_watches(
    visit: Visit, site: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Settings are frozen and their defaults shared by every backend of this process: it must not stay so.
    monkeypatch.setitem(site.parts.live.settings.__dict__, "ask_purpose", True)
    with edge_of(site):
        visitor = visit("regulator", size=PHONE)
        visitor.go(PAGE)
        visitor.page.wait_for_selector("dialog[open]")
        visitor.page.wait_for_timeout(700)
        assert len(site.parts.live.views) == 0
        visitor.keep_picture("live-purpose")
        visitor.page.check("input[value=complaint]")
        visitor.page.fill("input[name=note]", "12315-77")
        visitor.page.click("dialog .button-primary")
        visitor.until(PLAYS, seconds=40)
        visitor.go("/wall?show=1")
        visitor.until(PLAYS, seconds=40)
        assert visitor.page.query_selector("dialog[open]") is None
    entries = site.logged_in("admin").get("/api/v1/audit").json()["items"]
    purposes = {one["purpose"] for one in entries if one["action"] == "live_view_opened"}
    assert {"camera page: complaint, 12315-77", "wall: complaint, 12315-77"} <= purposes


def test_a_right_that_is_taken_away_ends_the_view_within_two_seconds(site: Backend, visit: Visit) -> None:
    with edge_of(site):
        visitor = visit("manager_a", size=PHONE)
        visitor.go(PAGE)
        visitor.until(PLAYS, seconds=40)
        with site.parts.database.write() as session:
            other = session.scalars(select(PremisesRow.id).where(PremisesRow.licence_no == "JY-B")).one()
            session.execute(
                update(PersonRow).where(PersonRow.username == "manager_a").values(premises_id=other)
            )
        began = time.monotonic()
        while len(site.parts.live.views):
            assert time.monotonic() - began < 2
            visitor.page.wait_for_timeout(50)
        visitor.until(f"!({PLAYS})", seconds=20)
        before = visitor.page.evaluate(FRAMES)
        visitor.page.wait_for_timeout(1000)
        assert visitor.page.evaluate(FRAMES) == before
    visitor.errors[:] = [error for error in visitor.errors if "404" not in error]


def test_an_administrator_tests_what_this_network_lets_through(site: Backend, visit: Visit) -> None:
    result = "document.querySelector('[data-check={}]').dataset.state"
    with edge_of(site):
        for size, blocked, wanted in ((PHONE, "", "ok"), (DESK, UDP_BLOCKED, "warn")):
            visitor = visit("admin", size=size, language="zh" if not blocked else "en")
            visitor.page.add_init_script(blocked)
            visitor.go("/live-test")
            for check in ("webrtc", "mse", "direct"):
                visitor.until(f"{result.format(check)} !== 'running'", seconds=15)
            assert visitor.page.evaluate(result.format("webrtc")) == "ok"
            visitor.until(f"{result.format('camera')} === '{wanted}'", seconds=20)
            detail = visitor.page.inner_text("[data-check=camera] [data-detail]")
            assert ("host → " in detail) if wanted == "ok" else ("lets no direct connection" in detail)
            visitor.keep_picture(f"live-test-{size[0]}")
        assert site.logged_in("regulator").get("/live-test").status_code == 403
