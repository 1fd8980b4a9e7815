"""A manifest: what a package contains, sealed by its own hash and chained to the one before.

Sealing is pure. Who comes before whom is decided by the outbox, inside the transaction that makes
the event durable, so that an edge's chain has neither gaps nor forks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kitchen_watch.events import (
    FIRST_LINK,
    DetectionSeen,
    EvidenceFile,
    EvidenceManifest,
    ModelUsed,
    RuleUsed,
    manifest_sha256,
)


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where an edge's chain ends: the index that comes next, and the hash it must name."""

    next_index: int = 0
    sha256: str = FIRST_LINK


@dataclass(frozen=True, slots=True)
class ManifestDraft:
    """Everything a manifest says except its place in the chain."""

    manifest_id: UUID
    camera_id: str
    violation_id: UUID
    code: str
    created_at: datetime
    server_offset_ms: int | None
    model: ModelUsed | None
    rule: RuleUsed
    detections: tuple[DetectionSeen, ...]
    files: tuple[EvidenceFile, ...]


def seal(draft: ManifestDraft, *, edge_id: str, head: ChainHead) -> EvidenceManifest:
    """The manifest that follows ``head`` in the chain of ``edge_id``, with its own hash."""
    unsealed = EvidenceManifest(
        manifest_id=draft.manifest_id,
        chain_index=head.next_index,
        previous_sha256=head.sha256,
        edge_id=edge_id,
        camera_id=draft.camera_id,
        violation_id=draft.violation_id,
        code=draft.code,
        created_at=draft.created_at,
        server_offset_ms=draft.server_offset_ms,
        model=draft.model,
        rule=draft.rule,
        detections=draft.detections,
        files=draft.files,
        sha256=FIRST_LINK,
    )
    # Through JSON and back first: the hash must be of the values that the reader will see.
    read = EvidenceManifest.model_validate_json(unsealed.model_dump_json())
    return read.model_copy(update={"sha256": manifest_sha256(read)})


def manifest_name(chain_index: int) -> str:
    """File name of the manifest with this index."""
    return f"manifest-{chain_index:08d}.json"


def manifest_bytes(manifest: EvidenceManifest) -> bytes:
    """The manifest as it lies on disk: JSON that a person can read too."""
    values: dict[str, Any] = manifest.model_dump(mode="json")
    return (json.dumps(values, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()
