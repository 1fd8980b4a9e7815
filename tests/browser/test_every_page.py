"""Every page on a phone and on a desk, in both languages: it fits, it can be touched, it is quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import update

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.control import CameraState
from tests.backend.stories import Chain
from tests.backend.support import Backend
from tests.browser.conftest import DESK, PHONE, TABLET
from tests.browser.scenes import scene

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

OF_REGULATORS = (
    "/alerts",
    "/alerts/1",
    "/board",
    "/reports",
    "/reports/tonight",
    "/ratings/1",
    "/patrols",
    "/patrols/sweep",
    "/premises",
    "/cameras",
    "/edges",
    "/password",
    "/source",
)
OF_RESTAURANTS = ("/home", "/self-checks", "/alerts", "/alerts/1", "/cameras", "/patrols")
SMALLEST_TARGET = 44

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WIDE_ONES = """
[...document.querySelectorAll("main *")]
  .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((element) => element.outerHTML.slice(0, 90)).slice(0, 12)
"""
TOUCHED = "button, .button, summary, select, input:not([type=checkbox]), .tabs a, .toggle"
TOO_SMALL = f"""
[...document.querySelectorAll("{TOUCHED}")]
  .map((element) => [element.outerHTML.slice(0, 90), element.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && Math.min(box.height, box.width) < {SMALLEST_TARGET} - 2)
  .map(([html]) => html)
"""


@pytest.mark.parametrize(
    ("size", "dark", "language"),
    [
        (PHONE, False, "zh"),
        (PHONE, True, "en"),
        (TABLET, False, "en"),
        (DESK, False, "en"),
        (DESK, True, "zh"),
    ],
)
def test_every_page_fits_and_is_quiet(
    site: Backend, visit: Visit, size: tuple[int, int], *, dark: bool, language: str
) -> None:
    chain = Chain()
    moment = scene(site, chain=chain)
    moment.open()
    moment.upload_pictures()
    moment.announce_clip()
    moment.upload_clip()
    scene(site, "cam-b1", code="RODENT", tier=1, chain=chain).open(detail="一句很长的话" * 12)
    scene(site, "cam-a2", code="CAM_COVERED", tier=2, chain=chain).open()
    heartbeat(site)
    name = f"{size[0]}-{language}-{'dark' if dark else 'light'}"

    stranger = visit(size=size, language=language, dark=dark)
    stranger.go("/login")
    check(stranger.page)
    stranger.keep_picture(f"login-{name}")
    for username, paths in (("admin", OF_REGULATORS), ("manager_a", OF_RESTAURANTS)):
        reader = visit(username, size=size, language=language, dark=dark)
        for path in paths:
            reader.go(path)
            reader.page.wait_for_timeout(300 if path.startswith("/alerts") else 0)
            check(reader.page)
            reader.keep_picture(f"{username}{path.replace('/', '-')}-{name}")


def heartbeat(site: Backend) -> None:
    """The last word of an edge with every kind of trouble: nothing is as wide as trouble."""
    now = site.clock.now()
    trouble = f"rtsp://10.0.0.9/main: no answer from 10.0.0.9 within 10 s. {'Check it. ' * 12}"
    with site.parts.database.write() as session:
        session.add(
            EdgeStateRow(
                edge_id="edge-1",
                connection_id=uuid4(),
                connected_at=now,
                last_heard_at=now,
                clock_offset_ms=-4_200_000,
                software_version="0.1.0",
                outbox_pending=12_000,
                outbox_oldest_s=90_000.0,
                dead_letters=7,
                disk_free_bytes=412_000_000_000,
                warnings=[trouble],
            )
        )
        for camera_id, state in (("cam-a1", CameraState.STREAMING), ("cam-a2", CameraState.OFFLINE)):
            row = CameraStateRow(camera_id=camera_id, state=state, since_at=now, heard_at=now, reason=trouble)
            row.frames_analysed, row.frames_dropped, row.frame_age_ms = 123_456_789, 9_876_543, 4_321
            row.width, row.height, row.codec = 3840, 2160, "hevc"
            session.add(row)


def check(page: object) -> None:
    evaluate = page.evaluate  # type: ignore[attr-defined]  # a Page of playwright, which may be missing here
    where = evaluate("location.pathname")
    assert evaluate(TOO_WIDE) <= 0, f"{where} scrolls sideways"
    if evaluate("innerWidth") < 500:
        assert evaluate(TOO_SMALL) == [], f"{where} has targets that fingers miss"


def test_unbroken_names_of_people_and_edges_never_scroll_sideways(site: Backend, visit: Visit) -> None:
    endless = "W" * 80
    moment = scene(site)
    moment.open(detail=endless, zone_id=endless[:64])
    with site.parts.database.write() as session:
        for table in (CameraRow, PremisesRow):
            session.execute(update(table).values(name=endless, name_en=endless))
        session.execute(update(PremisesRow).values(address=endless))
        session.execute(
            update(AlertRow).values(
                code=endless[:40],
                model={"name": endless, "version": endless, "sha256": "a" * 64},
                rule={"rule_id": endless, "version": endless, "parameters": {endless: endless}},
                detections=[{"label": endless, "confidence": 0.5, "box": [0.1, 0.1, 0.2, 0.2]}],
            )
        )
    heartbeat(site)
    for username, pages in (("manager_a", OF_RESTAURANTS), ("regulator", OF_REGULATORS)):
        reader = visit(username, size=(360, 740))
        for path in pages:
            reader.go(path)
            page = reader.page
            assert page.evaluate(TOO_WIDE) <= 0, (path, page.evaluate(WIDE_ONES))
