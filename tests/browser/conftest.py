"""Fixtures of the browser tests: one Chromium, one backend per test, pages that complain loudly."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kitchen_watch.clock import SystemClock
from tests.backend.support import PASSWORD, Backend, running
from tests.support import require

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium"
PHONE = (360, 740)
TABLET = (1024, 768)
DESK = (1440, 900)
SHOTS = os.environ.get("KITCHEN_WATCH_SHOTS")
"""A directory: where set, pages that tests look at are also kept there as pictures."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    require(module="playwright", why="the pages are tested in a real browser")
    require(path=Path(CHROMIUM), why="the pages are tested in a real browser (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Backend]:
    """A backend with the sample district whose clock is the real one."""
    with running(tmp_path, clock=SystemClock()) as backend:
        yield backend


@dataclass
class Visitor:
    """One person's browser window."""

    site: Backend
    page: Page
    errors: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.site.url + path, wait_until="load")

    def log_in(self, username: str, password: str = PASSWORD) -> None:
        self.go("/login")
        self.page.fill("#username", username)
        self.page.fill("#password", password)
        self.page.click("form[action='/login'] button.button-primary")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def wait_until_live(self) -> None:
        self.page.wait_for_selector("[data-link-state][data-state=live]")

    def until(self, condition: str, *, seconds: float = 20) -> None:
        """Wait for an expression to hold; asked from outside, because the pages forbid ``eval``."""
        for _ in range(round(seconds * 10)):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(100)
        pytest.fail(f"still not so after {seconds:.0f} s: {condition}")

    def keep_picture(self, name: str) -> None:
        if SHOTS:
            self.page.screenshot(path=Path(SHOTS) / f"{name}.png")


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(chromium: Browser, site: Backend) -> Iterator[Visit]:
    """Open windows; at the end none of them may have reported an error."""
    visitors: list[Visitor] = []

    def open_window(
        username: str | None = None,
        *,
        size: tuple[int, int] = DESK,
        language: str = "zh",
        theme: str = "auto",
        dark: bool = False,
        touch: bool = False,
    ) -> Visitor:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            has_touch=touch,
        )
        for name, value in (("kw_language", language), ("kw_theme", theme)):
            context.add_cookies([{"name": name, "value": value, "url": site.url}])
        visitor = Visitor(site, context.new_page())
        visitor.page.on("pageerror", lambda error: visitor.errors.append(f"exception: {error}"))
        visitor.page.on(
            "console",
            lambda message: visitor.errors.append(message.text) if message.type == "error" else None,
        )
        visitors.append(visitor)
        if username is not None:
            visitor.log_in(username)
        return visitor

    yield open_window
    errors = [error for visitor in visitors for error in visitor.errors]
    for visitor in visitors:
        visitor.page.context.close()
    assert errors == []
