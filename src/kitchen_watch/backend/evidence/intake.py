"""Manifests on their way in: kept whole, joined to their chain, and their files expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend.evidence.chain import Chain, Link, own_fault
from kitchen_watch.backend.evidence.tables import EvidenceFileRow, ManifestRow
from kitchen_watch.backend.writing import among, write_rows
from kitchen_watch.events import Event, EvidenceManifest

TAKEN_ID = "Its id belongs to another manifest already."


@dataclass(frozen=True, slots=True)
class _Told:
    """One event's manifest, parsed and as it came."""

    event: Event
    manifest: EvidenceManifest
    raw: dict[str, Any]
    alert_id: int

    @property
    def said(self) -> tuple[str, int, str]:
        return (self.event.edge_id, self.alert_id, self.manifest.sha256)


def store_manifests(
    session: Session, accepted: Sequence[tuple[Event, dict[str, Any], int]], *, now: datetime
) -> None:
    """Store the manifests of accepted events (event, as it came, its alert) of one edge.

    In the order of their chain, and in a few statements however many they are.
    """
    told = [
        _Told(event, event.evidence, raw["evidence"], alert_id)
        for event, raw, alert_id in accepted
        if event.evidence is not None
    ]
    if not told:
        return
    told.sort(key=lambda one: one.manifest.chain_index)
    known = _known(session, {one.manifest.manifest_id for one in told})
    edge_id = told[0].event.edge_id
    chain = Chain(session, edge_id, {one.manifest.chain_index for one in told})
    new: dict[UUID, _Told] = {}
    links: dict[UUID, Link] = {}
    for one in told:
        fault, manifest_id = own_fault(one.event, one.manifest, one.raw), one.manifest.manifest_id
        if manifest_id in known:
            said, body = known[manifest_id]
            if said == one.said and (fault is None or one.raw == body):
                continue  # named by an earlier event: nothing new
            # Two manifests of one id: the first keeps it, so that nobody can spoil another's evidence.
            fault, manifest_id = TAKEN_ID, uuid5(manifest_id, " ".join(map(str, one.said)))
            if manifest_id in new or session.get(ManifestRow, manifest_id) is not None:
                continue
        known[manifest_id] = (one.said, one.raw)
        new[manifest_id], links[manifest_id] = one, chain.join(manifest_id, one.manifest, fault)
    links |= {manifest_id: link for manifest_id, link in chain.settled.items() if manifest_id in new}
    if new:
        write_rows(session, ManifestRow, [_values(key, one, links[key], now) for key, one in new.items()])
        _expect_files(session, edge_id, new)
    for manifest_id, link in chain.settled.items():
        if manifest_id not in new:
            session.execute(
                update(ManifestRow)
                .where(ManifestRow.manifest_id == manifest_id)
                .values(link=link.state, link_reason=link.reason)
            )


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
                among(session, EvidenceFileRow.sha256, named),
                EvidenceFileRow.completed_at.is_(None),
                EvidenceFileRow.deleted_at.is_(None),
                EvidenceFileRow.size_bytes <= max_bytes,
            )
        )
    )
    return tuple(sha256 for sha256 in dict.fromkeys(named) if sha256 in missing)


def _known(session: Session, ids: set[UUID]) -> dict[UUID, tuple[tuple[str, int, str], dict[str, Any]]]:
    """Edge, alert, hash and content of stored manifests."""
    rows = session.execute(
        select(
            ManifestRow.manifest_id,
            ManifestRow.edge_id,
            ManifestRow.alert_id,
            ManifestRow.sha256,
            ManifestRow.body,
        ).where(among(session, ManifestRow.manifest_id, ids))
    )
    return {key: ((edge_id, alert_id, sha256), body) for key, edge_id, alert_id, sha256, body in rows}


def _values(manifest_id: UUID, one: _Told, link: Link, now: datetime) -> dict[str, Any]:
    return {
        "manifest_id": manifest_id,
        "edge_id": one.event.edge_id,
        "alert_id": one.alert_id,
        "event_id": one.event.event_id,
        "chain_index": one.manifest.chain_index,
        "sha256": one.manifest.sha256,
        "previous_sha256": one.manifest.previous_sha256,
        "link": link.state,
        "link_reason": link.reason,
        "received_at": now,
        "body": one.raw,
    }


def _expect_files(session: Session, edge_id: str, new: Mapping[UUID, _Told]) -> None:
    files = [(key, one.alert_id, file) for key, one in new.items() for file in one.manifest.files]
    if not files:
        return
    completed = dict(
        session.execute(
            select(EvidenceFileRow.sha256, EvidenceFileRow.completed_at).where(
                EvidenceFileRow.edge_id == edge_id,
                among(session, EvidenceFileRow.sha256, {file.sha256 for _, _, file in files}),
                EvidenceFileRow.completed_at.is_not(None),
            )
        ).all()
    )
    write_rows(
        session,
        EvidenceFileRow,
        [
            {
                "manifest_id": manifest_id,
                "alert_id": alert_id,
                "edge_id": edge_id,
                "sha256": file.sha256,
                "name": file.name,
                "kind": file.kind,
                "media_type": file.media_type,
                "size_bytes": file.size_bytes,
                "starts_at": file.starts_at,
                "ends_at": file.ends_at,
                "completed_at": completed.get(file.sha256),
            }
            for manifest_id, alert_id, file in files
        ],
    )
