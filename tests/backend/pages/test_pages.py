"""The pages of a running backend: the way in, who sees what, and what every answer carries."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.pages.answers import own_address
from kitchen_watch.backend.pages.rendering import static_url
from kitchen_watch.backend.pages.routes import ALERTS_PER_PAGE
from kitchen_watch.clock import ManualClock
from kitchen_watch.control import CameraState
from tests.backend.pages.markup import Markup, read
from tests.backend.stories import deliver, opening
from tests.backend.support import PASSWORD, Backend

ENGLISH = {"kw_language": "en"}


def sign_in(
    browser: httpx.Client, username: str, password: str = PASSWORD, goal: str = "/"
) -> httpx.Response:
    return browser.post("/login", data={"username": username, "password": password, "next": goal})


def inside(backend: Backend, username: str) -> httpx.Client:
    browser = backend.client()
    assert sign_in(browser, username).status_code == 303
    return browser


def token_of(html: str) -> str:
    fields = [one for one in read(html).all("input") if one.attributes.get("name") == "csrf_token"]
    return fields[0].attributes["value"] or ""


def test_a_stranger_is_led_to_the_login_page_and_back(backend: Backend) -> None:
    browser = backend.client()
    answer = browser.get("/alerts?tier=1&code=NO_HAT")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Falerts%3Ftier%3D1%26code%3DNO_HAT"
    form = read(browser.get(answer.headers["location"]).text)
    goals = [one.attributes["value"] for one in form.all("input") if one.attributes.get("name") == "next"]
    assert (
        sign_in(browser, "regulator", goal=goals[-1] or "").headers["location"]
        == "/alerts?tier=1&code=NO_HAT"
    )


@pytest.mark.parametrize(
    ("username", "start"),
    [("regulator", "/alerts"), ("admin", "/alerts"), ("manager_a", "/home"), ("staff_a", "/home")],
)
def test_everybody_starts_where_their_work_begins(backend: Backend, username: str, start: str) -> None:
    browser = backend.client()
    assert sign_in(browser, username).headers["location"] == start
    assert browser.get("/").headers["location"] == start
    assert browser.get(start).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "/a\nb",
        "",
    ],
)
def test_the_login_page_leads_nowhere_else(address: str) -> None:
    assert own_address(address) == "/"


def test_a_wrong_password_is_answered_in_words(backend: Backend) -> None:
    answer = sign_in(backend.client(), "regulator", "wrong password")
    assert answer.status_code == 401
    assert "用户名或密码错误" in answer.text
    assert 'value="regulator"' in answer.text
    assert "wrong password" not in answer.text
    assert read(answer.text).problems == []


def test_a_locked_login_says_for_how_long(backend: Backend) -> None:
    browser = backend.client()
    browser.cookies.update(ENGLISH)
    for _ in range(backend.parts.settings.failures_before_lock):
        sign_in(browser, "regulator", "wrong password")
    answer = sign_in(browser, "regulator")
    assert answer.status_code == 429
    assert "locked for 15 min" in answer.text
    assert isinstance(backend.clock, ManualClock)
    backend.clock.advance(timedelta(minutes=16))
    assert sign_in(browser, "regulator").status_code == 303


def test_a_one_time_password_opens_only_the_page_that_replaces_it(backend: Backend) -> None:
    with backend.parts.database.write() as session:
        row = session.query(PersonRow).filter_by(username="manager_a").one()
        row.must_change_password = True
    browser = backend.client()
    assert sign_in(browser, "manager_a").headers["location"] == "/password"
    assert browser.get("/home").headers["location"] == "/password"
    form = browser.get("/password").text
    assert "一次性密码" in form
    values = {
        "csrf_token": token_of(form),
        "old_password": PASSWORD,
        "new_password": "short",
        "repeated": "short",
    }
    refused = browser.post("/password", data=values)
    assert refused.status_code == 422
    assert "新密码太短" in refused.text
    values |= {"new_password": "three green apples", "repeated": "three green apple"}
    assert "不一致" in browser.post("/password", data=values).text
    values["repeated"] = "three green apples"
    assert browser.post("/password", data=values).headers["location"] == "/home"
    assert browser.get("/home").status_code == 200
    assert sign_in(backend.client(), "manager_a").status_code == 401
    assert sign_in(backend.client(), "manager_a", "three green apples").status_code == 303


def test_nothing_is_written_without_the_session_token(backend: Backend) -> None:
    browser = inside(backend, "regulator")
    assert browser.post("/logout").status_code == 403
    assert browser.post("/preferences", data={"language": "en"}).status_code == 403
    assert browser.get("/alerts").status_code == 200


def test_logging_out_ends_the_session(backend: Backend) -> None:
    browser = inside(backend, "regulator")
    token = token_of(browser.get("/alerts").text)
    assert browser.post("/logout", data={"csrf_token": token}).headers["location"] == "/login"
    assert browser.get("/alerts").status_code == 303


def test_language_and_appearance_are_remembered(backend: Backend) -> None:
    browser = inside(backend, "regulator")
    page = browser.get("/cameras").text
    assert "摄像头" in page
    choice = {"csrf_token": token_of(page), "language": "en", "next": "/cameras"}
    assert browser.post("/preferences", data=choice).headers["location"] == "/cameras"
    page = browser.get("/cameras").text
    assert "Cameras" in page
    assert 'lang="en"' in page
    browser.post("/preferences", data={"csrf_token": token_of(page), "theme": "dark"})
    assert 'data-theme="dark"' in browser.get("/cameras").text
    elsewhere = inside(backend, "regulator")  # the language belongs to the person, not only to the browser
    assert 'lang="en"' in elsewhere.get("/cameras").text


@pytest.mark.parametrize(
    "path", ["/alerts", "/premises", "/cameras", "/edges", "/now", "/password", "/source"]
)
def test_every_page_of_a_regulator_is_sound_and_locked_down(backend: Backend, path: str) -> None:
    answer = inside(backend, "admin").get(path)
    assert answer.status_code == 200
    assert read(answer.text).problems == []
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/premises", "/edges"])
def test_pages_of_the_territory_side_are_closed_to_restaurants(backend: Backend, path: str) -> None:
    answer = inside(backend, "manager_a").get(path)
    assert answer.status_code == 403
    assert "您的角色不能使用此页面" in answer.text
    assert 'href="/"' in answer.text


def test_a_restaurant_sees_its_own_cameras_only(backend: Backend) -> None:
    for path in ("/home", "/cameras"):
        page = inside(backend, "manager_a").get(path).text
        assert "cam-a1 灶台" in page
        assert "cam-b1" not in page
        assert "乙饭店" not in page


@pytest.mark.parametrize(
    "path", ["/nothing", "/alerts/999999", "/alerts/12x", "/alerts/99999999999999999999999"]
)
def test_what_is_not_there_is_a_page_with_a_way_back(backend: Backend, path: str) -> None:
    answer = inside(backend, "regulator").get(path)
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"].startswith("text/html")
    assert read(answer.text).problems == []
    assert 'href="/"' in answer.text


def test_programs_still_get_problems_as_json(backend: Backend) -> None:
    for path in ("/api/v1/nothing", "/api/v1/alerts/999999"):
        answer = inside(backend, "regulator").get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query", ["tier=9", "premises=x", "state=odd", "premises=9999999999999", "tier=1&tier=2"]
)
def test_filters_that_make_no_sense_are_left_out(backend: Backend, query: str) -> None:
    assert inside(backend, "regulator").get(f"/alerts?{query}").status_code == 200


def test_static_files_are_kept_for_long_and_need_no_login(backend: Backend) -> None:
    answer = backend.client().get(static_url("js/feed.js"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in answer.headers["content-type"]


def test_everybody_may_have_the_source_that_is_running(backend: Backend) -> None:
    browser = backend.client()
    assert read(browser.get("/source").text).problems == []
    archive = zipfile.ZipFile(io.BytesIO(browser.get("/source/kitchen_watch.zip").content))
    names = archive.namelist()
    assert "kitchen_watch/backend/pages/source_code.py" in names
    assert "kitchen_watch/backend/pages/templates/feed.html" in names
    assert not [name for name in names if "__pycache__" in name]


def test_a_fault_of_ours_is_a_page_without_details(backend: Backend) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a secret in a message")

    backend.app.add_api_route("/fault", fail)
    answer = backend.client().get("/fault")
    assert answer.status_code == 500
    assert "系统出现错误" in answer.text
    assert "secret" not in answer.text
    assert read(answer.text).problems == []


def test_older_alerts_follow_page_by_page_without_gap_or_repetition(backend: Backend) -> None:
    deliver(backend, *(opening("cam-a1") for _ in range(ALERTS_PER_PAGE + 5)))
    browser = inside(backend, "regulator")
    first = read(browser.get("/alerts?tier=2").text)
    older = [one.attributes["href"] or "" for one in first.all("a") if one.attributes.get("rel") == "next"]
    assert older[0].startswith("/alerts?tier=2&cursor=")
    second = read(browser.get(older[0]).text)
    shown = [numbers_of(page) for page in (first, second)]
    assert [len(page) for page in shown] == [ALERTS_PER_PAGE, 5]
    assert shown[0] + shown[1] == sorted({*shown[0], *shown[1]}, reverse=True)
    assert not [one for one in second.all("a") if one.attributes.get("rel") == "next"]
    assert any(one.attributes.get("href") == "/alerts?tier=2" for one in second.all("a"))


def numbers_of(page: Markup) -> list[int]:
    return [int(one.attributes["data-alert"] or 0) for one in page.all("article")]


def test_a_card_is_left_out_where_the_filters_of_its_page_say_so(backend: Backend) -> None:
    deliver(backend, opening("cam-a1"))
    browser = inside(backend, "regulator")
    assert browser.get("/alerts/1/card?tier=2&code=NO_HAT").status_code == 200
    for query in ("tier=1", "code=RODENT", "premises=2", "camera=cam-b1", "state=closed"):
        assert browser.get(f"/alerts/1/card?{query}").status_code == 204, query
    assert inside(backend, "manager_b").get("/alerts/1/card").status_code == 404


def test_cameras_show_what_their_edge_says_and_since_when(backend: Backend) -> None:
    now = backend.clock.now()
    with backend.parts.database.write() as session:
        session.add(
            EdgeStateRow(edge_id="edge-1", connection_id=uuid4(), connected_at=now, last_heard_at=now)
        )
        for camera_id, state in (("cam-a1", CameraState.STREAMING), ("cam-a2", CameraState.STALLED)):
            since = now - timedelta(minutes=7)
            session.add(CameraStateRow(camera_id=camera_id, state=state, since_at=since, heard_at=now))
    browser = inside(backend, "regulator")
    for path in ("/cameras", "/premises"):
        page = read(browser.get(path).text)
        assert page.problems == []
        assert "正常" in page.text
        assert "画面停滞" in page.text
        assert "7分钟前" in page.text
        assert "尚无上报" in page.text  # cam-b1 was never heard of
    assert isinstance(backend.clock, ManualClock)
    backend.clock.advance(timedelta(minutes=5))
    page = read(browser.get("/cameras").text)
    assert "离线" in page.text
    assert "该摄像头所属的分析节点未连接。" in page.text
    assert "画面停滞" not in page.text
