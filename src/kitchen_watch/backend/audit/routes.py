"""The audit log over the API, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from kitchen_watch.backend.audit.reading import audit_page
from kitchen_watch.backend.audit.schemas import AuditPage
from kitchen_watch.backend.auth.callers import Administrator
from kitchen_watch.backend.bounds import RowId
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])


@router.get("", summary="Who did and saw what")
def list_audit(
    _person: Administrator,
    parts: PartsOf,
    *,
    cursor: Annotated[RowId | None, Query(description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    action: Annotated[str | None, Query(max_length=64)] = None,
) -> AuditPage:
    """Entries of the log, newest first."""
    with parts.database.read() as session:
        return audit_page(session, before=cursor, limit=limit, action=action)
