"""Every page on a phone and on a desk, in both languages: it fits, it can be touched, it is quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.backend.stories import Chain
from tests.backend.support import Backend
from tests.browser.conftest import DESK, PHONE
from tests.browser.scenes import scene

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

OF_REGULATORS = ("/alerts", "/alerts/1", "/premises", "/cameras", "/edges", "/password", "/source")
OF_RESTAURANTS = ("/home", "/alerts", "/alerts/1", "/cameras")
SMALLEST_TARGET = 44

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TOUCHED = "button, .button, summary, select, input:not([type=checkbox]), .tabs a, .toggle"
TOO_SMALL = f"""
[...document.querySelectorAll("{TOUCHED}")]
  .map((element) => [element.outerHTML.slice(0, 90), element.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && Math.min(box.height, box.width) < {SMALLEST_TARGET} - 2)
  .map(([html]) => html)
"""


@pytest.mark.parametrize(
    ("size", "dark", "language"),
    [(PHONE, False, "zh"), (PHONE, True, "en"), (DESK, False, "en"), (DESK, True, "zh")],
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
    name = f"{'phone' if size == PHONE else 'desk'}-{language}-{'dark' if dark else 'light'}"

    stranger = visit(size=size, language=language, dark=dark)
    stranger.go("/login")
    check(stranger.page)
    stranger.keep_picture(f"login-{name}")
    for username, paths in (("regulator", OF_REGULATORS), ("manager_a", OF_RESTAURANTS)):
        reader = visit(username, size=size, language=language, dark=dark)
        for path in paths:
            reader.go(path)
            reader.page.wait_for_timeout(300 if path.startswith("/alerts") else 0)
            check(reader.page)
            reader.keep_picture(f"{username}{path.replace('/', '-')}-{name}")


def check(page: object) -> None:
    evaluate = page.evaluate  # type: ignore[attr-defined]  # a Page of playwright, which may be missing here
    where = evaluate("location.pathname")
    assert evaluate(TOO_WIDE) <= 0, f"{where} scrolls sideways"
    if evaluate("innerWidth") < 500:
        assert evaluate(TOO_SMALL) == [], f"{where} has targets that fingers miss"
