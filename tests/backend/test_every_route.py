"""Every route of the API with every role: nothing of restaurant B can be read by A, and nothing breaks."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import httpx
import pytest

from tests.backend.stories import CLIP, PICTURE, Violation, deliver, opening_with_evidence, upload
from tests.backend.support import Backend

pytestmark = pytest.mark.thorough

WORDS_OF_B = ("乙饭店", "Restaurant B", "JY-B", "cam-b1", "rat behind the stove", "manager_b")
ROLES = ["manager_a", "staff_a", "official_a", "regulator2", "supervisor2", "manager_c"]
ANYTHING = ["1", "2", "3", "x", "cam-b1", "00000000-0000-4000-8000-000000000000"]
"""Tried where a path parameter has no better guesses below."""
STEP: dict[str, Any] = {"version": 0, "note": "because"}
STEPS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("verify", "assign", "accept", "begin", "reopen", "transfer"), STEP),
    "reject": {**STEP, "reason": "too_small"},
    "review": {**STEP, "accepted": True},
    "decide": {**STEP, "upheld": True, "reason": "too_small"},
    "merge": {**STEP, "into_alert_id": 3},
    "submit": {"version": 0, "text": "mended", "photo_ids": [1]},
    "appeal": {"version": 0, "text": "it was not so"},
    "contain": {"text": "closed for the night"},
    "remind": {"note": "hurry"},
    "supervise": {"note": "hurry"},
}
"""A body with which each step could be taken."""
STREAMING = {"/api/v1/alerts/stream"}


@pytest.fixture
def two_restaurants(backend: Backend) -> Backend:
    """A and B have an alert with evidence each; B's tells of a rat."""
    deliver(backend, opening_with_evidence("cam-a1"))
    story = Violation(camera_id="cam-b1", code="RODENT", tier=1)
    deliver(backend, story.tell(detail="rat behind the stove"), opening_with_evidence("cam-b1"))
    upload(backend, PICTURE)
    upload(backend, CLIP)
    return backend


def routes(backend: Backend) -> list[tuple[str, str, list[str]]]:
    """Method, path and names of path parameters of every operation in the OpenAPI document."""
    document: dict[str, Any] = backend.app.openapi()
    return [
        (method.upper(), path, re.findall(r"{(\w+)}", path))
        for path, operations in document["paths"].items()
        for method in operations
        if path not in STREAMING
    ]


def guesses(backend: Backend) -> dict[str, list[str]]:
    """What somebody might try for each path parameter, the real ids of B among them."""
    detail = backend.logged_in("manager_b").get("/api/v1/alerts/2").json()
    evidence = backend.logged_in("manager_b").get("/api/v1/alerts/3").json()["manifests"][0]["files"]
    numbers = ["0", "1", "2", "3", "4", "-1", "99999999", "x", "%00"]
    return {
        "alert_id": numbers,
        "premises_id": [str(detail["premises"]["id"]), *numbers],
        "photo_id": ["1", "x"],
        "camera_id": ["cam-a1", "cam-b1", "cam-c1", "nope", "%00"],
        "edge_id": ["edge-1", "edge-2", "nope"],
        "token": [file["url"].rsplit("/", 1)[1] for file in evidence] + ["x"],
        "segment_id": ["20260302T040000000Z-6000", "x", "%00"],
        "sha256": [file["sha256"] for file in evidence] + ["0" * 64],
    }


def attempts(backend: Backend) -> list[tuple[str, str, str]]:
    """Method, route and concrete path of everything that can be tried."""
    values = guesses(backend)
    found = []
    for method, path, names in routes(backend):
        for combination in itertools.product(*(values.get(name, ANYTHING) for name in names)):
            found.append((method, path, path.format(**dict(zip(names, combination, strict=True)))))
    return found


def bodies(method: str, path: str) -> list[dict[str, Any]]:
    if method in {"GET", "DELETE"}:
        return [{}]
    if path.endswith("/commands"):
        return [{"json": {"action": "snapshot"}}]
    if path.endswith("/configuration"):
        return [{"json": {"cameras": {"cam-b1": {"rate": 1.0}}}}]
    if path.startswith("/api/v1/alerts/") and path.rsplit("/", 1)[1] in STEPS:
        return [{"json": STEPS[path.rsplit("/", 1)[1]]}]
    return [{"json": {}}, {"content": b"\x00"}]


def is_foreign(answer: httpx.Response) -> bool:
    return any(word in answer.text for word in WORDS_OF_B) or answer.content in {PICTURE, CLIP}


@pytest.mark.parametrize("username", ROLES)
def test_no_route_tells_anything_of_another_restaurant(two_restaurants: Backend, username: str) -> None:
    browser = two_restaurants.logged_in(username)
    tried = 0
    for method, route, path in attempts(two_restaurants):
        if (method, route) == ("DELETE", "/api/v1/session"):
            continue
        for body in bodies(method, route):
            answer = browser.request(method, path, **body)
            tried += 1
            assert answer.status_code < 500, f"{method} {path}: {answer.text}"
            # An id that was guessed comes back in the sentence that there is none: strip it first.
            told = answer.text.replace(path.rsplit("/", 1)[-1], "").replace(
                "cam-b1", "", path.count("cam-b1")
            )
            assert not any(word in told for word in WORDS_OF_B), f"{method} {path}: {answer.text}"
            assert answer.content not in {PICTURE, CLIP}, f"{method} {path}"
    assert tried > 50


@pytest.mark.parametrize("username", ROLES)
def test_no_filter_tells_anything_of_another_restaurant(two_restaurants: Backend, username: str) -> None:
    browser = two_restaurants.logged_in(username)
    foreign = two_restaurants.logged_in("manager_b").get("/api/v1/alerts/2").json()
    grids = [node["id"] for node in two_restaurants.logged_in("admin").get("/api/v1/grids").json()]
    for params in (
        {"camera_id": "cam-b1"},
        {"premises_id": foreign["premises"]["id"]},
        {"code": "RODENT"},
        {"tier": 1},
        *({"grid_id": grid} for grid in grids),
    ):
        for path in ("/api/v1/alerts", "/api/v1/premises", "/api/v1/cameras"):
            answer = browser.get(path, params=params)
            assert answer.status_code in {200, 422}
            assert not any(word in answer.text.replace("cam-b1", "") for word in WORDS_OF_B)


def test_without_a_session_every_route_but_login_is_closed(two_restaurants: Backend) -> None:
    browser = two_restaurants.client()
    for method, route, path in attempts(two_restaurants):
        answer = browser.request(method, path, **bodies(method, route)[0])
        allowed = {401} if (method, route) != ("POST", "/api/v1/session") else {422}
        # What cannot even be a value of its parameter may be refused before anybody is asked.
        assert answer.status_code in allowed | {422 if "{" in route else 401}, f"{method} {path}"


def test_every_operation_says_who_it_is_for_and_what_it_does(backend: Backend) -> None:
    for path, operations in backend.app.openapi()["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), f"{method} {path}"
            assert operation.get("description"), f"{method} {path}"
            assert operation.get("tags"), f"{method} {path}"


def test_every_reference_of_the_document_leads_somewhere(backend: Backend) -> None:
    text = json.dumps(backend.app.openapi())
    known = set(backend.app.openapi()["components"]["schemas"])
    assert set(re.findall(r"#/components/schemas/([\w-]+)", text)) <= known


def test_an_owner_does_see_it(two_restaurants: Backend) -> None:
    """The words that the walk looks for are really there for those who may read them."""
    browser = two_restaurants.logged_in("manager_b")
    answers = [
        browser.get(path) for path in ("/api/v1/alerts/2", "/api/v1/premises", "/api/v1/cameras/cam-b1")
    ]
    assert all(is_foreign(answer) for answer in answers)
