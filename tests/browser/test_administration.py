"""Administration in a real browser: pages that fit, a mask drawn with a finger, a file looked at first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.backend.support import Backend
from tests.browser.conftest import DESK, PHONE
from tests.browser.scenes import scene
from tests.browser.test_every_page import check

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

PAGES = (
    "/administration",
    "/administration/tree",
    "/administration/premises",
    "/administration/premises/1",
    "/administration/premises/new",
    "/administration/cameras",
    "/administration/cameras/cam-a1",
    "/administration/cameras/cam-a1/areas",
    "/administration/people",
    "/administration/people/2",
    "/administration/people/new",
    "/administration/imports",
    "/administration/rules",
    "/administration/rules/1",
    "/administration/rules/new",
    "/administration/audit",
)


def picture_of_camera(site: Backend) -> None:
    moment = scene(site)
    moment.open()
    moment.upload_pictures()


@pytest.mark.parametrize(
    ("size", "dark", "language"), [(PHONE, False, "zh"), (DESK, False, "en"), (DESK, True, "zh")]
)
def test_every_page_of_administration_fits(
    site: Backend, visit: Visit, size: tuple[int, int], *, dark: bool, language: str
) -> None:
    picture_of_camera(site)
    rules = {"NO_MASK": {"tier": 2, "held_s": 5}, "NO_HAT": {"zones": ["stove"]}}
    made = site.logged_in("admin").post(
        "/api/v1/rule-sets", json={"name": "专间口罩", "area_type": "stove", "rules": rules}
    )
    assert made.status_code == 201, made.text
    name = f"{size[0]}-{language}-{'dark' if dark else 'light'}"
    admin = visit("admin", size=size, language=language, dark=dark)
    for path in PAGES:
        admin.go(path)
        admin.page.wait_for_load_state("networkidle")
        check(admin.page)
        admin.keep_picture(f"admin{path.replace('/', '-')}-{name}")


def finger(page: Any, places: list[tuple[float, float]], box: dict[str, float]) -> None:
    """Touch the picture at places in 0..1."""
    for x, y in places:
        page.touchscreen.tap(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_a_mask_is_drawn_with_a_finger_undone_and_saved(site: Backend, visit: Visit) -> None:
    picture_of_camera(site)
    officer = visit("regulator", size=PHONE, touch=True)
    page = officer.page
    officer.go("/administration/cameras/cam-a1/areas")
    officer.until("document.querySelector('[data-picture]').naturalWidth > 0")
    page.tap("[data-do=mask]")
    page.locator("[data-stage]").scroll_into_view_if_needed()
    box = page.locator("[data-shapes]").bounding_box()
    assert box is not None
    finger(page, [(0.2, 0.2), (0.7, 0.2), (0.7, 0.7), (0.9, 0.9)], box)
    page.tap("[data-do=undo]")
    box = page.locator("[data-shapes]").bounding_box()
    assert box is not None
    finger(page, [(0.2, 0.2)], box)  # the first corner again closes the outline
    assert page.locator("polygon.area-mask").count() == 1
    officer.keep_picture("areas-phone-drawn")
    page.fill("[data-name]", "邻居窗户")
    page.tap("[data-do=save]")
    officer.until("document.querySelector('[data-status]').dataset.state !== undefined")
    saved = site.logged_in("regulator").get("/api/v1/cameras/cam-a1/areas").json()
    assert saved["version"] == 1
    (mask,) = saved["areas"]
    assert (mask["kind"], mask["name"]) == ("mask", "邻居窗户")
    assert len(mask["polygon"]) == 3
    for (x, y), (wanted_x, wanted_y) in zip(
        mask["polygon"], [(0.2, 0.2), (0.7, 0.2), (0.7, 0.7)], strict=True
    ):
        assert x == pytest.approx(wanted_x, abs=0.02)
        assert y == pytest.approx(wanted_y, abs=0.02)


def test_a_zone_is_drawn_with_the_keyboard_alone(site: Backend, visit: Visit) -> None:
    picture_of_camera(site)
    officer = visit("regulator")
    page = officer.page
    officer.go("/administration/cameras/cam-a1/areas")
    page.focus("[data-do=zone]")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    page.focus("[data-do=finish]")
    page.keyboard.press("Enter")
    page.focus("[data-do=save]")
    page.keyboard.press("Enter")
    officer.until("document.querySelector('[data-status]').dataset.state !== undefined")
    (zone,) = site.logged_in("regulator").get("/api/v1/cameras/cam-a1/areas").json()["areas"]
    assert zone["kind"] == "zone"
    assert zone["polygon"] == [[0.5, 0.5], [0.7, 0.5], [0.7, 0.7]]


def test_a_bad_file_is_shown_cell_by_cell_and_a_good_one_is_applied(
    site: Backend, visit: Visit, tmp_path: Path
) -> None:
    admin = visit("admin")
    page = admin.page
    head = "许可证号,名称,网格编码,营业时间\n"
    bad, good = tmp_path / "坏.csv", tmp_path / "好.csv"
    bad.write_bytes((head + "JY-N1,新饭店,grid-77,每天 10:00-22:00\n,无证,grid-1,十点\n").encode("gbk"))
    good.write_bytes((head + "JY-N1,新饭店,grid-1,每天 10:00-22:00\n").encode("gbk"))
    for file in (bad, good):
        admin.go("/administration/imports")
        page.select_option("#kind", "premises")
        page.set_input_files("#file", file)
        page.click("[data-import] button")
        page.wait_for_url("**/administration/imports/*")
        check(page)
        admin.keep_picture(f"import-{'bad' if file is bad else 'good'}")
        if file is bad:
            table = page.inner_text("[data-problems]")
            assert "“grid-77”尚未登记" in table
            assert "第 3 行" in table
            assert page.locator("form[data-api$=apply]").count() == 0
    page.click("form[data-api$=apply] button")
    page.wait_for_url("**/administration/imports")
    names = [item["name"] for item in site.logged_in("admin").get("/api/v1/premises").json()["items"]]
    assert "新饭店" in names


def test_a_refusal_is_said_in_the_language_of_the_page(site: Backend, visit: Visit) -> None:
    admin = visit("admin")
    admin.go("/administration/premises/new")
    page = admin.page
    page.fill("#licence", "JY-A")
    page.fill("#name", "重复")
    page.select_option("#node", label="　　　一号网格")
    page.click("form[data-api] button")
    admin.until("document.querySelector('[data-problem-words]').textContent.includes('已登记')")
    admin.errors.clear()  # a browser calls the answer 409 an error
