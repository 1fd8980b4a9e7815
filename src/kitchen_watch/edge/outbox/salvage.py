"""A damaged database is set aside under a clear name, and what can still be read goes into a new one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from kitchen_watch.edge.evidence.package import ROOT
from kitchen_watch.edge.outbox.appending import PRIORITIES, chain_head, put_meta
from kitchen_watch.edge.outbox.database import Connection
from kitchen_watch.edge.outbox.schema import connect, micros
from kitchen_watch.events import EvidenceManifest

TABLES = ("meta", "violations", "manifests", "events", "uploads")
_SIDE_FILES = ("", "-wal", "-shm")


def set_aside(path: Path, now: datetime) -> Path:
    """Rename the database and what belongs to it; the new path."""
    aside = path.with_name(f"{path.stem}-damaged-{now:%Y%m%dT%H%M%SZ}{path.suffix}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.stem}-damaged-{now:%Y%m%dT%H%M%SZ}-{number}{path.suffix}")
    for ending in _SIDE_FILES:
        source = path.with_name(path.name + ending)
        if source.exists():
            source.rename(aside.with_name(aside.name + ending))
    return aside


def salvage(damaged: Path, connection: sqlite3.Connection) -> int:
    """Copy every row that can still be read into the empty tables of ``connection``.

    Must run inside a transaction. The number of undelivered events saved.
    """
    connection.execute("PRAGMA defer_foreign_keys = ON")
    with contextlib.suppress(sqlite3.Error):
        source = connect(damaged)
        try:
            for table in TABLES:
                for row in _readable(source, table):
                    _copy(connection, table, row)
        finally:
            source.close()
    _mend(connection)
    return int(connection.execute("SELECT count(*) FROM events WHERE state = 'pending'").fetchone()[0])


def adopt_chain(connection: Connection, data_dir: Path, edge_id: str, now: datetime) -> int:
    """Take manifests that lie on disk, but not in the database, into the chain and its uploads.

    Must run inside a transaction. The number of manifests taken.
    """
    taken = 0
    known = {row[0] for row in connection.execute("SELECT chain_index FROM manifests")}
    for file in sorted((data_dir / ROOT).glob("*/*/*/*/manifest-*.json")):
        with contextlib.suppress(OSError, ValidationError):
            manifest = EvidenceManifest.model_validate_json(file.read_bytes())
            if manifest.edge_id != edge_id or manifest.chain_index in known:
                continue
            known.add(manifest.chain_index)
            _insert_manifest(connection, manifest, file.parent.relative_to(data_dir).as_posix(), now)
            taken += 1
    head = chain_head(connection)
    put_meta(connection, "chain_next_index", str(head.next_index))
    put_meta(connection, "chain_sha256", head.sha256)
    return taken


def _readable(source: sqlite3.Connection, table: str) -> Iterator[sqlite3.Row]:
    """Rows from the front up to the damage, then from the back up to it."""
    for order in ("ASC", "DESC"):
        try:
            yield from source.execute(f"SELECT * FROM {table} ORDER BY 1 {order}")  # noqa: S608
        except sqlite3.Error:
            continue
        return


def _copy(connection: sqlite3.Connection, table: str, row: sqlite3.Row) -> None:
    names = ", ".join(row.keys())
    marks = ", ".join("?" * len(row))
    with contextlib.suppress(sqlite3.Error):
        connection.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", tuple(row))  # noqa: S608


def _mend(connection: sqlite3.Connection) -> None:
    """Make what was saved consistent: no event without its violation, no number given twice."""
    connection.execute(
        "INSERT OR IGNORE INTO violations (violation_id, camera_id, code, next_sequence, open, clip, body,"
        " updated_at) SELECT violation_id, min(body ->> '$.camera_id'), min(body ->> '$.code'), 0, 0, 'none',"
        " '{}', max(created_at) FROM events GROUP BY violation_id"
    )
    connection.execute(
        "UPDATE violations SET next_sequence = max(next_sequence, coalesce((SELECT max(sequence) + 1"
        " FROM events e WHERE e.violation_id = violations.violation_id), 0))"
    )
    connection.execute("DELETE FROM uploads WHERE chain_index NOT IN (SELECT chain_index FROM manifests)")


def _insert_manifest(connection: Connection, manifest: EvidenceManifest, folder: str, now: datetime) -> None:
    connection.execute(
        "INSERT INTO manifests (chain_index, manifest_id, event_id, violation_id, folder, sha256,"
        " previous_sha256, body, on_disk, created_at) VALUES (?, ?, '', ?, ?, ?, ?, ?, 1, ?)",
        (
            manifest.chain_index,
            str(manifest.manifest_id),
            str(manifest.violation_id),
            folder,
            manifest.sha256,
            manifest.previous_sha256,
            manifest.model_dump_json(),
            micros(manifest.created_at),
        ),
    )
    connection.executemany(
        "INSERT INTO uploads (chain_index, sha256, name, kind, path, size_bytes, priority, state,"
        " next_attempt_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?)",
        [
            (
                manifest.chain_index,
                file.sha256,
                file.name,
                file.kind.value,
                f"{folder}/{file.name}",
                file.size_bytes,
                PRIORITIES[file.kind],
                micros(now),
            )
            for file in manifest.files
        ],
    )
