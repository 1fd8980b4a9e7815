"""A violation: a rule that has held long enough; it opens, grows and closes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class ChangeKind(StrEnum):
    """What happened to a violation in this step."""

    OPENED = "opened"
    GREW = "grew"
    CLOSED = "closed"
    REOPENED = "reopened"
    """A recurrence inside the cooldown: the same violation goes on (an update on the wire)."""


@dataclass(frozen=True, slots=True)
class Violation:
    """The present state of one violation of one camera."""

    violation_id: UUID
    camera_id: str
    code: str
    tier: int
    rule_id: str
    rule_version: str
    parameters: dict[str, Any]
    zone_id: str | None
    started_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    confidence: float
    track_ids: tuple[int, ...]
    needs_model: bool
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ViolationChange:
    """One step, in the order in which it happened."""

    kind: ChangeKind
    violation: Violation
    at: datetime
