"""Links to evidence open for the right person, for a while, and every look is written down."""

from __future__ import annotations

import httpx
import pytest

from kitchen_watch.clock import ManualClock
from tests.backend.stories import CLIP, PICTURE, deliver, opening_with_evidence, upload
from tests.backend.support import Backend


@pytest.fixture
def watched(any_backend: Backend) -> Backend:
    """A backend with one alert of restaurant A, its picture and clip complete."""
    deliver(any_backend, opening_with_evidence())
    upload(any_backend, PICTURE)
    upload(any_backend, CLIP)
    return any_backend


def links(browser: httpx.Client) -> dict[str, str]:
    files = browser.get("/api/v1/alerts/1").json()["manifests"][0]["files"]
    return {file["kind"]: file["url"] for file in files}


def views(backend: Backend) -> list[tuple[str, str]]:
    entries = backend.logged_in("admin").get("/api/v1/audit").json()["items"]
    return [(entry["username"], entry["action"]) for entry in reversed(entries)]


def test_the_picture_is_shown_and_the_view_written_down(watched: Backend) -> None:
    browser = watched.logged_in("manager_a")
    answer = browser.get(links(browser)["annotated_snapshot"])
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["content-disposition"].startswith("inline")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert views(watched) == [("manager_a", "evidence_viewed")]


def test_a_clip_is_played_in_ranges_and_counts_as_one_view(watched: Backend) -> None:
    browser = watched.logged_in("regulator")
    url = links(browser)["clip"]
    first = browser.get(url, headers={"range": "bytes=0-99"})
    rest = browser.get(url, headers={"range": "bytes=100-"})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.headers["content-range"] == f"bytes 0-99/{len(CLIP)}"
    assert first.content + rest.content == CLIP
    assert browser.get(url, headers={"range": "bytes=999999-"}).status_code == 416
    assert views(watched) == [("regulator", "evidence_viewed")]


def test_what_the_browser_has_is_not_sent_again(watched: Backend) -> None:
    browser = watched.logged_in("regulator")
    url = links(browser)["clip"]
    tag = browser.get(url).headers["etag"]
    again = browser.get(url, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_download_is_an_attachment_and_written_down_as_one(watched: Backend) -> None:
    browser = watched.logged_in("regulator")
    answer = browser.get(links(browser)["clip"], params={"download": True})
    assert answer.headers["content-disposition"] == 'attachment; filename="alert-1-clip.mp4"'
    assert views(watched) == [("regulator", "evidence_downloaded")]


def test_a_link_is_of_no_use_to_anybody_else(watched: Backend) -> None:
    url = links(watched.logged_in("manager_a"))["clip"]
    assert watched.client().get(url).status_code == 401
    for username in ("manager_b", "regulator", "admin", "staff_a"):
        assert watched.logged_in(username).get(url).status_code == 404
    assert views(watched) == []


def test_a_link_expires(watched: Backend) -> None:
    url = links(watched.logged_in("manager_a"))["clip"]
    assert isinstance(watched.clock, ManualClock)
    watched.clock.advance(7 * 60)
    assert watched.logged_in("manager_a").get(url).status_code == 200
    watched.clock.advance(9 * 60)
    assert watched.logged_in("manager_a").get(url).status_code == 404


def test_a_changed_or_invented_link_opens_nothing(watched: Backend) -> None:
    browser = watched.logged_in("manager_a")
    url = links(browser)["clip"]
    for wrong in (url[:-1] + ("A" if url[-1] != "A" else "B"), "/media/evidence/x", "/media/evidence/1.1.1"):
        assert browser.get(wrong).status_code == 404


def test_losing_the_right_to_see_the_premises_closes_its_links(watched: Backend) -> None:
    from kitchen_watch.backend.auth.service import find_by_username

    browser = watched.logged_in("manager_a")
    url = links(browser)["clip"]
    with watched.parts.database.write() as session:
        row, other = find_by_username(session, "manager_a"), find_by_username(session, "manager_b")
        assert row is not None
        assert other is not None
        row.premises_id = other.premises_id
    assert browser.get(url).status_code == 404


def test_a_link_ends_with_the_session(watched: Backend) -> None:
    browser = watched.logged_in("manager_a")
    url = links(browser)["clip"]
    browser.delete("/api/v1/session")
    assert browser.get(url).status_code == 401
