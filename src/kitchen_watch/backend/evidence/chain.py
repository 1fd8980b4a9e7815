"""The chain of an edge's manifests: does each name the one before it, and is each what its hash says.

A break is written on the manifest and shown on its alert; the evidence itself is kept, for a
person to judge. Manifests may arrive in any order: one whose predecessor is not here yet waits.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.evidence.tables import LinkState, ManifestRow
from kitchen_watch.backend.writing import among
from kitchen_watch.events import FIRST_LINK, Event, EvidenceManifest, canonical_json, manifest_sha256


@dataclass(frozen=True, slots=True)
class Link:
    """How a manifest stands in the chain, and why."""

    state: LinkState
    reason: str | None = None


LINKED = Link(LinkState.LINKED)
DOES_NOT_FOLLOW = "It does not follow from the manifest before it."
MAX_INT64 = 2**63 - 1


def own_fault(event: Event, manifest: EvidenceManifest, raw: dict[str, Any]) -> str | None:
    """What is wrong with a manifest taken by itself, or ``None``."""
    # As it came first: that is quicker, and right unless an edge writes JSON in a form of its own.
    if manifest.sha256 != _raw_sha256(raw) and manifest.sha256 != manifest_sha256(manifest):
        return "Its content does not match its own hash."
    named = (manifest.edge_id, manifest.camera_id, manifest.violation_id)
    if named != (event.edge_id, event.camera_id, event.violation_id):
        return "It was made for another camera or violation."
    return None


@dataclass(slots=True)
class _Place:
    """One manifest's place in the chain."""

    chain_index: int
    sha256: str
    previous_sha256: str
    link: Link


class Chain:
    """The stretches of an edge's chain around some numbers; new manifests join it here, in memory.

    Read in one query however many manifests come; what they change of stored ones is in
    :attr:`settled`. The caller keeps others from the same edge's chain meanwhile.
    """

    def __init__(self, session: Session, edge_id: str, numbers: Iterable[int]) -> None:
        self.settled: dict[UUID, Link] = {}
        """Manifests that were waiting, and how they stand now."""
        self._places: dict[int, dict[UUID, _Place]] = defaultdict(dict)
        around = {number + step for number in numbers for step in (-1, 0, 1)}
        for row in session.execute(
            select(
                ManifestRow.manifest_id,
                ManifestRow.chain_index,
                ManifestRow.sha256,
                ManifestRow.previous_sha256,
                ManifestRow.link,
                ManifestRow.link_reason,
            ).where(
                ManifestRow.edge_id == edge_id,
                among(session, ManifestRow.chain_index, [n for n in around if 0 <= n <= MAX_INT64]),
            )
        ):
            manifest_id, number, sha256, previous, state, reason = row
            self._places[number][manifest_id] = _Place(number, sha256, previous, Link(state, reason))

    def join(self, manifest_id: UUID, manifest: EvidenceManifest, fault: str | None) -> Link:
        """How a new manifest stands, also for its own ``fault``; successors that waited are settled."""
        link = Link(LinkState.BROKEN, fault) if fault else self._link_of(manifest)
        number = manifest.chain_index
        self._places[number][manifest_id] = _Place(number, manifest.sha256, manifest.previous_sha256, link)
        for successor_id, successor in self._places[number + 1].items():
            if successor.link.state is LinkState.WAITING:
                follows = successor.previous_sha256 == manifest.sha256
                successor.link = LINKED if follows else Link(LinkState.BROKEN, DOES_NOT_FOLLOW)
                self.settled[successor_id] = successor.link
        return link

    def _link_of(self, manifest: EvidenceManifest) -> Link:
        number = manifest.chain_index
        if self._places[number]:
            return Link(
                LinkState.BROKEN,
                f"Number {number} of the chain is there twice: the edge's record began anew "
                "or was rewritten.",
            )
        if number == 0:
            if manifest.previous_sha256 == FIRST_LINK:
                return LINKED
            return Link(LinkState.BROKEN, "It is the first of the chain, yet names one before it.")
        before = [place.sha256 for place in self._places[number - 1].values()]
        if manifest.previous_sha256 in before:
            return LINKED
        return Link(LinkState.BROKEN, DOES_NOT_FOLLOW) if before else Link(LinkState.WAITING)


def _raw_sha256(raw: dict[str, Any]) -> str:
    # A newer edge may have added fields that this backend's model does not know.
    return hashlib.sha256(canonical_json({k: v for k, v in raw.items() if k != "sha256"})).hexdigest()
