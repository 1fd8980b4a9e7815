"""One whole patrol on a phone: the queue, the live camera, the form, a snapshot, handing in, the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.backend.handling.test_case import picture
from tests.backend.live.edges import edge_of
from tests.backend.patrols.inspectors import Inspectors
from tests.backend.support import Backend
from tests.browser.conftest import PHONE

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def test_an_officer_looks_through_the_cameras_and_hands_the_form_in(site: Backend, visit: Visit) -> None:
    with edge_of(site):
        officer = visit("regulator", size=PHONE)
        page = officer.page
        officer.go("/patrols")
        page.click("form[action='/patrols/start'] .button-primary")
        page.wait_for_url("**/patrols/1")
        page.wait_for_selector("[data-live=cam-a1][data-state=webrtc], [data-live=cam-a1][data-state=fmp4]")
        for label in page.query_selector_all("label:has(input[value=yes])"):
            label.evaluate("(one) => one.querySelector('input').click()")
        page.evaluate("document.querySelector(\"input[name='a.hats'][value=no]\").click()")
        page.evaluate("document.querySelector(\"input[name='a.overall'][value=fair]\").click()")
        page.fill("#n-hats", "帮厨未戴帽")
        page.evaluate("document.querySelector('[data-item=hats] [data-shoot=cam-a1]').click()")
        page.wait_for_selector("[data-item=hats] [data-tray] img")
        officer.until("document.querySelector('.patrol-end [data-state]').textContent.includes('13 / 14')")
        officer.keep_picture("patrol-phone")
        page.click("[name=complete]")  # a real press: a scripted one runs in another order
        page.wait_for_selector(".patrol-findings")
        assert "帮厨未戴帽" in page.inner_text(".patrol-findings")
    check = Inspectors(site).ask("regulator", "GET", "/1")
    assert (check["state"], check["findings"], check["pictures"][0]["source"]) == ("completed", 1, "snapshot")
    assert check["views"] >= 1  # what was watched stands in the audit log, with the patrol as its purpose

    owner = visit("manager_a", size=PHONE)
    owner.go("/patrols/1")
    owner.page.fill(".patrol-reply textarea", "已整改")
    photo = {"name": "hat.jpg", "mimeType": "image/jpeg", "buffer": picture(5)}
    owner.page.set_input_files(".patrol-reply [data-file=files]", files=[photo])
    owner.page.wait_for_selector(".patrol-reply [data-photo-tray] img")
    owner.keep_picture("patrol-answer-phone")
    owner.page.click(".patrol-reply .button-primary")
    owner.page.wait_for_selector(".patrol-findings blockquote")
    (found,) = Inspectors(site).ask("regulator", "GET", "/1")["finding_list"]
    assert (found["waits_for"], len(found["rounds"][0]["photos"])) == ("officer", 1)
    officer = visit("regulator")
    officer.go("/patrols/1")
    officer.until(
        "[...document.querySelectorAll('.patrol-findings blockquote img')].every((one) => one.complete)"
    )
    officer.keep_picture("patrol-answered")
