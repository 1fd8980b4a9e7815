"""The audit log over the API, for administrators and, within their scope, supervisors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from kitchen_watch.backend.audit.reading import AuditFilters, audit_page
from kitchen_watch.backend.audit.schemas import AuditPage
from kitchen_watch.backend.auth.callers import Supervisor
from kitchen_watch.backend.bounds import Moment, PlaceId, RowId
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])


class _Query(BaseModel):
    cursor: RowId | None = Field(default=None, description="next_cursor of the page before")
    limit: int = Field(default=50, ge=1, le=200)
    action: str | None = Field(default=None, max_length=64)
    username: str | None = Field(default=None, max_length=64)
    about: str | None = Field(default=None, max_length=100, description="id of what it was done to")
    premises_id: PlaceId | None = None
    since: Moment | None = None
    until: Moment | None = None


@router.get("", summary="Who did and saw what")
def list_audit(person: Supervisor, parts: PartsOf, query: Annotated[_Query, Query()]) -> AuditPage:
    """Entries of the log, newest first; a supervisor sees what concerns the own scope."""
    filters = AuditFilters(
        query.action, query.username, query.about, query.premises_id, query.since, query.until
    )
    with parts.database.read() as session:
        return audit_page(session, person, before=query.cursor, limit=query.limit, filters=filters)
