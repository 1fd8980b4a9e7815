"""Habits of the whole API, by its OpenAPI document: writes can be repeated, lists have a bound."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.backend.support import Backend, running

NOT_REPEATED = {
    "/api/v1/session": "a login: nobody is known yet to whom a key could belong",
    "/api/v1/edge/events": "events are their own keys",
    "/api/v1/cameras/{camera_id}/commands": "an order of this moment; nothing is kept that could be doubled",
    "/api/v1/cameras/{camera_id}/whep": "a view of this connection, as WHEP defines it",
    "/api/v1/cameras/{camera_id}/live/snapshot": "a picture of this moment; nothing is kept",
    "/api/v1/webhooks/receivers/{receiver_id}/test": "a call of this moment; nothing is kept",
    "/api/v1/notifications/read": "the same a second time by its nature",
}
"""POST routes without an idempotency key, and why."""
WITHOUT_CURSOR = {
    "/api/v1/rule-catalogue": "the rules that this program knows",
    "/api/v1/statistics/precision": "one line per code, tier or type",
    "/api/v1/retention/preview": "the first of what would go, with the sum of all",
    "/api/v1/ratings": "the best or worst of a span, at most `limit`, with the count of all",
    "/api/v1/patrols/queue": "the first of what is due, at most `limit`, with the count of all",
    "/api/v1/patrols/{check_id}": "one check with its form",
    "/api/v1/self-checks/due": "one restaurant's present day, week and month",
    "/api/v1/self-checks/missing": "the first of a span, with the count of all",
}
"""Answers with items that are no list to leaf through, and why."""
CURSORS = {"cursor", "after"}


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with running(tmp_path_factory.mktemp("habits")) as backend:
        yield backend


@pytest.fixture(scope="module")
def document(backend: Backend) -> dict[str, Any]:
    described: dict[str, Any] = backend.app.openapi()
    return described


def operations(document: dict[str, Any], method: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, found in document["paths"].items():
        if method in found:
            yield path, found[method]


def parameters(operation: dict[str, Any], where: str) -> dict[str, dict[str, Any]]:
    return {one["name"].lower(): one for one in operation.get("parameters", []) if one["in"] == where}


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def test_every_write_that_makes_something_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    without = {
        path
        for path, operation in operations(document, "post")
        if "idempotency-key" not in parameters(operation, "header")
    }
    assert without == set(NOT_REPEATED)


def test_every_list_has_a_bound_and_a_cursor(document: dict[str, Any]) -> None:
    unbounded = set()
    for path, operation in operations(document, "get"):
        content = operation["responses"].get("200", {}).get("content", {}).get("application/json")
        schema = resolved(document, content["schema"]) if content else {}
        if schema.get("type") != "array" and "items" not in schema.get("properties", {}):
            continue
        query = parameters(operation, "query")
        bound = query.get("limit", {}).get("schema", {}).get("maximum")
        if bound is None or not CURSORS & set(query):
            unbounded.add(path)
    assert unbounded == set(WITHOUT_CURSOR)


def variants(body: Any) -> Iterator[Any]:
    """The same body with one text, number or switch changed."""
    if isinstance(body, dict):
        for key, value in body.items():
            for other in variants(value):
                yield {**copy.deepcopy(body), key: other}
    elif isinstance(body, str):
        yield body + "2"
    elif isinstance(body, bool):
        yield not body
    elif isinstance(body, int):
        yield body + 1
    elif isinstance(body, list):
        for index, value in enumerate(body):
            for other in variants(value):
                yield [*body[:index], other, *body[index + 1 :]]


def examples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operation in operations(document, "post"):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if path in NOT_REPEATED or content is None:
            continue
        for example in resolved(document, content["schema"]).get("examples", [])[:1]:
            concrete = path
            for name in parameters(operation, "path"):
                concrete = concrete.replace("{" + name + "}", "edge-1" if name == "edge_id" else "1")
            yield concrete, example


def test_what_is_asked_again_under_its_key_is_answered_as_before_and_done_once(
    backend: Backend, document: dict[str, Any]
) -> None:
    """Every POST whose own example succeeds here, by an administrator."""
    admin = backend.logged_in("admin")
    done, refused_others = [], []
    for number, (path, example) in enumerate(examples(document)):
        headers = {"idempotency-key": f"habit-{number:04}"}
        first = admin.post(path, json=example, headers=headers)
        if first.status_code >= 300:
            continue  # the example names what this district does not have
        again = admin.post(path, json=example, headers=headers)
        assert (again.status_code, again.json()) == (first.status_code, first.json()), path
        others = [admin.post(path, json=other, headers=headers) for other in variants(example)]
        assert not [answer for answer in others if answer.is_success and not same(answer, first)], path
        if any(answer.status_code == 409 and "idempotency key" in answer.text for answer in others):
            refused_others.append(path)
        done.append(path)
    assert {"/api/v1/grids", "/api/v1/premises", "/api/v1/people", "/api/v1/webhooks/receivers"} <= set(done)
    assert refused_others == done


def same(one: httpx.Response, other: httpx.Response) -> bool:
    """A variant may mean the same: spaces at the end, a number where a text may be."""
    return bool(one.json() == other.json())


def test_a_secret_is_told_again_under_its_key_and_lies_sealed_meanwhile(backend: Backend) -> None:
    admin = backend.logged_in("admin")
    body = {"name": "市局平台", "url": "https://93.184.215.14/in"}
    headers = {"idempotency-key": "receiver-once"}
    made, again = (
        admin.post("/api/v1/webhooks/receivers", json=body, headers=headers).json() for _ in range(2)
    )
    assert made == again
    assert made["secret"].startswith("whsec_")
    listed = admin.get("/api/v1/webhooks/receivers", params={"limit": 200}).json()["items"]
    assert [one["id"] for one in listed].count(made["id"]) == 1
    with backend.parts.database.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT answer FROM idempotency_keys WHERE key = 'receiver-once'")
        assert made["secret"] not in str(kept.scalar_one())


def test_a_short_list_is_leafed_through_by_the_header_link(backend: Backend) -> None:
    admin = backend.logged_in("admin")
    whole = admin.get("/api/v1/grids").json()
    assert len(whole) > 3
    found, target = [], "/api/v1/grids?limit=2"
    while target:
        answer = admin.get(target)
        found += answer.json()
        assert len(answer.json()) <= 2
        target = str(answer.links.get("next", {}).get("url", ""))
    assert found == whole
    edges = admin.get("/api/v1/edges", params={"limit": 1})
    assert [one["edge_id"] for one in edges.json()] == ["edge-1"]
    assert [one["edge_id"] for one in admin.get(edges.links["next"]["url"]).json()] == ["edge-2"]
    assert admin.get("/api/v1/edges", params={"limit": 1001}).status_code == 422
