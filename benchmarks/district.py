"""A district of any size in a PostgreSQL database, the same for the same seed.

One city, 6 districts, 48 stations, 480 grids (fewer where there are few premises); every premises has
2 to 5 cameras; an edge in a computer room serves the cameras of ten premises. Alerts lie over one
year, more of them at busy premises and at noon and in the evening; nineteen of twenty are finished, the
newest still go on. Every alert has its events and feed entries; the newest fifth has its evidence too
(older evidence is deleted when its time is over).

Places, people and sessions are copied in from here; alerts and what hangs on them are computed by the
database itself, with indexes built at the end: a million take a few minutes.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from pydantic import SecretStr

from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.signing import new_secret

CITY, GROUP = 1, 1
DISTRICTS, STATIONS = 6, 8
PREMISES_PER_GRID, PREMISES_PER_EDGE = 10, 10
BUSINESS = ("restaurant", "canteen", "snack_bar", "bakery", "central_kitchen")
AREAS = ("stove", "cabinet", "area")
LOADED = ("alerts", "events", "feed_entries", "manifests", "evidence_files", "deadlines")


@dataclass(frozen=True, slots=True)
class Size:
    """How large the district is."""

    premises: int = 5_000
    cameras: int = 16_000
    alerts: int = 1_000_000
    people: int = 1_000
    """Supervisors who see everything: the most expensive listeners there are."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with an open session."""

    role: str
    token: str


@dataclass(slots=True)
class District:
    """What a load generator must know of it."""

    secrets: dict[str, str] = field(default_factory=dict)
    cameras: dict[str, list[str]] = field(default_factory=dict)
    """Camera ids by edge."""
    visitors: list[Visitor] = field(default_factory=list)
    supervisors: list[str] = field(default_factory=list)
    """Session tokens."""
    rows: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def fill(url: str, size: Size, *, vault: Vault, seed: int = 20260302) -> District:
    """Fill an empty database that has the present schema."""
    began = time.monotonic()
    chance, now = random.Random(seed), datetime.now(UTC)
    district = District()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=False) as connection:
        cursor = connection.cursor()
        # Foreign keys hold by construction; checking two million of them row by row is the slow part.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT setseed(%s)", [(seed % 1000) / 1000])
        places(cursor, district, size, chance, now, vault)
        _people(cursor, district, size, now)
        _alerts(cursor, size, now)
        for table in ("nodes", "premises", "people", "supervision_groups", "alerts", "evidence_files"):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM (ANALYZE)")
        for table in ("nodes", "premises", "cameras", "people", *LOADED):
            district.rows[table] = cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore[index]
    district.seconds = time.monotonic() - began
    return district


def copy_rows(cursor: psycopg.Cursor[Any], table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def places(
    cursor: psycopg.Cursor[Any],
    district: District,
    size: Size,
    chance: random.Random,
    now: datetime,
    vault: Vault,
) -> None:
    grids = max(1, size.premises // PREMISES_PER_GRID)
    nodes: list[tuple[int, int | None, str, str, str, str]] = [(CITY, None, "city", "city", "样例市", "/1/")]
    stations = []
    for d in range(DISTRICTS):
        district_id = len(nodes) + 1
        nodes.append((district_id, CITY, "district", f"d{d}", f"第{d + 1}区", f"/1/{district_id}/"))
        for s in range(STATIONS):
            node_id = len(nodes) + 1
            path = f"/1/{district_id}/{node_id}/"
            stations.append((node_id, path))
            nodes.append((node_id, district_id, "station", f"d{d}s{s}", f"第{d + 1}区{s + 1}所", path))
    leaves = []
    for g in range(grids):
        parent, path = stations[g % len(stations)]
        node_id = len(nodes) + 1
        leaves.append(node_id)
        nodes.append((node_id, parent, "grid", f"g{g}", f"{g + 1}号网格", f"{path}{node_id}/"))
    copy_rows(
        cursor, "nodes", "id, parent_id, kind, code, name, path, name_en", [(*node, "") for node in nodes]
    )
    hours = json.dumps({"mon": ["10:00-22:00"]})
    copy_rows(
        cursor,
        "premises",
        "id, licence_no, name, name_en, business_type, address, node_id, time_zone, hours, "
        "responsible_person, phone, created_at",
        (
            (
                n, f"JY{n:08d}", f"样例饭店{n}", f"Restaurant {n}", chance.choice(BUSINESS),
                f"解放街{n}号", leaves[n % grids], "Asia/Shanghai", hours, f"负责人{n}", "", now,
            )
            for n in range(1, size.premises + 1)
        ),
    )  # fmt: skip
    for e in range(1 + (size.premises - 1) // PREMISES_PER_EDGE):
        district.secrets[f"edge-{e}"] = new_secret()
        district.cameras[f"edge-{e}"] = []
    copy_rows(
        cursor,
        "edges",
        "edge_id, name, sealed_secret, enabled, created_at",
        (
            (edge_id, edge_id, vault.seal(SecretStr(secret)), True, now)
            for edge_id, secret in district.secrets.items()
        ),
    )
    rows = []
    for c in range(size.cameras):
        # Two each, the rest by chance: some have a single camera more, some three.
        premises = c % size.premises + 1 if c < 2 * size.premises else chance.randint(1, size.premises)
        edge_id, camera_id = f"edge-{(premises - 1) // PREMISES_PER_EDGE}", f"cam-{c}"
        district.cameras[edge_id].append(camera_id)
        rows.append((camera_id, premises, edge_id, f"{c}号机位", "", AREAS[c % 3], "", False, now))
    copy_rows(
        cursor,
        "cameras",
        "camera_id, premises_id, edge_id, name, name_en, area_type, zone_type, public, created_at",
        rows,
    )


def _people(cursor: psycopg.Cursor[Any], district: District, size: Size, now: datetime) -> None:
    cursor.execute(
        "INSERT INTO supervision_groups (id, code, name, name_en, sees_all) "
        "VALUES (%s, 'all', '总督查组', '', true)",
        [GROUP],
    )
    people: list[tuple[Any, ...]] = []
    sessions: list[tuple[Any, ...]] = []

    def add(
        role: str, *, node: int | None = None, premises: int | None = None, group: int | None = None
    ) -> str:
        person_id = len(people) + 1
        token = f"bench-token-{person_id}"
        people.append(
            (
                person_id,
                f"p{person_id}",
                f"人员{person_id}",
                role,
                "!",
                False,
                False,
                node,
                premises,
                group,
                now,
            )
        )
        end = now + timedelta(days=1)
        key = hashlib.sha256(token.encode()).hexdigest()
        sessions.append((key, person_id, f"csrf-{person_id}", now, now, end, "127.0.0.1", "benchmark"))
        return token

    for _ in range(size.people):
        district.supervisors.append(add("supervisor", group=GROUP))
    district.visitors.append(Visitor("supervisor", district.supervisors[0]))
    # A district's, a station's and a grid's officer, and restaurants: ids as places gave them.
    for node in (2, 3, 4, 11, 12, 2 + DISTRICTS * (STATIONS + 1)):
        district.visitors.append(Visitor("grid_officer", add("grid_officer", node=node)))
    for premises in (1, 2, size.premises // 2, size.premises):
        district.visitors.append(Visitor("premises_manager", add("premises_manager", premises=premises)))
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


def _alerts(cursor: psycopg.Cursor[Any], size: Size, now: datetime) -> None:
    indexes = cursor.execute(
        "SELECT i.indexdef, i.indexname FROM pg_indexes i WHERE i.tablename = ANY(%s) AND NOT EXISTS "
        "(SELECT FROM pg_constraint c WHERE c.conname = i.indexname)",
        [list(LOADED)],
    ).fetchall()
    for _, name in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    values = {
        "n": size.alerts,
        "now": now,
        "open": max(1, size.alerts // 20),
        "ongoing": max(1, size.alerts // 2000),
        "kept": size.alerts // 5,
    }
    for statement in _STATEMENTS:
        cursor.execute(statement, values)
    for definition, _ in indexes:
        cursor.execute(definition)


_STATEMENTS = (
    # random() ^ 2: a few busy premises have many alerts. Ids run with time, as they do in service.
    """
    CREATE TEMP TABLE drawn ON COMMIT DROP AS
    SELECT i, random() AS pick, random() AS age, random() AS kind, random() AS fate
    FROM generate_series(1, %(n)s::bigint) i
    """,
    "CREATE TEMP TABLE numbered ON COMMIT DROP AS SELECT row_number() OVER () AS k, * FROM cameras",
    "CREATE INDEX ON numbered (k)",
    """
    INSERT INTO alerts (id, violation_id, edge_id, camera_id, premises_id, node_id, code, tier, state,
        found_at, occurred_at, started_at, last_seen_at, ended_at, updated_at, confidence, zone_id, detail,
        model, rule, detections, first_sequence, last_sequence, events_received, reopenings,
        due_at)
    SELECT d.i, md5('violation' || d.i)::uuid, c.edge_id, c.camera_id, c.premises_id, p.node_id,
        k.code, k.tier,
        CASE WHEN d.i > %(n)s - %(open)s
            THEN (ARRAY['pending_verification', 'verified', 'assigned', 'rectifying', 'submitted'])
                [1 + floor(d.fate * 5)::int]
            WHEN d.fate < 0.2 THEN 'false_alarm' ELSE 'closed' END,
        t.at, t.at - interval '2 s', t.at - interval '12 s', t.at + interval '1 min',
        CASE WHEN d.i > %(n)s - %(ongoing)s THEN NULL ELSE t.at + interval '1 min' END,
        t.at + interval '1 min', 0.5 + d.age / 2, NULL, NULL,
        jsonb_build_object('name', 'kitchen-yolo26n', 'version', '1', 'sha256', repeat('a', 64)),
        jsonb_build_object('rule_id', k.code, 'version', '0123456789ab',
            'parameters', '{"held_s": 10.0}'::jsonb),
        '[{"label": "no_hat", "confidence": 0.8, "box": [0.1, 0.2, 0.3, 0.4], "track_id": 7}]',
        0, 1, 2, 0,
        CASE WHEN d.i > %(n)s - %(open)s THEN t.at + interval '1 day' END
    FROM drawn d
    JOIN numbered c ON c.k = 1 + floor(d.pick * d.pick * (SELECT count(*) FROM cameras))::bigint
    JOIN premises p ON p.id = c.premises_id
    CROSS JOIN LATERAL (SELECT
        %(now)s::timestamptz - interval '365 days' * ((%(n)s - d.i + d.age) / %(n)s) AS at) t
    CROSS JOIN LATERAL (SELECT * FROM (VALUES
        (0.45, 'NO_HAT', 2), (0.75, 'NO_MASK', 3), (0.85, 'CAM_OFFLINE', 2), (0.93, 'CAM_COVERED', 2),
        (0.97, 'NIGHT_INTRUSION', 1), (0.99, 'RODENT', 1), (1.01, 'COCKROACH', 1)
        ) AS v (below, code, tier) WHERE d.kind < v.below ORDER BY v.below LIMIT 1) k
    """,
    """
    INSERT INTO events (event_id, violation_id, sequence, alert_id, edge_id, kind, occurred_at, received_at,
        confidence, body)
    SELECT md5('event' || s || '/' || a.id)::uuid, a.violation_id, s, a.id, a.edge_id,
        (ARRAY['violation_opened','violation_closed'])[s + 1], a.occurred_at + s * interval '1 min',
        a.found_at + s * interval '1 min', a.confidence,
        jsonb_build_object('violation_id', a.violation_id, 'code', a.code, 'rule', a.rule, 'model', a.model)
    FROM alerts a, generate_series(0, 1) s WHERE s = 0 OR a.ended_at IS NOT NULL
    """,
    """
    INSERT INTO feed_entries (id, alert_id, kind, at, premises_id, node_path, camera_id, code, tier, state)
    SELECT row_number() OVER (ORDER BY a.id, s), a.id, (ARRAY['opened','closed'])[s + 1],
        a.found_at + s * interval '1 min', a.premises_id, n.path, a.camera_id, a.code, a.tier,
        'pending_verification'
    FROM alerts a JOIN nodes n ON n.id = a.node_id, generate_series(0, 1) s
    WHERE s = 0 OR a.ended_at IS NOT NULL
    """,
    """
    INSERT INTO manifests (manifest_id, edge_id, alert_id, event_id, chain_index, sha256, previous_sha256,
        link, received_at, body)
    SELECT md5('manifest' || a.id)::uuid, a.edge_id, a.id, md5('event0/' || a.id)::uuid,
        row_number() OVER w, h.own, coalesce(lag(h.own) OVER w, repeat('0', 64)), 'linked', a.found_at,
        jsonb_build_object('manifest_id', md5('manifest' || a.id)::uuid, 'chain_index', 0,
            'previous_sha256', repeat('0', 64), 'edge_id', a.edge_id, 'camera_id', a.camera_id,
            'violation_id', a.violation_id, 'code', a.code, 'created_at', a.found_at, 'model', a.model,
            'rule', a.rule, 'detections', a.detections, 'files', '[]'::jsonb, 'sha256', h.own)
    FROM alerts a CROSS JOIN LATERAL (SELECT md5('m' || a.id) || md5('n' || a.id) AS own) h
    WHERE a.id > %(n)s - %(kept)s WINDOW w AS (PARTITION BY a.edge_id ORDER BY a.id)
    """,
    """
    INSERT INTO evidence_files (id, manifest_id, alert_id, edge_id, sha256, name, kind, media_type,
        size_bytes, starts_at, ends_at, completed_at)
    SELECT row_number() OVER (), md5('manifest' || a.id)::uuid, a.id, a.edge_id,
        md5(f.kind || a.id) || md5(a.id || f.kind), f.name, f.kind, f.media, 100000, a.started_at,
        a.started_at + interval '15 s', a.found_at + interval '20 s'
    FROM alerts a, (VALUES ('clean.jpg', 'clean_snapshot', 'image/jpeg'),
        ('annotated.jpg', 'annotated_snapshot', 'image/jpeg'), ('clip.mp4', 'clip', 'video/mp4')
        ) AS f (name, kind, media)
    WHERE a.id > %(n)s - %(kept)s
    """,
    # Nothing for the timer to look at: reminders of a million old alerts are not what is measured here.
    """
    INSERT INTO deadlines (alert_id, step, started_at, due_at, next_at, heard, settled_at, met)
    SELECT a.id, 'verify', a.found_at, a.found_at + interval '30 min', NULL, 0,
        CASE WHEN a.state <> 'pending_verification' THEN a.found_at + interval '5 min' END,
        CASE WHEN a.state <> 'pending_verification' THEN true END
    FROM alerts a
    """,
    """
    INSERT INTO deadlines (alert_id, step, started_at, due_at, next_at, heard, settled_at, met)
    SELECT a.id, 'fix', a.found_at + interval '5 min', a.found_at + interval '6 h', NULL, 0,
        a.found_at + (mod(a.id, 500)) * interval '1 min', mod(a.id, 500) <= 360
    FROM alerts a WHERE a.state = 'closed'
    """,
)
