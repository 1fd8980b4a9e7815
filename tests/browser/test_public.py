"""The public page behind the QR code on a stranger's phone, in a frame of another site, and the plates."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from kitchen_watch.control import WHOLLY_HIDDEN
from tests.backend.live.edges import edge_of
from tests.backend.public.test_public import award, heard, make_public, premises_id, publish
from tests.backend.support import Backend
from tests.browser import media
from tests.browser.conftest import DESK, PHONE
from tests.browser.test_every_page import check

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def prepared(site: Backend) -> str:
    page = publish(site)
    make_public(site, "cam-a1")
    make_public(site, "cam-a2")
    heard(site, "cam-a1")
    award(site, grade="A", awarded_on="2026-02-20", authority="兴庆区市场监督管理局")
    return page


@pytest.mark.parametrize(
    ("size", "language", "dark"), [(PHONE, "zh", False), (PHONE, "en", True), (DESK, "en", False)]
)
def test_a_stranger_scans_the_code(
    site: Backend, visit: Visit, size: tuple[int, int], language: str, *, dark: bool
) -> None:
    stranger = visit(size=size, dark=dark)
    stranger.go(f"{prepared(site)}?lang={language}")
    assert {"zh": "甲饭店", "en": "Restaurant A"}[language] in stranger.page.inner_text("h1")
    check(stranger.page)
    stranger.keep_picture(f"public-{size[0]}-{language}")
    stranger.page.click("header nav a")
    assert {"en": "甲饭店", "zh": "Restaurant A"}[language] in stranger.page.inner_text("h1")
    assert stranger.page.context.cookies(site.url) == [
        cookie
        for cookie in stranger.page.context.cookies(site.url)
        if cookie["name"] in {"kw_language", "kw_theme"}
    ]


def test_a_stranger_looks_into_the_kitchen(site: Backend, visit: Visit) -> None:
    page = prepared(site)
    shown = "document.querySelector('[data-public-camera]').dataset.state"
    with edge_of(site) as edge:
        known = False  # where faces are

        async def hidden() -> bytes:
            content = media.picture()
            return content if known else content[:2] + WHOLLY_HIDDEN + content[2:]

        edge.cameras["cam-a1"].public_picture = hidden
        stranger = visit(size=PHONE)
        stranger.go(page)
        stranger.until(f"{shown} === 'hidden'", seconds=25)
        assert "整体模糊" in stranger.page.inner_text("[data-public-camera]")
        stranger.keep_picture("public-hidden")
        known = True
        stranger.until(f"{shown} === 'shown'", seconds=25)
        assert "整体模糊" not in stranger.page.inner_text("[data-public-camera]")
        assert (
            stranger.page.evaluate("document.querySelector('[data-public-camera] img').naturalWidth") == 640
        )
        stranger.until("document.querySelectorAll('[data-state=none]').length === 1")
        check(stranger.page)
        stranger.keep_picture("public-picture")


def test_another_site_shows_it_in_a_frame_but_nothing_else(site: Backend, visit: Visit) -> None:
    page = prepared(site)
    stranger = visit(size=PHONE)
    with another_site(f"{site.url}{page}?embed=1", f"{site.url}/login") as address:
        stranger.page.goto(address)
        stranger.page.wait_for_timeout(500)
        shown = stranger.page.frames[1]
        assert "甲饭店" in shown.inner_text("h1")
        stranger.keep_picture("public-frame")
        assert stranger.page.frames[2].query_selector("form") is None
    stranger.errors[:] = [error for error in stranger.errors if "frame-ancestors" not in error]


def test_the_plates_of_a_premises(site: Backend, visit: Visit) -> None:
    prepared(site)
    for who, size, language in (("manager_a", PHONE, "zh"), ("regulator", DESK, "en")):
        reader = visit(who, size=size, language=language)
        reader.go(f"/premises/{premises_id(site)}/plate")
        reader.until("document.querySelector('.plate-code img').naturalWidth > 50")
        check(reader.page)
        reader.keep_picture(f"plate-{size[0]}-{language}")
    before = reader.page.inner_text(".plate-code a")
    with reader.page.expect_navigation():
        reader.page.click(".plate-layout form button")
    assert reader.page.inner_text(".plate-code a") != before


@contextmanager
def another_site(*framed: str) -> Iterator[str]:
    """A site on another origin that shows pages in frames."""
    body = "".join(f'<iframe src="{address}" width="340" height="640"></iframe>' for address in framed)

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 204)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!doctype html><title>news</title>{body}".encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
