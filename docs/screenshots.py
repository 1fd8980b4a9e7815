"""Takes the README's screenshots from a running demo, so that they stay true.

    kitchen-watch demo --json > demo.jsonl &
    python docs/screenshots.py http://127.0.0.1:8000 donghu:PASSWORD alley:PASSWORD

Needs the extra [browser] and a Chromium (Debian: chromium). Pictures go to docs/pictures/.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

TARGET = Path(__file__).with_name("pictures")
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP = {"width": 1360, "height": 850}
PHONE = {"width": 390, "height": 844}


def log_in(browser: Browser, base: str, login: str, size: dict[str, int], language: str) -> Page:
    """A page on which the person is logged in; a one-time password is changed to itself plus a word."""
    user, _, password = login.partition(":")
    context = browser.new_context(
        viewport=size, base_url=base, locale=language, device_scale_factor=1.5 if size is PHONE else 1
    )
    page = context.new_page()
    page.goto("/login")
    for word in (password, f"{password}-kitchen"):
        page.fill("input[name=username]", user)
        page.fill("input[name=password]", word)
        with page.expect_navigation():
            page.click("form[action='/login'] button.button-primary")
        if "/login" not in page.url:
            break
    if "/password" in page.url:
        fields = page.locator("form[action='/password'] input[type=password]")
        for index, word in enumerate((password, f"{password}-kitchen", f"{password}-kitchen")):
            if index < fields.count():
                fields.nth(index).fill(word)
        with page.expect_navigation():
            page.click("form[action='/password'] button.button-primary")
    return page


def shoot(page: Page, path: str, name: str) -> None:
    """Open ``path`` and keep the picture as ``name``."""
    page.goto(path)
    page.wait_for_timeout(2500)
    page.screenshot(path=TARGET / f"{name}.png")
    print(f"{name}: {page.url}")


def main(base: str, regulator: str, restaurant: str) -> None:
    """All pictures."""
    TARGET.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = log_in(browser, base, regulator, DESKTOP, "zh-CN")
        shoot(page, "/alerts", "feed")
        page.locator("a[href^='/alerts/']").first.click()
        page.wait_for_timeout(3000)
        page.screenshot(path=TARGET / "alert.png")
        shoot(page, "/cameras", "cameras")
        page = log_in(browser, base, restaurant, PHONE, "zh-CN")
        shoot(page, "/home", "restaurant-phone")
        shoot(page, "/alerts", "feed-phone")
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
