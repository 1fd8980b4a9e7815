"""The contract between edge and backend, version 1: events and the evidence they name.

An event is an immutable record of a violation opening, being updated or closing. It crosses the
wire as the JSON of :class:`Event`. A later edge may add fields, an older backend ignores them
(``extra="ignore"``); meaning never changes within a version.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

SCHEMA: Literal["kitchen_watch.event/1"] = "kitchen_watch.event/1"
MAX_EVENTS_PER_BATCH = 100

MAX_FILES_PER_MANIFEST = 16
MAX_DETECTIONS = 200
MAX_TEXT = 2000
"""What an edge sends at most. A backend cuts longer texts instead of refusing the event: no event may
be lost for a talkative camera."""

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
ViolationCode = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$")]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class EventKind(StrEnum):
    """What the event says of its violation."""

    OPENED = "violation_opened"
    UPDATED = "violation_updated"
    CLOSED = "violation_closed"


class EvidenceKind(StrEnum):
    """What a file of an evidence package shows."""

    CLEAN = "clean_snapshot"
    ANNOTATED = "annotated_snapshot"
    CLIP = "clip"


class ModelUsed(_Wire):
    """The detector behind a violation; ``None`` in an event whose rule needs no model."""

    name: str
    version: str
    sha256: Sha256
    precision: str = Field(default="f32", description="numeric precision the edge inferred with")


class RuleUsed(_Wire):
    """The rule behind a violation, with the very parameters that were in force."""

    rule_id: str = Field(description="the violation code, or code/zone where zones differ")
    version: str = Field(description="first 12 hex digits of the SHA-256 of the parameters")
    parameters: dict[str, Any]


class DetectionSeen(_Wire):
    """One labelled box in the snapshot; ``box`` is xyxy in 0..1."""

    label: str
    confidence: Unit
    box: tuple[float, float, float, float]
    track_id: int | None = None


class EvidenceFile(_Wire):
    """One file of a package; its content is fetched and verified by ``sha256``."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    kind: EvidenceKind
    media_type: Literal["image/jpeg", "video/mp4"]
    size_bytes: Annotated[int, Field(gt=0)]
    sha256: Sha256
    starts_at: AwareDatetime = Field(description="time of the picture, or of a clip's first frame")
    ends_at: AwareDatetime | None = Field(default=None, description="a clip's last frame")


class EvidenceManifest(_Wire):
    """What a package contains and under which conditions it was made.

    ``sha256`` is the hash of the manifest itself (see :func:`manifest_sha256`);
    ``previous_sha256`` is that of the manifest with ``chain_index - 1`` of the same edge
    (64 zeros for index 0), so that removing or changing one breaks the chain.
    """

    manifest_id: UUID
    chain_index: Annotated[int, Field(ge=0)]
    previous_sha256: Sha256
    edge_id: Identifier
    camera_id: Identifier
    violation_id: UUID
    code: ViolationCode
    created_at: AwareDatetime = Field(description="device clock")
    server_offset_ms: int | None = Field(
        default=None, description="server time minus device time, when it was known"
    )
    model: ModelUsed | None
    rule: RuleUsed
    detections: Annotated[tuple[DetectionSeen, ...], Field(max_length=MAX_DETECTIONS)] = ()
    files: Annotated[tuple[EvidenceFile, ...], Field(max_length=MAX_FILES_PER_MANIFEST)]
    sha256: Sha256


class Event(_Wire):
    """One step in a violation's life. ``event_id`` is the idempotency key."""

    schema_version: Literal["kitchen_watch.event/1"] = SCHEMA
    event_id: UUID
    kind: EventKind
    violation_id: UUID
    sequence: Annotated[int, Field(ge=0)] = Field(
        description="0 for the opening event, then counting up without gaps per violation"
    )
    edge_id: Identifier
    camera_id: Identifier
    code: ViolationCode
    tier: Annotated[int, Field(ge=1, le=3)]
    occurred_at: AwareDatetime = Field(description="device clock")
    server_offset_ms: int | None = None
    started_at: AwareDatetime = Field(description="when the condition was first seen to hold")
    last_seen_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    confidence: Unit = Field(description="highest confidence so far; 1.0 for camera faults")
    zone_id: str | None = None
    model: ModelUsed | None = None
    rule: RuleUsed
    detections: Annotated[tuple[DetectionSeen, ...], Field(max_length=MAX_DETECTIONS)] = ()
    evidence: EvidenceManifest | None = None
    detail: str | None = Field(default=None, description="one clear sentence, where useful")


class EventVerdict(StrEnum):
    """What became of one event of a batch. Only ``REFUSED`` is final for the edge."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    DEFERRED = "deferred"
    REFUSED = "refused"


class EventResult(_Wire):
    """The backend's answer for one event."""

    event_id: str
    verdict: EventVerdict
    reason: str | None = None


class EventBatch(_Wire):
    """Body of ``POST /api/v1/edge/events``."""

    events: Annotated[tuple[Event, ...], Field(min_length=1, max_length=MAX_EVENTS_PER_BATCH)]


class EventBatchResult(_Wire):
    """Answer to :class:`EventBatch`; ``missing_files`` are hashes the backend still wants."""

    server_time: AwareDatetime
    results: tuple[EventResult, ...]
    missing_files: tuple[Sha256, ...] = ()


class UploadState(_Wire):
    """How much of one evidence file the backend holds; answer of the upload routes."""

    sha256: Sha256
    received_bytes: Annotated[int, Field(ge=0)]
    complete: bool
    server_time: AwareDatetime


FIRST_LINK = "0" * 64


def canonical_json(value: Any) -> bytes:
    """The one byte form that is hashed: UTF-8, keys sorted, no spaces, no NaN."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def manifest_sha256(manifest: EvidenceManifest) -> str:
    """Hash of everything in the manifest except its own ``sha256``."""
    return hashlib.sha256(canonical_json(manifest.model_dump(mode="json", exclude={"sha256"}))).hexdigest()
