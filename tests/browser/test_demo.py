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
    edge = httpx.get(demo["edge_status"]).json()
    sizes = {one["camera_id"]: [one["width"], one["height"]] for one in edge["cameras"]}
    assert len(sizes) >= 5
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
    page.goto(f"{address}/wall?show=9")
    began: dict[str, dict[str, Any]] = {}
    for _ in range(300):
        page.wait_for_timeout(200)
        now = cells(page)
        began |= {name: one for name, one in now.items() if name not in began and one["way"] == "webrtc"}
        if len(began) == len(sizes) and all(
            now[name]["frames"] > one["frames"] + 20 for name, one in began.items()
        ):
            break
    assert set(now) == set(sizes)
    for name, one in now.items():
        assert (name, one["way"], one["size"]) == (name, "webrtc", sizes[name])
        assert one["frames"] > began[name]["frames"] + 20
    page.context.close()
