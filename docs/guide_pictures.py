"""Takes the pictures of the user's guide and of the README from a backend on which one day is played.

    PYTHONPATH=. python docs/guide_pictures.py

Needs the extras [demo], [dev] and [browser], and a Chromium (Debian: chromium). Pictures go to
docs/guide/pictures/ (both languages) and docs/pictures/; each stays below 200 KB.
"""

from __future__ import annotations

import io
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from guide_story import Edge, act, backend, jpeg, make_late, still  # noqa: E402 - found beside this file
from tests.backend.support import PASSWORD, Backend  # noqa: E402

GUIDE, README = HERE / "guide" / "pictures", HERE / "pictures"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESK, PHONE = (1280, 800), (390, 844)
LANGUAGES = ("zh", "en")
LARGEST = 200_000
TITLES = {"stove": "01 巷口小馆 · 灶台", "preparation": "02 巷口小馆 · 切配", "store": "05 河畔食堂 · 库房"}


FOUND = (
    ("demo-stove", "NO_HAT", 2, "stove", "astronaut", (440, 108, 545, 228), "no_hat"),
    ("demo-store", "RODENT", 1, "store", "cat", (420, 290, 530, 385), "rat"),
    ("demo-preparation", "NO_MASK", 3, "preparation", "hopper", (430, 150, 530, 260), "no_mask"),
    ("demo-stove", "BIN_UNCOVERED", 2, "stove", "hopper", (700, 300, 800, 420), "bin_open"),
)
"""Camera, code, tier, room, figure, box in pixels of 960 x 540, label."""
APPEAL = "details:has(form[data-step=appeal]) > summary"
DONE = {"zh": "全员已戴好厨师帽，并已重新培训。", "en": "Everybody wears a hat now; we trained again."}


class Album:
    """Windows of everybody in both languages, and where their pictures go."""

    def __init__(self, browser: Browser, site: Backend) -> None:
        self._browser, self._site = browser, site
        self._pages: dict[tuple[str, str, tuple[int, int], bool], Page] = {}

    def page(self, who: str, language: str, size: tuple[int, int], *, dark: bool = False) -> Page:
        """A window in which somebody is logged in; the same one every time."""
        key = (who, language, size, dark)
        if key not in self._pages:
            context = self._browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                base_url=self._site.url,
                device_scale_factor=1.5 if size == PHONE else 1,
                color_scheme="dark" if dark else "light",
            )
            context.add_cookies([{"name": "kw_language", "value": language, "url": self._site.url}])
            page = context.new_page()
            page.goto("/login")
            page.fill("#username", who)
            page.fill("#password", PASSWORD)
            with page.expect_navigation():
                page.click("form[action='/login'] button.button-primary")
            self._pages[key] = page
        return self._pages[key]

    def guide(self, name: str, who: str, path: str, size: tuple[int, int], *, do: Any = None) -> None:
        """The same moment in both languages."""
        for language in LANGUAGES:
            page = self.page(who, language, size)
            self._shoot(page, path, GUIDE / f"{language}-{name}.png", do)

    def readme(self, name: str, who: str, path: str, size: tuple[int, int], **more: Any) -> None:
        """A picture for the README, Chinese first."""
        do = more.pop("do", None)
        self._shoot(self.page(who, "zh", size, **more), path, README / f"{name}.png", do)

    def _shoot(self, page: Page, path: str, target: Path, do: Any) -> None:
        page.goto(path)
        page.wait_for_timeout(900)  # pictures and the parts that come later
        if do is not None:
            do(page)
            page.wait_for_timeout(700)
        save(page.screenshot(), target)


def save(content: bytes, target: Path) -> None:
    """Keep a screenshot as a PNG with a palette, in as many colours as its size allows."""
    target.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    for colours in (256, 128, 64, 32):
        buffer = io.BytesIO()
        few = picture.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(buffer, "PNG", optimize=True)
        if buffer.tell() < LARGEST:
            break
    target.write_bytes(buffer.getvalue())
    print(f"{target.relative_to(HERE)}: {buffer.tell() // 1000} KB, {colours} colours")


def to(selector: str) -> Any:
    """Bring a part of the page to the top of the window."""

    def scroll(page: Page) -> None:
        page.locator(selector).first.evaluate("(one) => one.scrollIntoView({ block: 'start' })")
        page.mouse.wheel(0, -70)

    return scroll


def opened(selector: str) -> Any:
    """Open a step that wants words, and show it."""

    def click(page: Page) -> None:
        page.locator(selector).first.click()
        to(selector)(page)

    return click


def quick_look(page: Page) -> None:
    """Open the quick look with its reasons."""
    page.locator("[data-look]").last.click()
    page.locator("[data-look-of]").wait_for()
    page.wait_for_timeout(500)
    page.keyboard.press("f")


def add_photo(page: Page) -> None:
    """The restaurant has taken a photo and written what was done."""
    if page.locator("[data-photo-tray] img").count() == 0:
        after = jpeg(still("stove", "hopper", TITLES["stove"]))
        page.locator("[data-file=camera]").set_input_files(
            {"name": "IMG_0412.jpg", "mimeType": "image/jpeg", "buffer": after}
        )
        page.locator("[data-photo-tray] img").wait_for()
    page.fill("#submit-text", DONE["zh" if page.locator("html[lang=zh-CN]").count() else "en"])
    to("#do")(page)


def play(album: Album, site: Backend, edge: Edge) -> None:
    """The day, with a picture at every moment that the guide tells of."""
    for camera_id, code, tier, room, who, box, label in FOUND:
        edge.finds(camera_id, code, tier, room=room, who=who, title=TITLES[room], box=box, labels=[label])
    edge.pulse()
    make_late(site, 4, timedelta(hours=2, minutes=10))
    act(site, "donghu", 4, "remind", note="请尽快核实")
    act(site, "supervisor", 4, "supervise", note="")
    album.guide("officer-1-feed", "donghu", "/alerts", DESK)
    album.readme("feed", "donghu", "/alerts", DESK)
    album.readme("feed-dark", "donghu", "/alerts", DESK, dark=True)
    album.readme("feed-phone", "donghu", "/alerts", PHONE)
    album.guide("officer-2-look", "donghu", "/alerts?tier=1", DESK, do=quick_look)
    album.readme("quick-look", "donghu", "/alerts?tier=1", DESK, do=quick_look)
    album.readme("alert", "donghu", "/alerts/1", DESK)
    album.guide("officer-3-alert", "donghu", "/alerts/1", DESK, do=to("#do"))
    act(site, "donghu", 1, "verify")
    act(site, "donghu", 1, "assign", note="请今天整改")
    edge.pulse()
    album.guide("restaurant-1-home", "alley", "/home", PHONE)
    album.readme("restaurant-phone", "alley", "/home", PHONE)
    album.guide("restaurant-2-accept", "alley", "/alerts/1", PHONE, do=to("#do"))
    album.guide(
        "restaurant-5-appeal",
        "alley",
        "/alerts/1",
        PHONE,
        do=opened(APPEAL),
    )
    act(site, "alley", 1, "accept")
    album.guide("restaurant-3-rectify", "alley", "/alerts/1", PHONE, do=add_photo)
    page = album.page("alley", "zh", PHONE)
    page.locator("form[data-step=submit] button.button-primary").click()
    page.locator("form[data-step=submit]").wait_for(state="detached")
    album.guide("officer-4-review", "donghu", "/alerts/1", DESK, do=to("#do"))
    album.readme("review", "donghu", "/alerts/1", DESK, do=to("#do"))
    act(site, "donghu", 1, "review", accepted=False, note="请把另一位厨师也拍进来")
    album.guide("restaurant-4-returned", "alley", "/alerts/1", PHONE, do=to("[data-part=history]"))
    album.guide("officer-5-board", "donghu", "/board", DESK)
    album.readme("board", "donghu", "/board", DESK)
    edge.pulse()
    album.readme("cameras", "donghu", "/cameras", DESK)
    album.readme("premises", "donghu", "/premises", DESK)
    album.readme("edges", "supervisor", "/edges", DESK)
    album.readme("letters", "donghu", "/letters", DESK)
    album.readme("administration", "admin", "/administration", DESK)
    album.readme("notifications-phone", "alley", "/notifications", PHONE)


def main() -> None:
    """All pictures."""
    with backend() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        play(Album(browser, site), site, Edge(site))
        browser.close()


if __name__ == "__main__":
    main()
