"""Opening the outbox: one owner at a time, damage set aside, and everything unfinished taken up again."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from kitchen_watch.edge.evidence.package import ROOT, Packages
from kitchen_watch.edge.evidence.remote import RemoteEvidence
from kitchen_watch.edge.outbox.appending import journaled, put_meta
from kitchen_watch.edge.outbox.ballast import Ballast
from kitchen_watch.edge.outbox.carrying import bring
from kitchen_watch.edge.outbox.database import Connection, OutboxDatabase
from kitchen_watch.edge.outbox.postgres import PostgresOutbox, SharedDatabase
from kitchen_watch.edge.outbox.records import JournaledViolation, Recovery
from kitchen_watch.edge.outbox.remote_copies import BEGAN
from kitchen_watch.edge.outbox.salvage import adopt_chain, salvage, set_aside
from kitchen_watch.edge.outbox.schema import FILE_NAME, check, connect, micros, migrate
from kitchen_watch.edge.outbox.sqlite import SqliteOutbox
from kitchen_watch.errors import ConfigError, EvidenceError
from kitchen_watch.events import EvidenceManifest

LOCK_NAME = "outbox.lock"
BALLAST_NAME = "outbox.ballast"
RECENT = timedelta(hours=2)
"""Violations that ended within it are given back too: a recurrence may re-open them."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database, the lock on the data directory, and what was found."""

    database: OutboxDatabase
    lock: int
    recovery: Recovery


def open_outbox(
    packages: Packages,
    *,
    edge_id: str,
    now: datetime,
    shared: SharedDatabase | None = None,
    remote: RemoteEvidence | None = None,
) -> Opened:
    """Open or create ``<data_dir>/outbox.sqlite3`` for this process alone, or the edge's part of a
    cluster's database.

    Raises:
        ConfigError: another edge runs on this directory, it belongs to another edge id, or a newer
            version wrote it.
        EvidenceError: the directory or database cannot be used.
        LeaseLost: the edge has a newer owner than ``shared`` says.
    """
    data_dir = packages.data_dir
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = _lock(data_dir)
    except OSError as error:
        raise EvidenceError(
            f"{data_dir}: cannot be used: {error.strerror}. Give a directory that the edge may write."
        ) from error
    try:
        if shared is None:
            database, problems, renewed = _open_file(data_dir / FILE_NAME, now)
        else:
            database = PostgresOutbox(shared.url, edge_id=edge_id, lease=shared.lease)
            problems, renewed = _left_in_file(data_dir / FILE_NAME), database.transact(_is_new)
            database.transact(lambda connection: bring(connection, data_dir))
        try:
            recovery = _take_up(database, packages, edge_id, now, problems, renewed=renewed, remote=remote)
        except BaseException:
            database.close()
            raise
    except BaseException:
        os.close(lock)
        raise
    return Opened(database, lock, recovery)


def _open_file(path: Path, now: datetime) -> tuple[OutboxDatabase, list[str], bool]:
    """The edge's own file, what is to be said of it, and whether it begins anew."""
    is_new = not path.exists()
    try:
        connection, problems = _connect_or_renew(path, now)
    except sqlite3.Error as error:
        raise EvidenceError(f"{path}: the outbox cannot be opened: {error}. Check the disk.") from error
    ballast = Ballast(path.with_name(BALLAST_NAME))
    ballast.take()
    return SqliteOutbox(connection, path, ballast), problems, is_new or bool(problems)


def _is_new(connection: Connection) -> bool:
    return connection.execute("SELECT 1 FROM meta WHERE key = 'edge_id'").fetchone() is None


def _left_in_file(path: Path) -> list[str]:
    """Say of events that an earlier life of this edge left in its file that nobody delivers them now."""
    if not path.exists():
        return []
    with contextlib.suppress(sqlite3.Error), contextlib.closing(connect(path)) as connection:
        left = connection.execute("SELECT count(*) FROM events WHERE state = 'pending'").fetchone()[0]
        if left:
            return [
                f"{path}: {left} events lie there undelivered from before outbox.url was set. Start the edge "
                "once without it to deliver them."
            ]
    return []


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
    database: OutboxDatabase,
    packages: Packages,
    edge_id: str,
    now: datetime,
    problems: list[str],
    *,
    renewed: bool,
    remote: RemoteEvidence | None,
) -> Recovery:
    data_dir = packages.data_dir

    def claim(connection: Connection) -> tuple[int, list[tuple[int, str, bool]]]:
        _claim(connection, edge_id, data_dir, now)
        taken = adopt_chain(connection, data_dir, edge_id, now) if renewed else 0
        connection.execute("UPDATE events SET lease_until = NULL WHERE lease_until IS NOT NULL")
        awaited = connection.execute(
            "SELECT upload_id, path, stored FROM uploads WHERE state IN ('waiting', 'pending')"
        )
        return taken, [(row["upload_id"], row["path"], bool(row["stored"])) for row in awaited]

    taken, awaited = database.transact(claim)
    gone = _gone(awaited, data_dir, remote)  # outside of the transaction: a store may take its time
    missing = [data_dir / path for _, path in gone]
    database.transact(lambda connection: _mark_missing(connection, [number for number, _ in gone]))
    if taken:
        problems.append(
            f"{data_dir / ROOT}: {taken} manifests were on disk, but not in the outbox; "
            "the chain goes on after them."
        )
    if missing:
        problems.append(
            f"{data_dir}: {len(missing)} evidence files that wait for upload are not on disk, "
            f"the first of them {missing[0]}. Their events are delivered without them."
        )
    packages.sweep()
    database.transact(lambda connection: write_manifests(connection, packages))

    def unfinished(connection: Connection) -> Recovery:
        pending = connection.execute("SELECT count(*) FROM events WHERE state = 'pending'").fetchone()[0]
        return Recovery(
            violations=_journal(connection, now, problems),
            pending=pending,
            missing_files=tuple(missing),
            problems=tuple(problems),
        )

    return database.transact(unfinished)


def write_manifests(connection: Connection, packages: Packages) -> int:
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


def _claim(connection: Connection, edge_id: str, data_dir: Path, now: datetime) -> None:
    """The first edge id that uses a database keeps it: its chain is that edge's."""
    if connection.execute("SELECT 1 FROM meta WHERE key = ?", (BEGAN,)).fetchone() is None:
        put_meta(connection, BEGAN, str(micros(now)))
    found = connection.execute("SELECT value FROM meta WHERE key = 'edge_id'").fetchone()
    if found is None:
        put_meta(connection, "edge_id", edge_id)
    elif (owner := found["value"]) != edge_id:
        raise ConfigError(
            f"{data_dir}: the outbox there belongs to edge {owner}, this one is {edge_id}. "
            "Give this edge its own data directory, or its old edge_id."
        )


def _gone(
    awaited: Sequence[tuple[int, str, bool]], data_dir: Path, remote: RemoteEvidence | None
) -> list[tuple[int, str]]:
    """Files that are to be sent and lie neither here nor, as far as is known, in the object store."""
    gone: list[tuple[int, str]] = []
    for number, path, stored in awaited:
        if (data_dir / path).is_file() or (stored and remote is not None):
            continue
        try:
            if remote is None or not remote.has(path):
                gone.append((number, path))
        except EvidenceError:  # not known, and not asked again for each: the upload will find out
            break
    return gone


def _mark_missing(connection: Connection, uploads: Sequence[int]) -> None:
    connection.executemany(
        "UPDATE uploads SET state = 'missing', last_error = 'not on disk' WHERE upload_id = ?",
        [(number,) for number in uploads],
    )


def _journal(connection: Connection, now: datetime, problems: list[str]) -> tuple[JournaledViolation, ...]:
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
