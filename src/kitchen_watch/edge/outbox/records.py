"""What goes into the outbox and what comes out of it: plain values, without SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from kitchen_watch.edge.evidence.holds import Holds
from kitchen_watch.edge.evidence.package import PackageFiles
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.events import DetectionSeen, Event, EventKind, EvidenceKind, ModelUsed, RuleUsed

CLIP_REACH = timedelta(minutes=2)
"""A package shows moments at most so long before its manifest was sealed."""


class EventState(StrEnum):
    """Where an event stands. Only the backend's final refusal makes it ``DEAD``."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class FileState(StrEnum):
    """Where an evidence file stands."""

    WAITING = "waiting"
    """The backend does not know its event yet, and would not take it."""
    PENDING = "pending"
    DELIVERED = "delivered"
    MISSING = "missing"
    """Named by a manifest, but not on disk."""
    DAMAGED = "damaged"
    """On disk, but not what its manifest says; never sent."""


class ClipState(StrEnum):
    """Whether a violation still owes its clip."""

    NONE = "none"
    DUE = "due"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class EventDraft:
    """One step of a violation as its rule and camera tell it; the outbox adds its place in the order.

    ``violation`` is the state that is journaled with the event, to go on with after a crash: open for
    as long as its ``ended_at`` is ``None``. ``package`` names files that are on disk already; they
    get their manifest in the same transaction. ``state`` is anything JSON the rule wants back.
    """

    kind: EventKind
    violation: Violation
    occurred_at: datetime
    model: ModelUsed | None = None
    detections: tuple[DetectionSeen, ...] = ()
    server_offset_ms: int | None = None
    detail: str | None = None
    package: PackageFiles | None = None
    clip: ClipState | None = None
    """``None`` leaves it as it was."""
    state: dict[str, Any] | None = None
    event_id: UUID = field(default_factory=uuid4)

    @property
    def rule(self) -> RuleUsed:
        """The rule with the parameters that were in force."""
        return RuleUsed(
            rule_id=self.violation.rule_id,
            version=self.violation.rule_version,
            parameters=self.violation.parameters,
        )


@dataclass(frozen=True, slots=True)
class JournaledViolation:
    """A violation as it was when last told, and whether its clip is still owed."""

    violation: Violation
    clip: ClipState
    state: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event leased for one delivery. ``attempts`` counts the failed ones before."""

    event: Event
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery: delivered, dead with a reason, or pending until ``retry_at``."""

    event_id: UUID
    state: EventState
    reason: str | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PendingUpload:
    """An evidence file that the backend has not got whole. ``offset`` is what it is known to hold."""

    upload_id: int
    sha256: str
    path: Path
    kind: EvidenceKind
    size_bytes: int
    offset: int
    attempts: int
    key: str = ""
    """Its path below the data directory, under which the object store has it."""


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """The outbox in numbers; ``delivered`` only grows, over restarts too."""

    pending: int
    delivered: int
    dead: int
    uploads_pending: int
    uploads_lost: int
    """Files that are missing or damaged on disk."""


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """One line of ``kitchen-watch outbox list``."""

    event_id: UUID
    violation_id: UUID
    sequence: int
    kind: EventKind
    code: str
    camera_id: str
    state: EventState
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    last_error: str | None


@dataclass(frozen=True, slots=True)
class StoredPackage:
    """All files of one violation, as the disk policy sees them. ``delivered`` means: the backend
    acknowledged every event and holds every file."""

    violation_id: UUID
    folder: str
    created_at: datetime
    """When its newest manifest was sealed."""
    size_bytes: int
    files: tuple[str, ...]
    delivered: bool
    held: bool
    open: bool
    camera_id: str = ""
    began_at: datetime | None = None
    """When its first manifest was sealed."""

    def kept_by(self, holds: Holds) -> bool:
        """Whether the backend's holds are about it; its clip reaches a little before its manifest."""
        since = (self.began_at or self.created_at) - CLIP_REACH
        return holds.keeps_violation(self.violation_id) or holds.keeps(self.camera_id, since, self.created_at)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found when the outbox was opened; every sentence of ``problems`` is for a person."""

    violations: tuple[JournaledViolation, ...] = ()
    pending: int = 0
    missing_files: tuple[Path, ...] = ()
    problems: tuple[str, ...] = ()
