"""Manifests on their way in: kept whole, joined to their chain, and their files expected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.evidence.chain import Link, join_waiting, link_of, own_fault
from kitchen_watch.backend.evidence.tables import EvidenceFileRow, LinkState, ManifestRow
from kitchen_watch.events import Event, EvidenceManifest

TAKEN_ID = "Its id belongs to another manifest already."


def store_manifests(
    session: Session, accepted: Sequence[tuple[Event, dict[str, Any], int]], *, now: datetime
) -> None:
    """Store the manifests of accepted events (event, as it came, its alert), in the order of their chain."""
    with_evidence = [
        (event, event.evidence, raw["evidence"], alert_id)
        for event, raw, alert_id in accepted
        if event.evidence is not None
    ]
    with_evidence.sort(key=lambda item: item[1].chain_index)
    for event, manifest, raw, alert_id in with_evidence:
        fault, manifest_id = own_fault(event, manifest, raw), manifest.manifest_id
        stored = session.get(ManifestRow, manifest_id)
        if stored is not None:
            said = (event.edge_id, alert_id, manifest.sha256)
            same = said == (stored.edge_id, stored.alert_id, stored.sha256)
            if same and (fault is None or raw == stored.body):
                continue  # named by an earlier event: nothing new
            # Two manifests of one id: the first keeps it, so that nobody can spoil another's evidence.
            fault, manifest_id = TAKEN_ID, uuid5(manifest_id, " ".join(map(str, said)))
            if session.get(ManifestRow, manifest_id) is not None:
                continue
        link = Link(LinkState.BROKEN, fault) if fault else link_of(session, event.edge_id, manifest)
        row = ManifestRow(
            manifest_id=manifest_id,
            edge_id=event.edge_id,
            alert_id=alert_id,
            event_id=event.event_id,
            chain_index=manifest.chain_index,
            sha256=manifest.sha256,
            previous_sha256=manifest.previous_sha256,
            link=link.state,
            link_reason=link.reason,
            received_at=now,
            body=raw,
        )
        session.add(row)
        session.flush()
        join_waiting(session, row)
        _expect_files(session, row, manifest)


def wanted_files(
    session: Session, edge_id: str, events: Iterable[Event], *, max_bytes: int
) -> tuple[str, ...]:
    """Hashes of files that these events name and that are not complete, in the order of naming."""
    named = [file.sha256 for event in events if event.evidence is not None for file in event.evidence.files]
    if not named:
        return ()
    missing = set(
        session.scalars(
            select(EvidenceFileRow.sha256).where(
                EvidenceFileRow.edge_id == edge_id,
                EvidenceFileRow.sha256.in_(named),
                EvidenceFileRow.completed_at.is_(None),
                EvidenceFileRow.size_bytes <= max_bytes,
            )
        )
    )
    return tuple(sha256 for sha256 in dict.fromkeys(named) if sha256 in missing)


def _expect_files(session: Session, row: ManifestRow, manifest: EvidenceManifest) -> None:
    completed = dict(
        session.execute(
            select(EvidenceFileRow.sha256, EvidenceFileRow.completed_at).where(
                EvidenceFileRow.edge_id == row.edge_id,
                EvidenceFileRow.sha256.in_([file.sha256 for file in manifest.files]),
                EvidenceFileRow.completed_at.is_not(None),
            )
        ).all()
    )
    session.add_all(
        EvidenceFileRow(
            manifest_id=row.manifest_id,
            alert_id=row.alert_id,
            edge_id=row.edge_id,
            sha256=file.sha256,
            name=file.name,
            kind=file.kind,
            media_type=file.media_type,
            size_bytes=file.size_bytes,
            starts_at=file.starts_at,
            ends_at=file.ends_at,
            completed_at=completed.get(file.sha256),
        )
        for file in manifest.files
    )
