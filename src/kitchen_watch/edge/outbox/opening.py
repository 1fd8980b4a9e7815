"""Opening the outbox: one owner at a time, damage set aside, and everything unfinished taken up again."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from kitchen_watch.edge.evidence.package import ROOT, Packages
from kitchen_watch.edge.outbox.appending import journaled
from kitchen_watch.edge.outbox.records import JournaledViolation, Recovery
from kitchen_watch.edge.outbox.salvage import adopt_chain, salvage, set_aside
from kitchen_watch.edge.outbox.schema import FILE_NAME, check, connect, micros, migrate
from kitchen_watch.errors import ConfigError, EvidenceError
from kitchen_watch.events import EvidenceManifest

LOCK_NAME = "outbox.lock"
RECENT = timedelta(hours=2)
"""Violations that ended within it are given back too: a recurrence may re-open them."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database, the lock that keeps others out, and what was found."""

    connection: sqlite3.Connection
    path: Path
    lock: int
    recovery: Recovery


def open_database(packages: Packages, *, edge_id: str, now: datetime) -> Opened:
    """Open or create ``<data_dir>/outbox.sqlite3`` for this process alone.

    Raises:
        ConfigError: another edge runs on this directory, it belongs to another edge id, or a newer
            version wrote it.
        EvidenceError: the directory or file cannot be used.
    """
    data_dir = packages.data_dir
    path = data_dir / FILE_NAME
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = _lock(data_dir)
    except OSError as error:
        raise EvidenceError(
            f"{data_dir}: cannot be used: {error.strerror}. Give a directory that the edge may write."
        ) from error
    try:
        is_new = not path.exists()
        connection, problems = _connect_or_renew(path, now)
        try:
            recovery = _take_up(
                connection, packages, edge_id, now, problems, renewed=is_new or bool(problems)
            )
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        os.close(lock)
        raise EvidenceError(f"{path}: the outbox cannot be opened: {error}. Check the disk.") from error
    except BaseException:
        os.close(lock)
        raise
    return Opened(connection, path, lock, recovery)


def _lock(data_dir: Path) -> int:
    descriptor = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConfigError(
            f"{data_dir}: another edge is running on this data directory. Stop it, or give this one its own."
        ) from None
    return descriptor


def _connect_or_renew(path: Path, now: datetime) -> tuple[sqlite3.Connection, list[str]]:
    try:
        return _connect_checked(path), []
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            raise
        reason = str(error)
    aside = set_aside(path, now)
    connection = _connect_checked(path)
    connection.execute("BEGIN IMMEDIATE")
    saved = salvage(aside, connection)
    connection.execute("COMMIT")
    return connection, [
        f"{path}: the outbox was damaged ({reason}); it is kept as {aside.name}. {saved} undelivered events "
        "could be read and will be delivered; evidence on disk is untouched. Check the disk."
    ]


def _connect_checked(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    try:
        check(connection)
        migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    # Without a code it is our own check's verdict.
    return code is None or code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _take_up(
    connection: sqlite3.Connection,
    packages: Packages,
    edge_id: str,
    now: datetime,
    problems: list[str],
    *,
    renewed: bool,
) -> Recovery:
    data_dir = packages.data_dir
    connection.execute("BEGIN IMMEDIATE")
    try:
        _claim(connection, edge_id, data_dir)
        if renewed:
            taken = adopt_chain(connection, data_dir, edge_id, now)
            if taken:
                problems.append(
                    f"{data_dir / ROOT}: {taken} manifests were on disk, but not in the outbox; "
                    "the chain goes on after them."
                )
        connection.execute("UPDATE events SET lease_until = NULL WHERE lease_until IS NOT NULL")
        missing = _missing_files(connection, data_dir)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    if missing:
        problems.append(
            f"{data_dir}: {len(missing)} evidence files that wait for upload are not on disk, "
            f"the first of them {missing[0]}. Their events are delivered without them."
        )
    packages.sweep()
    write_manifests(connection, packages)
    pending = connection.execute("SELECT count(*) FROM events WHERE state = 'pending'").fetchone()[0]
    return Recovery(
        violations=_journal(connection, now, problems),
        pending=pending,
        missing_files=tuple(missing),
        problems=tuple(problems),
    )


def write_manifests(connection: sqlite3.Connection, packages: Packages) -> int:
    """Write manifests that are sealed, but not yet in their folder; the number still unwritten."""
    rows = connection.execute(
        "SELECT chain_index, folder, body FROM manifests WHERE on_disk = 0 ORDER BY chain_index"
    ).fetchall()
    for written, row in enumerate(rows):
        try:
            packages.write_manifest(row["folder"], EvidenceManifest.model_validate_json(row["body"]))
        except EvidenceError:  # a full disk: the database has it, a later call writes it
            return len(rows) - written
        connection.execute("UPDATE manifests SET on_disk = 1 WHERE chain_index = ?", (row["chain_index"],))
    return 0


def _claim(connection: sqlite3.Connection, edge_id: str, data_dir: Path) -> None:
    """The first edge id that uses a database keeps it: its chain is that edge's."""
    connection.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('edge_id', ?)", (edge_id,))
    owner = connection.execute("SELECT value FROM meta WHERE key = 'edge_id'").fetchone()[0]
    if owner != edge_id:
        raise ConfigError(
            f"{data_dir}: the outbox there belongs to edge {owner}, this one is {edge_id}. "
            "Give this edge its own data directory, or its old edge_id."
        )


def _missing_files(connection: sqlite3.Connection, data_dir: Path) -> list[Path]:
    missing = []
    awaited = "SELECT upload_id, path FROM uploads WHERE state IN ('waiting', 'pending')"
    for row in connection.execute(awaited).fetchall():
        path = data_dir / row["path"]
        if not path.is_file():
            missing.append(path)
            connection.execute(
                "UPDATE uploads SET state = 'missing', last_error = 'not on disk' WHERE upload_id = ?",
                (row["upload_id"],),
            )
    return missing


def _journal(
    connection: sqlite3.Connection, now: datetime, problems: list[str]
) -> tuple[JournaledViolation, ...]:
    rows = connection.execute(
        "SELECT violation_id, body, clip, rule_state FROM violations WHERE body != '{}'"
        " AND (open = 1 OR clip = 'due' OR updated_at > ?) ORDER BY updated_at",
        (micros(now - RECENT),),
    )
    found = []
    for row in rows:
        try:
            found.append(journaled(row))
        except ValidationError:  # written by another version
            problems.append(
                f"Violation {row['violation_id']} of an earlier version cannot be continued; close its alert."
            )
    return tuple(found)
