"""The one transaction that makes a step of a violation durable: event, manifest link, uploads, journal."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from pydantic import TypeAdapter

from kitchen_watch.edge.evidence.manifest import ChainHead, ManifestDraft, seal
from kitchen_watch.edge.evidence.package import PackageFiles
from kitchen_watch.edge.outbox.database import Connection, Row
from kitchen_watch.edge.outbox.records import ClipState, EventDraft, JournaledViolation
from kitchen_watch.edge.outbox.schema import micros
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.events import Event, EvidenceKind, EvidenceManifest

PRIORITIES = {EvidenceKind.ANNOTATED: 0, EvidenceKind.CLEAN: 1, EvidenceKind.CLIP: 2}
"""Pictures before clips: whoever looks at an alert wants to see something first."""

_violation: TypeAdapter[Violation] = TypeAdapter(Violation)


class Appended(NamedTuple):
    """The event as it will be delivered, and the manifest that still has to be written to its folder."""

    event: Event
    manifest: EvidenceManifest | None
    folder: str | None


def append(
    connection: Connection, draft: EventDraft, *, edge_id: str, now: datetime, stored: bool = False
) -> Appended:
    """Give the draft its sequence number and its manifest the next link, and insert everything.

    An event id that is there already is left as it is, so that a step may be recorded again when it
    is not known whether it was. ``stored``: its files are in the object store as well. Must run inside a
    transaction; does nothing to the disk outside of it.
    """
    known = connection.execute(
        "SELECT body FROM events WHERE event_id = ?", (str(draft.event_id),)
    ).fetchone()
    if known is not None:
        event = Event.model_validate_json(known["body"])
        return Appended(event, event.evidence, None if draft.package is None else draft.package.folder)
    violation = draft.violation
    sequence = _journal(connection, draft, now)
    manifest = None
    if draft.package is not None:
        manifest = _link(connection, draft, draft.package, edge_id=edge_id, now=now, stored=stored)
    event = Event(
        event_id=draft.event_id,
        kind=draft.kind,
        violation_id=violation.violation_id,
        sequence=sequence,
        edge_id=edge_id,
        camera_id=violation.camera_id,
        code=violation.code,
        tier=violation.tier,
        occurred_at=draft.occurred_at,
        server_offset_ms=draft.server_offset_ms,
        started_at=violation.started_at,
        last_seen_at=violation.last_seen_at,
        ended_at=violation.ended_at,
        confidence=min(1.0, max(0.0, violation.confidence)),
        zone_id=violation.zone_id,
        model=draft.model,
        rule=draft.rule,
        detections=draft.detections,
        evidence=manifest,
        detail=draft.detail if draft.detail is not None else violation.detail,
    )
    connection.execute(
        "INSERT INTO events (event_id, violation_id, sequence, kind, body, created_at, state,"
        " next_attempt_at) VALUES (?, ?, ?, ?, ?, ?, 'pending', ?)",
        (
            str(event.event_id),
            str(event.violation_id),
            sequence,
            event.kind.value,
            event.model_dump_json(),
            micros(now),
            micros(now),
        ),
    )
    return Appended(event, manifest, None if draft.package is None else draft.package.folder)


def remember(connection: Connection, violation: Violation, now: datetime) -> None:
    """Journal a violation's growth without telling anybody."""
    connection.execute(
        "UPDATE violations SET body = ?, updated_at = ? WHERE violation_id = ?",
        (_violation.dump_json(violation).decode(), micros(now), str(violation.violation_id)),
    )


def journaled(row: Row) -> JournaledViolation:
    """One row of the journal."""
    return JournaledViolation(
        violation=_violation.validate_json(row["body"]),
        clip=ClipState(row["clip"]),
        state=None if row["rule_state"] is None else json.loads(row["rule_state"]),
    )


def chain_head(connection: Connection) -> ChainHead:
    """Where the chain ends; a database that was made anew goes on where the old one ended."""
    row = connection.execute(
        "SELECT chain_index, sha256 FROM manifests ORDER BY chain_index DESC LIMIT 1"
    ).fetchone()
    if row is not None:
        return ChainHead(row["chain_index"] + 1, row["sha256"])
    rows = connection.execute("SELECT key, value FROM meta WHERE key LIKE 'chain_%'")
    found = {row["key"]: row["value"] for row in rows}
    return ChainHead(int(found["chain_next_index"]), found["chain_sha256"]) if found else ChainHead()


def put_meta(connection: Connection, key: str, value: str) -> None:
    """Write down one of the outbox's own facts."""
    if not connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key)).rowcount:
        connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (key, value))


def _journal(connection: Connection, draft: EventDraft, now: datetime) -> int:
    """Write the violation's present state and take its next sequence number."""
    violation = draft.violation
    row = connection.execute(
        "INSERT INTO violations (violation_id, camera_id, code, next_sequence, open, clip, body, rule_state,"
        " updated_at) VALUES (:id, :camera, :code, 1, :open, coalesce(:clip, 'none'), :body, :state, :now)"
        " ON CONFLICT (violation_id) DO UPDATE SET next_sequence = violations.next_sequence + 1,"
        " open = :open, clip = coalesce(:clip, violations.clip), body = :body,"
        " rule_state = coalesce(:state, violations.rule_state),"
        " updated_at = :now RETURNING next_sequence - 1",
        {
            "id": str(violation.violation_id),
            "camera": violation.camera_id,
            "code": violation.code,
            "open": int(violation.ended_at is None),
            "clip": None if draft.clip is None else draft.clip.value,
            "body": _violation.dump_json(violation).decode(),
            "state": None if draft.state is None else json.dumps(draft.state),
            "now": micros(now),
        },
    ).fetchone()
    return int(row[0])


def _link(
    connection: Connection,
    draft: EventDraft,
    package: PackageFiles,
    *,
    edge_id: str,
    now: datetime,
    stored: bool,
) -> EvidenceManifest:
    manifest = seal(
        ManifestDraft(
            manifest_id=uuid4(),
            camera_id=draft.violation.camera_id,
            violation_id=draft.violation.violation_id,
            code=draft.violation.code,
            created_at=now,
            server_offset_ms=draft.server_offset_ms,
            model=draft.model,
            rule=draft.rule,
            detections=draft.detections,
            files=package.files,
        ),
        edge_id=edge_id,
        head=chain_head(connection),
    )
    connection.execute(
        "INSERT INTO manifests (chain_index, manifest_id, event_id, violation_id, folder, sha256,"
        " previous_sha256, body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            manifest.chain_index,
            str(manifest.manifest_id),
            str(draft.event_id),
            str(manifest.violation_id),
            package.folder,
            manifest.sha256,
            manifest.previous_sha256,
            manifest.model_dump_json(),
            micros(now),
        ),
    )
    connection.executemany(
        "INSERT INTO uploads (chain_index, sha256, name, kind, path, size_bytes, priority, state,"
        " next_attempt_at, stored) VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?)",
        [
            (
                manifest.chain_index,
                file.sha256,
                file.name,
                file.kind.value,
                f"{package.folder}/{file.name}",
                file.size_bytes,
                PRIORITIES[file.kind],
                micros(now),
                int(stored),
            )
            for file in package.files
        ],
    )
    return manifest
