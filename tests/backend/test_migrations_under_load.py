"""A backend migrates its database while others take events: nobody waits long, and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa
from alembic import command, op
from alembic.script import ScriptDirectory
from alembic.script.revision import Revision
from sqlalchemy import text

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.migrations import apply
from kitchen_watch.backend.migrations.apply import DIRECTORY, alembic_config, upgrade
from kitchen_watch.backend.migrations.careful import LARGE, refusals, sql_of
from kitchen_watch.backend.schema import metadata
from kitchen_watch.errors import ConfigError
from tests.backend.support import NOON, running
from tests.postgres import new_database

BEFORE_THE_RULE = {"0003", "0005", "0014", "0017", "0022", "0027", "0030"}
"""Written when no database was large: indexes (on a million alerts a second each), and updates of the
days of cameras and of notifications. Nothing may be added here."""
OLD = "0013"
ROWS = 5_000
LONGEST_WAIT_S = 10.0
"""On a busy machine; what an edge would wait for is printed."""


def migrations() -> list[Revision]:
    return list(ScriptDirectory(str(DIRECTORY)).walk_revisions())


@pytest.mark.parametrize(
    "migration",
    [one for one in migrations() if one.revision not in BEFORE_THE_RULE],
    ids=lambda one: one.revision,
)
def test_no_new_migration_holds_up_a_large_table(migration: Revision) -> None:
    assert list(refusals(sql_of(migration))) == []


def test_the_tables_that_are_called_large_exist() -> None:
    assert metadata().tables.keys() >= LARGE


def _bad_index() -> None:
    op.create_index("ix_x", "alerts", ["code"])


def _bad_column() -> None:
    op.add_column("events", sa.Column("x", sa.Integer(), nullable=False))


def _bad_default() -> None:
    op.add_column("events", sa.Column("x", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))


def _bad_type() -> None:
    op.alter_column("feed_entries", "code", type_=sa.Text())


def _bad_null() -> None:
    op.alter_column("manifests", "body", nullable=False)


def _bad_key() -> None:
    op.create_foreign_key("fk_x", "alerts", "people", ["x"], ["id"])


def _bad_unique() -> None:
    op.create_unique_constraint("uq_x", "alerts", ["violation_id"])


def _bad_update() -> None:
    op.execute("UPDATE alerts SET tier = 3 WHERE tier IS NULL")


def _good() -> None:
    op.create_table("x", sa.Column("id", sa.Integer(), primary_key=True))
    op.create_index("ix_x_id", "x", ["id"])
    op.create_index("ix_x", "alerts", ["code"], postgresql_concurrently=True)
    op.add_column("alerts", sa.Column("x", sa.Integer(), nullable=True))
    op.add_column("alerts", sa.Column("y", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_groups", "supervision_groups", ["name"])


@pytest.mark.parametrize(
    "bad",
    [_bad_index, _bad_column, _bad_default, _bad_type, _bad_null, _bad_key, _bad_unique, _bad_update],
    ids=lambda one: one.__name__[5:],
)
def test_what_would_hold_up_a_large_table_is_refused(bad: Any) -> None:
    [sentence] = refusals(sql_of(_as_migration(bad)))
    assert ";" in sentence, "it says why, and what to do instead"


def test_what_is_quick_is_not_refused() -> None:
    assert list(refusals(sql_of(_as_migration(_good)))) == []


def _as_migration(act: Any) -> Revision:
    return cast(Revision, SimpleNamespace(module=SimpleNamespace(upgrade=act)))


# on a database that is filled and in use


@dataclass
class Writer:
    """A backend of the old revision that takes events: the same statements, the same columns."""

    database: Database
    waits: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = ROWS
        while not self._stop.is_set():
            number += 1
            began = time.monotonic()
            try:
                with self.database.engine.begin() as connection:
                    connection.execute(text(ALERTS), {"first": number, "last": number, "noon": NOON})
                    connection.execute(text(FEED), {"first": number, "last": number, "noon": NOON})
            except sa.exc.DBAPIError as error:
                self.failed.append(str(error.orig))
                return
            self.waits.append(time.monotonic() - began)

    def __enter__(self) -> Writer:
        self._thread = threading.Thread(target=self.run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


ALERTS = """
    INSERT INTO alerts (id, violation_id, edge_id, camera_id, premises_id, node_id, code, tier, state,
        found_at, occurred_at, started_at, last_seen_at, updated_at, confidence, rule, detections,
        first_sequence, last_sequence, events_received, reopenings)
    SELECT i, md5('v' || i)::uuid, c.edge_id, c.camera_id, c.premises_id, p.node_id, 'NO_HAT', 2,
        'pending_verification', :noon, :noon, :noon, :noon, :noon, 0.5,
        '{"rule_id": "NO_HAT", "version": "1", "parameters": {}}', '[]', 0, 0, 1, 0
    FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) i, cameras c
    JOIN premises p ON p.id = c.premises_id WHERE c.camera_id = 'cam-a1'
"""
FEED = """
    INSERT INTO feed_entries (id, alert_id, kind, at, premises_id, node_path, camera_id, code, tier, state)
    SELECT a.id, a.id, 'opened', :noon, a.premises_id, n.path, a.camera_id, a.code, a.tier, a.state
    FROM alerts a JOIN nodes n ON n.id = a.node_id WHERE a.id BETWEEN :first AND :last
"""


@pytest.fixture
def filled(seeded_postgres: tuple[str, str]) -> Iterator[Database]:
    """A database of an earlier revision, with alerts."""
    server, template = seeded_postgres
    database = Database(new_database(server, template=template))
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), OLD)
    with database.engine.begin() as connection:
        connection.execute(text(ALERTS), {"first": 1, "last": ROWS, "noon": NOON})
        connection.execute(text(FEED), {"first": 1, "last": ROWS, "noon": NOON})
    yield database
    database.close()


@pytest.mark.postgres
@pytest.mark.integration
def test_events_are_taken_while_the_database_is_migrated(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "LOCK_WAIT_S", 0.3)
    monkeypatch.setattr(apply, "PAUSE_S", 0.1)
    with Writer(filled) as writer, filled.engine.connect() as reader:
        _until(lambda: len(writer.waits) > 5)
        reader.execute(text("SELECT count(*) FROM evidence_files"))  # a page that is being drawn
        threading.Timer(1.0, reader.rollback).start()
        upgrade(filled)
        count = len(writer.waits)
        _until(lambda: len(writer.waits) > count + 5)
    assert writer.failed == []
    assert max(writer.waits) < LONGEST_WAIT_S
    with filled.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AlertRow)) == ROWS + len(writer.waits)
    url = filled.engine.url.render_as_string(hide_password=False)
    with running(tmp_path, database_url=url, outgoing={"send_here": False}) as backend:
        newest = backend.logged_in("regulator").get("/api/v1/alerts").json()
        assert newest["items"][0]["alert_id"] == ROWS + len(writer.waits)


@pytest.mark.postgres
@pytest.mark.integration
def test_a_table_that_stays_in_use_is_waited_for_without_holding_up_others(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "LOCK_WAIT_S", 0.1)
    monkeypatch.setattr(apply, "PAUSE_S", 0.3)
    monkeypatch.setattr(apply, "TRIES", 3)
    with Writer(filled) as writer, filled.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM evidence_files"))
        with pytest.raises(ConfigError, match="lock timeout"):
            upgrade(filled)
        count = len(writer.waits)
        _until(lambda: len(writer.waits) > count)
        reader.rollback()
    assert writer.failed == []
    with filled.engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == OLD, "all or none"


def _until(condition: Any, within: timedelta = timedelta(seconds=60)) -> None:
    deadline = time.monotonic() + within.total_seconds()
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
