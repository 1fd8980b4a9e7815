"""The demo as a newcomer starts it: Chromium plays all of its cameras, directly and in their own size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.browser.conftest import DESK
from tests.support import REPOSITORY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
PASSWORD = "a newcomer's own pass phrase"
CELLS = """[...document.querySelectorAll("[data-live]")].map((cell) => {
  const video = cell.querySelector("video");
  return [cell.dataset.live, {
    way: cell.dataset.state, size: [video.videoWidth, video.videoHeight],
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
  }];
})"""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The running demo, as its own JSON line tells of it."""
    command = [
        sys.executable,
        "-m",
        "kitchen_watch",
        "demo",
        "--json",
        "--for",
        "400",
        "--data-dir",
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    ) as process:
        try:
            assert process.stdout is not None
            lines = (json.loads(line) for line in process.stdout)
            yield next(line for line in lines if line["event"] == "ready")
        finally:
            process.terminate()
            process.wait(30)


def cells(page: Page) -> dict[str, dict[str, Any]]:
    return dict(page.evaluate(CELLS))


def test_chromium_plays_all_demo_cameras_through_webrtc(chromium: Browser, demo: dict[str, Any]) -> None:
    address = demo["address"]
    (given,) = [one["password"] for one in demo["logins"] if one["username"] == "donghu"]
    with httpx.Client(base_url=address) as client:
        me = client.post("/api/v1/session", json={"username": "donghu", "password": given}).json()
        change = {"present": given, "new": PASSWORD}
        headers = {"x-csrf-token": me["csrf_token"]}
        assert client.put("/api/v1/session/password", json=change, headers=headers).is_success
    page = chromium.new_context(viewport={"width": DESK[0], "height": DESK[1]}).new_page()
    page.goto(f"{address}/login")
    page.fill("#username", "donghu")
    page.fill("#password", PASSWORD)
    page.click("form[action='/login'] button.button-primary")
    page.wait_for_url(lambda url: "/login" not in url)
    for _ in range(3):  # a machine that still starts all this may miss the patience of the best way
        page.goto(f"{address}/wall?show=9")
        page.wait_for_selector("[data-live]")
        if all(one["way"] == "webrtc" for one in when_all_play(page).values()):
            break
    sizes = {
        one["camera_id"]: [one["width"], one["height"]]
        for one in httpx.get(f"{demo['edge_status']}/status").json()["cameras"]
    }
    assert len(sizes) >= 5
    before = cells(page)
    assert {name: (one["way"], one["size"]) for name, one in before.items()} == {
        name: ("webrtc", size) for name, size in sizes.items()
    }
    for _ in range(50):
        page.wait_for_timeout(200)
        now = cells(page)
        if all(now[name]["frames"] > before[name]["frames"] + 20 for name in before):
            break
    assert {name for name in before if now[name]["frames"] <= before[name]["frames"] + 20} == set()
    page.context.close()


def when_all_play(page: Page) -> dict[str, dict[str, Any]]:
    """The cells once all of them show a moving picture, at most after half a minute."""
    for _ in range(60):
        page.wait_for_timeout(500)
        now = cells(page)
        if all(one["way"] in {"webrtc", "fmp4", "mjpeg"} for one in now.values()):
            break
    return now
