"""Check forms: everybody reads them, an administrator publishes versions, none of them ever changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from kitchen_watch.backend.forms import starters as shipped
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.forms.starters import Starter, load_starters, starters
from tests.backend.support import NOON, Backend, running


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with running(tmp_path_factory.mktemp("forms")) as backend:
        yield backend


def form(backend: Backend, code: str) -> dict[str, Any]:
    found = backend.logged_in("manager_a").get("/api/v1/check-forms").json()["items"]
    one = next(item for item in found if item["code"] == code)
    view: dict[str, Any] = backend.logged_in("manager_a").get(f"/api/v1/check-forms/{one['id']}").json()
    return view


def content(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "sections": [{"key": "s", "name": "节", "items": [{"key": "hats", "name": "戴帽"}]}],
    }


def test_a_form_of_each_kind_is_there_from_the_start(office: Backend) -> None:
    browser = office.logged_in("staff_a")
    found = browser.get("/api/v1/check-forms").json()["items"]
    assert [one["kind"] for one in found] == [kind.value for kind in FormKind]
    assert all(one["version"] == 1 for one in found)
    assert len(browser.get("/api/v1/check-forms", params={"kind": "daily"}).json()["items"]) == 1


def test_a_published_version_never_changes_and_the_next_one_lies_beside_it(office: Backend) -> None:
    admin = office.logged_in("admin")
    made = admin.post(
        "/api/v1/check-forms", json={"code": "canteen", "kind": "on_site", "content": content("一")}
    )
    assert made.status_code == 201, made.text
    first = made.json()
    where = f"/api/v1/check-forms/{first['id']}"
    body = {"content": content("二"), "version": 1, "note": "renamed"}
    second = admin.post(f"{where}/versions", json=body).json()
    assert (second["version"], second["content"]["name"]) == (2, "二")
    assert admin.post(f"{where}/versions", json=body).status_code == 409  # it was written against version 1
    same = admin.post(f"{where}/versions", json=body | {"version": 2})
    assert (same.status_code, same.json()["detail"]) == (
        409,
        "This version says the same as the one before it.",
    )
    assert admin.get(f"{where}/versions/1").json() == first | {"newest": 2}
    history = admin.get(f"{where}/versions").json()["items"]
    assert [(one["version"], one["note"]) for one in history] == [(2, "renamed"), (1, "")]
    assert admin.get(f"{where}/versions/3").status_code == 404
    again = {"code": "canteen", "kind": "on_site", "content": content("x")}
    assert admin.post("/api/v1/check-forms", json=again).status_code == 409


def test_only_an_administrator_publishes(office: Backend) -> None:
    found = form(office, "on-site")
    for who in ("regulator", "supervisor", "manager_a"):
        browser = office.logged_in(who)
        body = {"content": content("x"), "version": found["version"]}
        assert browser.post(f"/api/v1/check-forms/{found['id']}/versions", json=body).status_code == 403
        assert (
            browser.post(f"/api/v1/check-forms/{found['id']}/retirement", json={"retired": True}).status_code
            == 403
        )


def test_a_retired_form_is_no_longer_offered_but_can_be_read(office: Backend) -> None:
    admin = office.logged_in("admin")
    found = form(office, "monthly")
    assert admin.post(f"/api/v1/check-forms/{found['id']}/retirement", json={"retired": True}).json()[
        "retired"
    ]
    assert admin.get("/api/v1/check-forms", params={"kind": "monthly"}).json()["items"] == []
    assert admin.get(f"/api/v1/check-forms/{found['id']}").status_code == 200
    assert (
        len(admin.get("/api/v1/check-forms", params={"kind": "monthly", "retired": True}).json()["items"])
        == 1
    )
    admin.post(f"/api/v1/check-forms/{found['id']}/retirement", json={"retired": False})


def test_a_newer_shipped_edition_is_published_unless_somebody_wrote_their_own(
    office: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, later = office.parts.database, NOON + timedelta(days=100)
    load_starters(database, now=later)
    assert form(office, "daily")["version"] == 1  # started again: nothing is published twice
    own = form(office, "weekly")
    body = {"content": content("自己的周排查"), "version": own["version"]}
    office.logged_in("admin").post(f"/api/v1/check-forms/{own['id']}/versions", json=body)
    newer = tuple(
        Starter(
            one.code,
            one.kind,
            one.edition + 1,
            one.content.model_copy(update={"name": f"新{one.content.name}"}),
        )
        for one in starters()
    )
    monkeypatch.setattr(shipped, "starters", lambda: newer)
    load_starters(database, now=later)
    daily, weekly = form(office, "daily"), form(office, "weekly")
    assert (daily["version"], daily["content"]["name"][0]) == (2, "新")
    assert (weekly["version"], weekly["content"]["name"]) == (2, "自己的周排查")
