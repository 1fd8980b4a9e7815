"""Values that no honest client sends are refused in words: never a failure of the service."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest

from tests.backend.stories import deliver, opening_with_evidence
from tests.backend.support import Backend

pytestmark = pytest.mark.thorough

HUGE = [str(2**31), str(2**63), str(10**40 - 1), "-1"]
TEXTS = ["", "\x00", "'[%", "../..", "é" * 70, "٣", "1_0", "1e3", "A" * 300, "😀"]
ZONES = ["Asia", "Foo/Bar", "true", "tzdata", "zone", "leapseconds", "A" * 60, "", "../etc/passwd", "posix"]
EDGES_OF_TIME = [
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-03-02",
    "99999-01-01T00:00:00Z",
]


FOR_THE_DATABASE = ["", "\x00", "1_0", "😀", "A" * 300, *HUGE[1:3], *EDGES_OF_TIME]
"""What databases take differently; everything else is refused or taken before one is asked."""


def cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"a{number}".encode()).decode().rstrip("=")


@pytest.mark.parametrize("origin", ["http://[", "http://]", "null", "//", "http://[::1"])
def test_an_origin_that_is_no_address_is_foreign(backend: Backend, origin: str) -> None:
    headers = {"origin": origin}
    body = {"username": "admin", "password": "x"}
    assert backend.client().post("/api/v1/session", json=body, headers=headers).status_code == 403
    assert backend.logged_in("admin").delete("/api/v1/session", headers=headers).status_code == 403


@pytest.mark.parametrize("goal", ["//[", "/[", "http://[", "//]x", "\x00"])
def test_a_page_to_go_to_that_is_no_address_is_ignored(backend: Backend, goal: str) -> None:
    assert backend.client().get("/login", params={"next": goal}).status_code == 200
    assert backend.logged_in("admin").get("/login", params={"next": goal}).status_code in {200, 303}


@pytest.mark.parametrize("number", [2**63, 10**40 - 1, -1])
def test_a_cursor_out_of_range_is_a_problem(any_backend: Backend, number: int) -> None:
    browser = any_backend.logged_in("regulator")
    for path in ("/api/v1/alerts", "/alerts"):
        assert browser.get(path, params={"cursor": cursor(number)}).status_code == 422


@pytest.mark.parametrize("number", [str(2**63), str(10**40 - 1), "-1"])
def test_the_live_stream_refuses_a_position_out_of_range(backend: Backend, number: str) -> None:
    browser = backend.logged_in("regulator")
    for asked in (
        browser.get("/api/v1/alerts/stream", params={"after": number}),
        browser.get("/api/v1/alerts/stream", headers={"last-event-id": number}),
    ):
        assert (asked.status_code, asked.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_zone_that_does_not_exist_is_a_problem(backend: Backend, zone: str) -> None:
    answer = backend.logged_in("regulator").get("/api/v1/alerts/counts", params={"time_zone": zone})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("at", EDGES_OF_TIME)
@pytest.mark.parametrize("bound", ["found_from", "found_to"])
def test_a_time_outside_of_the_calendar_is_a_problem(backend: Backend, bound: str, at: str) -> None:
    answer = backend.logged_in("regulator").get("/api/v1/alerts", params={bound: at})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_no_reading_route_fails_whatever_its_parameters_are(any_backend: Backend) -> None:
    deliver(any_backend, opening_with_evidence("cam-a1"))
    browser = any_backend.logged_in("admin")
    document: dict[str, Any] = any_backend.app.openapi()
    odd = [*HUGE, *TEXTS, *EDGES_OF_TIME] if any_backend.parts.database.is_sqlite else FOR_THE_DATABASE
    tried = 0
    for path, operations in document["paths"].items():
        if "get" not in operations or path == "/api/v1/alerts/stream" or path.endswith((".mp4", ".mjpeg")):
            continue
        parameters = operations["get"].get("parameters", [])
        in_path = {item["name"]: "1" for item in parameters if item["in"] == "path"}
        for name in (item["name"] for item in parameters if item["in"] != "header"):
            for value in [*odd, cursor(2**63)]:
                chosen = {key: quote(value if key == name else one, safe="") for key, one in in_path.items()}
                place = path.format(**chosen)
                answer = browser.get(place, params=None if name in in_path else {name: value})
                tried += 1
                assert answer.status_code < 500, f"{answer.request.url}: {answer.text[:300]}"
    assert tried > 300
