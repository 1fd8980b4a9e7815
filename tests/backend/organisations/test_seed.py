"""A district is put in from one specification, and again without doubling anything."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from kitchen_watch.backend.auth.service import find_by_username
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.seed import Seeded, apply_district
from kitchen_watch.backend.organisations.tables import (
    CameraRow,
    EdgeRow,
    NodeRow,
    PremisesOfficialRow,
    PremisesRow,
)
from kitchen_watch.errors import ConfigError, Conflict, InvalidRequest
from kitchen_watch.signing import new_secret
from tests.backend.support import NOON, Backend, camera, person, sample_district

TABLES: tuple[type[Any], ...] = (NodeRow, PremisesRow, CameraRow, EdgeRow, PersonRow, PremisesOfficialRow)


def apply(backend: Backend, spec: dict[str, Any], *, reissue: bool = False) -> Seeded:
    with backend.parts.database.write() as session:
        return apply_district(session, spec, vault=backend.parts.vault, now=NOON, reissue=reissue)


def counts(backend: Backend) -> list[int]:
    with backend.parts.database.read() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES]


def test_doing_it_again_changes_nothing_and_tells_no_secret(any_backend: Backend) -> None:
    before = counts(any_backend)
    again = apply(any_backend, sample_district())
    assert counts(any_backend) == before
    assert (again.passwords, again.edge_secrets) == ({}, {})
    any_backend.log_in("admin")


def test_differences_are_brought_up_to_date(any_backend: Backend) -> None:
    spec = sample_district()
    grid = spec["nodes"][0]["children"][0]["children"][0]["children"][0]
    grid["premises"][0]["name"] = "甲大饭店"
    grid["premises"][0]["cameras"].append(camera("cam-a3", zone_type="cold_room"))
    apply(any_backend, spec)
    premises = any_backend.logged_in("manager_a").get("/api/v1/premises").json()["items"]
    assert [(item["name"], item["camera_count"]) for item in premises] == [("甲大饭店", 3)]


def test_new_logins_and_edges_are_told_once(any_backend: Backend) -> None:
    new = person("newcomer", "grid_officer", node="grid-1") | {"password": None, "must_change_password": True}
    told = apply(any_backend, {"people": [new], "edges": [{"edge_id": "edge-3"}]})
    assert set(told.passwords) == {"newcomer"}
    assert told.edge_secrets["edge-3"].get_secret_value().startswith("whsec_")
    assert told.passwords["newcomer"] not in repr(told)
    browser = any_backend.log_in("newcomer", told.passwords["newcomer"])
    assert browser.get("/api/v1/session").json()["must_change_password"]


def test_lost_one_time_passwords_are_issued_anew_only_where_that_is_wished(any_backend: Backend) -> None:
    new = person("newcomer", "grid_officer", node="grid-1") | {"password": None, "must_change_password": True}
    district = {"people": [new, person("admin", "admin")]}
    first = apply(any_backend, district).passwords["newcomer"]
    assert apply(any_backend, district).passwords == {}

    again = apply(any_backend, district, reissue=True).passwords

    assert set(again) == {"newcomer"}, "admin chose a password and keeps it"
    assert again["newcomer"] != first
    any_backend.log_in("newcomer", again["newcomer"])
    any_backend.log_in("admin")


def test_a_new_secret_of_an_edge_is_taken_over(backend: Backend) -> None:
    secret = new_secret()
    apply(backend, {"edges": [{"edge_id": "edge-1", "secret": secret}]})
    with backend.parts.database.read() as session:
        row = session.get_one(EdgeRow, "edge-1")
        assert backend.parts.vault.open(row.sealed_secret) == SecretStr(secret)


def test_another_official_ends_the_time_of_the_one_before(any_backend: Backend) -> None:
    apply(any_backend, {"people": [person("official_b", "responsible_official", official_for=["JY-A"])]})
    assert any_backend.logged_in("official_a").get("/api/v1/premises").json()["items"] == []
    shown = any_backend.logged_in("official_b").get("/api/v1/premises").json()["items"]
    assert [item["licence_no"] for item in shown] == ["JY-A"]
    with any_backend.parts.database.read() as session:
        rows = list(session.scalars(select(PremisesOfficialRow).order_by(PremisesOfficialRow.id)))
    assert [row.until_at is None for row in rows] == [False, True]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"villages": []}, "not a known key"),
        ({"people": [person("x1", "grid_officer", node="nowhere")]}, "node nowhere is named but is nowhere"),
        ({"people": [person("x1", "premises_staff", premises="JY-X")]}, "premises JY-X is named but"),
        ({"people": [person("x1", "supervisor", group="none")]}, "group none is named but"),
        (
            {
                "nodes": [
                    {
                        "code": "n", "kind": "grid", "name": "n",
                        "premises": [{"licence_no": "L", "name": "L", "cameras": [camera("c", "no-edge")]}],
                    }
                ]
            },
            "names the edge no-edge, which is nowhere",
        ),
        ({"nodes": [{"code": "grid-1", "kind": "grid", "name": "moved"}]}, "lies elsewhere in the tree"),
    ],
)  # fmt: skip
def test_a_bad_specification_changes_nothing(backend: Backend, spec: dict[str, Any], said: str) -> None:
    before = counts(backend)
    with pytest.raises(ConfigError, match=said):
        apply(backend, {"edges": [{"edge_id": "edge-7"}], **spec})
    assert counts(backend) == before


@pytest.mark.parametrize(
    ("role", "place"),
    [
        ("admin", {"node": "grid-1"}),
        ("grid_officer", {}),
        ("grid_officer", {"premises": "JY-A"}),
        ("premises_manager", {"node": "grid-1"}),
        ("supervisor", {}),
        ("responsible_official", {"premises": "JY-A"}),
    ],
)
def test_a_role_without_its_place_is_refused(backend: Backend, role: str, place: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="is tied to"):
        apply(backend, {"people": [person("newcomer", role, **place)]})


def test_login_names_are_simple_and_taken_once(backend: Backend) -> None:
    with pytest.raises(InvalidRequest, match="cannot be used"):
        apply(backend, {"people": [person("李伟", "admin")]})
    from kitchen_watch.backend.auth.people import NewPerson, add_person
    from kitchen_watch.backend.auth.roles import Role

    with pytest.raises(Conflict, match="is taken"), backend.parts.database.write() as session:
        add_person(session, NewPerson("ADMIN", "second", Role.ADMIN), now=NOON)
    with backend.parts.database.read() as session:
        assert find_by_username(session, "Admin") is not None
