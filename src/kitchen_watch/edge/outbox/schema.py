"""The outbox's tables and how an older database becomes a present one.

Times are integers: microseconds since 1970 in UTC, so that they compare in SQL.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kitchen_watch.errors import ConfigError

FILE_NAME = "outbox.sqlite3"
BUSY_TIMEOUT = timedelta(seconds=15)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    -- the journal: what to go on with after a crash, and the next sequence number
    CREATE TABLE violations (
        violation_id TEXT PRIMARY KEY,
        camera_id TEXT NOT NULL,
        code TEXT NOT NULL,
        next_sequence INTEGER NOT NULL,
        open INTEGER NOT NULL,
        held INTEGER NOT NULL DEFAULT 0,
        clip TEXT NOT NULL CHECK (clip IN ('none', 'due', 'done')),
        body TEXT NOT NULL,
        rule_state TEXT,
        updated_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX violations_open ON violations (open) WHERE open = 1;
    CREATE INDEX violations_clip_due ON violations (clip) WHERE clip = 'due';

    CREATE TABLE events (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        event_id TEXT NOT NULL UNIQUE,
        violation_id TEXT NOT NULL REFERENCES violations (violation_id),
        sequence INTEGER NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_at INTEGER NOT NULL,
        lease_until INTEGER,
        last_error TEXT,
        settled_at INTEGER,
        UNIQUE (violation_id, sequence)
    );
    CREATE INDEX events_pending ON events (number) WHERE state = 'pending';
    CREATE INDEX events_pending_order ON events (violation_id, sequence) WHERE state = 'pending';
    CREATE INDEX events_due ON events (next_attempt_at) WHERE state = 'pending';
    CREATE INDEX events_dead ON events (number) WHERE state = 'dead';

    -- the chain: one row per sealed manifest of this edge, never deleted
    CREATE TABLE manifests (
        chain_index INTEGER PRIMARY KEY,
        manifest_id TEXT NOT NULL UNIQUE,
        event_id TEXT NOT NULL,
        violation_id TEXT NOT NULL,
        folder TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        previous_sha256 TEXT NOT NULL,
        body TEXT NOT NULL,
        on_disk INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        removed_at INTEGER
    );
    CREATE INDEX manifests_violation ON manifests (violation_id);
    CREATE INDEX manifests_event ON manifests (event_id);
    CREATE INDEX manifests_unwritten ON manifests (on_disk) WHERE on_disk = 0;

    CREATE TABLE uploads (
        upload_id INTEGER PRIMARY KEY AUTOINCREMENT,
        chain_index INTEGER NOT NULL REFERENCES manifests (chain_index),
        sha256 TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        path TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        received_bytes INTEGER NOT NULL DEFAULT 0,
        priority INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'pending', 'delivered', 'missing', 'damaged')),
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_at INTEGER NOT NULL,
        last_error TEXT
    );
    CREATE INDEX uploads_pending ON uploads (priority, upload_id) WHERE state = 'pending';
    CREATE INDEX uploads_due ON uploads (next_attempt_at) WHERE state = 'pending';
    CREATE INDEX uploads_manifest ON uploads (chain_index);
    CREATE INDEX uploads_sha256 ON uploads (sha256);
    """,
    """
    -- whether the object store has it; nobody looks where there is none
    ALTER TABLE uploads ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE manifests ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;
    """,
)


def connect(path: Path) -> sqlite3.Connection:
    """A connection that commits durably (WAL, synchronous=FULL). Transactions are explicit.

    Raises:
        sqlite3.Error: the file is no database, or cannot be opened.
    """
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT.total_seconds(),
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def check(connection: sqlite3.Connection) -> None:
    """Read the whole database once.

    Raises:
        sqlite3.DatabaseError: it is damaged.
    """
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(str(verdict))


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the database to the present version, each step in its own transaction.

    Raises:
        ConfigError: a newer kitchen-watch wrote it.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise ConfigError(
            f"{path}: was written by a newer kitchen-watch (version {version} of its tables, this one "
            f"knows {len(MIGRATIONS)}). Install that version again; the outbox is untouched."
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")


def micros(at: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(value: int) -> datetime:
    """The aware UTC time of :func:`micros`."""
    return _EPOCH + timedelta(microseconds=value)
