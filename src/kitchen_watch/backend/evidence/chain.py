"""The chain of an edge's manifests: does each name the one before it, and is each what its hash says.

A break is written on the manifest and shown on its alert; the evidence itself is kept, for a
person to judge. Manifests may arrive in any order: one whose predecessor is not here yet waits.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend.evidence.tables import LinkState, ManifestRow
from kitchen_watch.events import FIRST_LINK, Event, EvidenceManifest, canonical_json, manifest_sha256


@dataclass(frozen=True, slots=True)
class Link:
    """How a manifest stands in the chain, and why."""

    state: LinkState
    reason: str | None = None


def own_fault(event: Event, manifest: EvidenceManifest, raw: dict[str, Any]) -> str | None:
    """What is wrong with a manifest taken by itself, or ``None``."""
    if manifest.sha256 not in (manifest_sha256(manifest), _raw_sha256(raw)):
        return "Its content does not match its own hash."
    named = (manifest.edge_id, manifest.camera_id, manifest.violation_id)
    if named != (event.edge_id, event.camera_id, event.violation_id):
        return "It was made for another camera or violation."
    return None


def link_of(session: Session, edge_id: str, manifest: EvidenceManifest) -> Link:
    """How a new manifest joins what is stored of its edge's chain."""
    place = (ManifestRow.edge_id == edge_id, ManifestRow.chain_index == manifest.chain_index)
    if session.scalar(select(ManifestRow.manifest_id).where(*place).limit(1)) is not None:
        return Link(
            LinkState.BROKEN,
            f"Number {manifest.chain_index} of the chain is there twice: the edge's record began anew "
            "or was rewritten.",
        )
    if manifest.chain_index == 0:
        if manifest.previous_sha256 == FIRST_LINK:
            return Link(LinkState.LINKED)
        return Link(LinkState.BROKEN, "It is the first of the chain, yet names one before it.")
    before = list(
        session.scalars(
            select(ManifestRow.sha256).where(
                ManifestRow.edge_id == edge_id,
                ManifestRow.chain_index == manifest.chain_index - 1,
            )
        )
    )
    if manifest.previous_sha256 in before:
        return Link(LinkState.LINKED)
    if before:
        return Link(LinkState.BROKEN, "It does not follow from the manifest before it.")
    return Link(LinkState.WAITING)


def join_waiting(session: Session, manifest: ManifestRow) -> None:
    """Settle the successors that waited for this manifest (or that it proves right)."""
    successor = (ManifestRow.edge_id == manifest.edge_id, ManifestRow.chain_index == manifest.chain_index + 1)
    session.execute(
        update(ManifestRow)
        .where(
            *successor,
            ManifestRow.link == LinkState.WAITING,
            ManifestRow.previous_sha256 == manifest.sha256,
        )
        .values(link=LinkState.LINKED)
    )
    session.execute(
        update(ManifestRow)
        .where(*successor, ManifestRow.link == LinkState.WAITING)
        .values(link=LinkState.BROKEN, link_reason="It does not follow from the manifest before it.")
    )


def _raw_sha256(raw: dict[str, Any]) -> str:
    # A newer edge may have added fields that this backend's model does not know.
    return hashlib.sha256(canonical_json({k: v for k, v in raw.items() if k != "sha256"})).hexdigest()
