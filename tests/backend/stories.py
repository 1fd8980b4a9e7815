"""Violations as an edge would tell them: events, manifests with their chain, and evidence files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from kitchen_watch.events import (
    FIRST_LINK,
    Event,
    EventBatchResult,
    EventKind,
    EventVerdict,
    EvidenceFile,
    EvidenceKind,
    EvidenceManifest,
    ModelUsed,
    RuleUsed,
    UploadState,
    manifest_sha256,
)
from tests.backend.support import NOON, Backend

PICTURE = b"\xff\xd8\xff\xe0 a picture of a kitchen \xff\xd9"
CLIP = bytes(range(256)) * 40
RULE = RuleUsed(rule_id="NO_HAT", version="0123456789ab", parameters={"held_s": 10.0, "minimum": 0.7})
MODEL = ModelUsed(name="kitchen-yolo26n", version="1", sha256="a" * 64)


def evidence_file(content: bytes, kind: EvidenceKind = EvidenceKind.ANNOTATED) -> EvidenceFile:
    clip = kind is EvidenceKind.CLIP
    return EvidenceFile(
        name="clip.mp4" if clip else f"{kind.value}.jpg",
        kind=kind,
        media_type="video/mp4" if clip else "image/jpeg",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        starts_at=NOON,
        ends_at=NOON + timedelta(seconds=15) if clip else None,
    )


@dataclass
class Chain:
    """One edge's chain of manifests."""

    edge_id: str = "edge-1"
    index: int = 0
    last: str = FIRST_LINK

    def seal(
        self, *, camera_id: str, violation_id: UUID, code: str, files: Sequence[EvidenceFile]
    ) -> EvidenceManifest:
        draft = EvidenceManifest(
            manifest_id=uuid4(),
            chain_index=self.index,
            previous_sha256=self.last,
            edge_id=self.edge_id,
            camera_id=camera_id,
            violation_id=violation_id,
            code=code,
            created_at=NOON,
            model=MODEL,
            rule=RULE,
            files=tuple(files),
            sha256="0" * 64,
        )
        sealed = draft.model_copy(update={"sha256": manifest_sha256(draft)})
        self.index, self.last = self.index + 1, sealed.sha256
        return sealed


@dataclass
class Violation:
    """One violation of one camera, told event by event."""

    camera_id: str = "cam-a1"
    edge_id: str = "edge-1"
    code: str = "NO_HAT"
    tier: int = 2
    violation_id: UUID = field(default_factory=uuid4)
    started_at: datetime = NOON
    sequence: int = 0

    def tell(self, kind: EventKind = EventKind.UPDATED, **more: Any) -> Event:
        """The next event."""
        at = self.started_at + timedelta(seconds=10 * (self.sequence + 1))
        values: dict[str, Any] = {
            "event_id": uuid4(),
            "kind": EventKind.OPENED if self.sequence == 0 and kind is EventKind.UPDATED else kind,
            "violation_id": self.violation_id,
            "sequence": self.sequence,
            "edge_id": self.edge_id,
            "camera_id": self.camera_id,
            "code": self.code,
            "tier": self.tier,
            "occurred_at": at,
            "started_at": self.started_at,
            "last_seen_at": at,
            "ended_at": at if kind is EventKind.CLOSED else None,
            "confidence": 0.5,
            "model": MODEL,
            "rule": RULE,
        }
        self.sequence += 1
        return Event(**(values | more))

    def close(self, **more: Any) -> Event:
        return self.tell(EventKind.CLOSED, **more)


def opening(camera_id: str = "cam-a1", *, edge_id: str = "edge-1", **more: Any) -> Event:
    """The first event of a violation of its own."""
    return Violation(camera_id=camera_id, edge_id=edge_id).tell(**more)


def opening_with_evidence(
    camera_id: str = "cam-a1", *, edge_id: str = "edge-1", chain: Chain | None = None, **files: bytes
) -> Event:
    """An opening event with a picture and a clip (or the given contents by kind)."""
    violation = Violation(camera_id=camera_id, edge_id=edge_id)
    contents = files or {"annotated_snapshot": PICTURE, "clip": CLIP}
    manifest = (chain or Chain(edge_id)).seal(
        camera_id=camera_id,
        violation_id=violation.violation_id,
        code=violation.code,
        files=[evidence_file(content, EvidenceKind(kind)) for kind, content in contents.items()],
    )
    return violation.tell(evidence=manifest)


def body_of(events: Sequence[Event | dict[str, Any]]) -> bytes:
    return json.dumps(
        {"events": [e.model_dump(mode="json") if isinstance(e, Event) else e for e in events]}
    ).encode()


def deliver(backend: Backend, *events: Event | dict[str, Any], edge_id: str = "edge-1") -> EventBatchResult:
    """Deliver a batch; it must be answered with 200."""
    answer = backend.signed("POST", "/api/v1/edge/events", body=body_of(events), edge_id=edge_id)
    assert answer.status_code == 200, answer.text
    return EventBatchResult.model_validate_json(answer.content)


def verdicts(result: EventBatchResult) -> list[EventVerdict]:
    return [item.verdict for item in result.results]


def upload(
    backend: Backend, content: bytes, *, sha256: str | None = None, edge_id: str = "edge-1", offset: int = 0
) -> httpx.Response:
    """Send one chunk of evidence."""
    sha256 = sha256 or hashlib.sha256(content).hexdigest()
    return backend.signed(
        "PATCH",
        f"/api/v1/edge/evidence/{sha256}",
        body=content,
        edge_id=edge_id,
        headers={"upload-offset": str(offset)},
    )


def upload_state(answer: httpx.Response) -> UploadState:
    return UploadState.model_validate_json(answer.content)
