"""What can be done with a live picture: boxes, snapshots, looking back; and the camera beside an alert."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.live import recording as recording_module
from tests.backend.live.edges import edge_of
from tests.backend.live.test_live import audited
from tests.backend.live.test_recordings import SPAN, boxes
from tests.backend.support import Backend
from tests.browser.conftest import DESK, PHONE
from tests.browser.scenes import scene
from tests.browser.test_every_page import check
from tests.browser.test_live import PAGE, PLAYS
from tests.edge.evidence.cameras import at

if TYPE_CHECKING:
    from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

DRAWN = "document.querySelectorAll('[data-live-drawn] rect').length"
PAST = "[...document.querySelectorAll('.live-past-video')].find((video) => !video.hidden)"
SLIDER = "Number(document.querySelector('[data-past-slider]').value)"
SAID = "document.querySelector('[data-past-words]').textContent"


@pytest.fixture(autouse=True)
def _short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "SEGMENT_S", 1.5)


def test_boxes_are_drawn_where_the_picture_is_and_go_when_nothing_comes(site: Backend, visit: Visit) -> None:
    with edge_of(site) as edge:
        look = boxes(edge)
        visitor = visit("regulator", size=DESK)
        visitor.go(PAGE)
        visitor.until(PLAYS, seconds=40)
        visitor.page.click("[data-live-boxes]")
        repeat(visitor, look, f"{DRAWN} === 1")
        # The box covers 0.1..0.3 of the picture's width, wherever the picture lies in its black frame.
        share = visitor.page.evaluate(
            """(() => {
              const video = document.querySelector("[data-live-video]");
              const cell = video.getBoundingClientRect();
              const scale = Math.min(cell.width / video.videoWidth, cell.height / video.videoHeight);
              const left = cell.left + (cell.width - video.videoWidth * scale) / 2;
              const box = document.querySelector("[data-live-drawn] rect").getBoundingClientRect();
              return [(box.left - left) / (video.videoWidth * scale), box.width / (video.videoWidth * scale)];
            })()"""
        )
        assert share == pytest.approx([0.1, 0.2], abs=0.01)
        assert visitor.page.text_content("[data-live-drawn] text") == "未戴帽"
        visitor.keep_picture("live-boxes")
        visitor.until(f"{DRAWN} === 0")  # what is not told again is not shown for long
        visitor.page.click("[data-live-boxes]")
        visitor.until("document.querySelector('[data-live-boxes]').ariaPressed === 'false'")
        wait_for_views(visitor, site, 1)


def repeat(visitor: Visitor, act: Callable[[], None], condition: str) -> None:
    for _ in range(100):
        act()
        visitor.page.wait_for_timeout(100)
        if visitor.page.evaluate(condition):
            return
    pytest.fail(f"never came true: {condition}")


def wait_for_views(visitor: Visitor, site: Backend, count: int) -> None:
    for _ in range(100):
        if len(site.parts.live.views) == count:
            return
        visitor.page.wait_for_timeout(100)
    pytest.fail(f"{len(site.parts.live.views)} views are open, not {count}")


def test_a_snapshot_is_shown_with_the_hash_that_is_written_down(site: Backend, visit: Visit) -> None:
    with edge_of(site):
        visitor = visit("regulator", size=PHONE)
        visitor.go(PAGE)
        visitor.until(PLAYS, seconds=40)
        visitor.page.click("[data-live-snapshot]")
        visitor.until("document.querySelector('[data-snapshot-dialog] img').naturalWidth > 0")
        shown = visitor.page.inner_text("[data-snapshot-dialog] code")
        visitor.keep_picture("live-snapshot")
        with visitor.page.expect_download() as download:
            visitor.page.click("[data-snapshot-dialog] a")
        assert hashlib.sha256(Path(download.value.path()).read_bytes()).hexdigest() == shown
    (row,) = audited(site, "live_snapshot_taken")
    assert (row.facts["sha256"], row.purpose) == (shown, "camera page")


def test_the_last_minutes_can_be_seen_again(site: Backend, visit: Visit, tmp_path: Path) -> None:
    with edge_of(site, recorded=tmp_path / "recorded"):
        visitor = visit("manager_a", size=PHONE)
        visitor.go(PAGE)
        visitor.until(PLAYS, seconds=40)
        visitor.page.click("[data-past-open]")
        visitor.until(f"{SAID}.includes('没有录像')")  # the film of this test is older than the last minutes
        visitor.page.evaluate(
            "([since, until]) => "
            "Object.assign(document.querySelector('[data-past-of]').dataset, { since, until })",
            [SPAN["since_at"], SPAN["until_at"]],
        )
        visitor.page.wait_for_timeout(4000)
        visitor.page.click("[data-past-open]")
        visitor.until(f"{PAST}?.videoWidth === 320", seconds=15)
        began = visitor.page.evaluate(SLIDER)
        visitor.until(f"{SLIDER} > {began} + 2", seconds=20)  # over the end of a piece
        check(visitor.page)
        visitor.keep_picture("live-past")
        visitor.page.evaluate(
            "(() => { const slider = document.querySelector('[data-past-slider]'); slider.value = slider.min;"
            " slider.dispatchEvent(new Event('change')); })()"
        )
        visitor.until(f"{SLIDER} < {began} + 2", seconds=10)
        visitor.page.click("[data-past-close]")
        visitor.until(f"!{PAST} && {PLAYS}")
    assert len(audited(site, "recording_watched")) >= 2
    assert audited(site, "recording_watched")[0].purpose == "time-shift"


def test_the_camera_and_its_recording_stand_beside_the_evidence(
    site: Backend, visit: Visit, tmp_path: Path
) -> None:
    moment = scene(site)
    moment.open()
    moment.upload_pictures()
    with site.parts.database.write() as session:
        session.execute(update(AlertRow).values(started_at=at(4)))
    with edge_of(site, recorded=tmp_path / "recorded"):
        for who, size, language in (("manager_a", PHONE, "zh"), ("regulator", DESK, "en")):
            visitor = visit(who, size=size, language=language)
            visitor.go("/alerts/1")
            visitor.page.wait_for_timeout(500)
            assert len(site.parts.live.views) == 0  # nobody watches without asking for it
            visitor.page.click("[data-beside-open]")
            visitor.until(PLAYS, seconds=40)
            visitor.page.wait_for_timeout(4000)  # the first pieces are whole
            visitor.page.click("[data-past-open]")
            visitor.until(f"{PAST}?.videoWidth === 320", seconds=20)
            check(visitor.page)
            visitor.page.locator("[data-beside]").scroll_into_view_if_needed()
            visitor.keep_picture(f"live-beside-{size[0]}")
            visitor.go("/cameras")
            wait_for_views(visitor, site, 0)
    purposes = {row.purpose for row in audited(site, "live_view_opened")}
    assert purposes == {"alert: 预警 1", "alert: alert 1"}
