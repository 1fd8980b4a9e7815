"""The city before its day begins: places, edges, cameras, and people with open sessions."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg

from benchmarks.district import GROUP, District, Size, copy_rows, places
from kitchen_watch.backend.auth.vault import Vault

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = {day: ["09:00-22:00"] for day in DAYS}


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody's open session."""

    person_id: int
    token: str
    csrf: str


@dataclass(slots=True)
class City:
    """What the day must know of it."""

    secrets: dict[str, str]
    cameras: dict[str, list[str]]
    """Camera ids by edge."""
    premises_of: dict[str, int] = field(default_factory=dict)
    """By camera."""
    line_of: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """The nodes that a premises lies in, from the city down to its grid."""
    officers: dict[int, Login] = field(default_factory=dict)
    """By grid."""
    managers: dict[int, Login] = field(default_factory=dict)
    """By premises."""
    supervisors: list[Login] = field(default_factory=list)


def fill_city(url: str, *, cameras: int, vault: Vault, now: datetime, seed: int) -> City:
    """Fill an empty database of the present schema."""
    district = District()
    size = Size(premises=max(1, round(cameras / 3.2)), cameras=cameras, alerts=0, people=0)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        cursor = connection.cursor()
        cursor.execute("SET session_replication_role = replica")
        places(cursor, district, size, random.Random(seed), now, vault)
        cursor.execute("UPDATE premises SET hours = %s", [json.dumps(HOURS)])
        city = City(district.secrets, {edge: found for edge, found in district.cameras.items() if found})
        for camera_id, premises_id in cursor.execute("SELECT camera_id, premises_id FROM cameras"):
            city.premises_of[camera_id] = premises_id
        for premises_id, path in cursor.execute(
            "SELECT p.id, n.path FROM premises p JOIN nodes n ON n.id = p.node_id"
        ):
            city.line_of[premises_id] = tuple(int(part) for part in path.strip("/").split("/"))
        _people(cursor, city, now)
        for table in ("nodes", "premises", "people", "supervision_groups"):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM (ANALYZE)")
    return city


def _people(cursor: psycopg.Cursor[Any], city: City, now: datetime) -> None:
    cursor.execute(
        "INSERT INTO supervision_groups (id, code, name, name_en, sees_all) "
        "VALUES (%s, 'all', '总督查组', '', true)",
        [GROUP],
    )
    people: list[tuple[Any, ...]] = []
    sessions: list[tuple[Any, ...]] = []

    def add(role: str, *, node: int | None = None, premises: int | None = None) -> Login:
        person = len(people) + 1
        login = Login(person, f"city-token-{person}", f"city-csrf-{person}")
        group = GROUP if role == "supervisor" else None
        name = f"人员{person}"
        people.append((person, f"p{person}", name, role, "!", False, False, node, premises, group, now))
        key = hashlib.sha256(login.token.encode()).hexdigest()
        end = now + timedelta(days=3)
        sessions.append((key, person, login.csrf, now, now, end, "127.0.0.1", "benchmark"))
        return login

    city.supervisors = [add("supervisor") for _ in range(4)]
    grids = sorted({line[-1] for line in city.line_of.values()})
    city.officers = {grid: add("grid_officer", node=grid) for grid in grids}
    city.managers = {premises: add("premises_manager", premises=premises) for premises in city.line_of}
    copy_rows(
        cursor,
        "people",
        "id, username, display_name, role, password_hash, must_change_password, disabled, node_id, "
        "premises_id, group_id, created_at",
        people,
    )
    copy_rows(
        cursor,
        "web_sessions",
        "token_hash, person_id, csrf_token, created_at, last_seen_at, expires_at, address, user_agent",
        sessions,
    )
