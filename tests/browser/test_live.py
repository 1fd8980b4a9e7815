"""Chromium watches a camera: directly, by way of the server when UDP is blocked, and through outages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.backend.live.edges import OF, edge_of
from tests.backend.support import Backend
from tests.browser.conftest import DESK, PHONE
from tests.live.peers import streaming

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

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
        visitor.page.add_init_script(blocked)
        visitor.go(PAGE)
        began = time.monotonic()
        visitor.until(f"{STATE} === '{state}'", seconds=20)
        took = time.monotonic() - began
        assert took >= 4
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
            visitor.until("!!document.querySelector('[data-live=cam-a1][data-state=webrtc]')", seconds=20)
            visitor.until("!!document.querySelector('[data-live=cam-a2][data-state=away]')", seconds=10)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert visitor.page.evaluate(wide) <= 0
            visitor.keep_picture(f"live-wall-{size[0]}")
