"""What the audit log looks like over the API."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel


class AuditEntry(BaseModel):
    """Somebody did or saw something."""

    id: int
    at: AwareDatetime
    person_id: int | None
    username: str | None
    action: str
    object_type: str
    object_id: str
    premises_id: int | None
    address: str
    purpose: str
    facts: dict[str, Any]


class AuditPage(BaseModel):
    """A page of the log, newest first; ``next_cursor`` is empty on the last one."""

    items: list[AuditEntry]
    next_cursor: str | None
