"""Retention over the API: the policy, a dry run, and the record of deletions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from kitchen_watch.backend.auth.callers import Administrator, Regulator
from kitchen_watch.backend.bounds import RowId
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.retention import service
from kitchen_watch.backend.retention.schemas import DeletionPage, PreviewView, RetentionView

router = APIRouter(prefix="/api/v1/retention", tags=["retention"])


@router.get("", summary="The policy and the last runs")
def get_retention(_person: Administrator, parts: PartsOf) -> RetentionView:
    """Administrators: how long what is kept, how the disk is, and what the last runs did."""
    with parts.database.read() as session:
        return service.retention_view(
            session, parts.settings.retention, free=parts.evidence.free_bytes(), now=parts.clock.now()
        )


@router.get("/preview", summary="What the next run would delete")
def get_preview(_person: Administrator, parts: PartsOf) -> PreviewView:
    """Administrators: a dry run by what is registered now. Nothing is deleted."""
    with parts.database.read() as session:
        return service.preview(session, parts.settings.retention, now=parts.clock.now())


@router.get("/deletions", summary="What was deleted")
def list_deletions(
    person: Regulator,
    parts: PartsOf,
    *,
    alert_id: Annotated[RowId | None, Query(description="only files of this alert")] = None,
    cursor: Annotated[RowId | None, Query(description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeletionPage:
    """Supervision staff: every file that policy deleted in your scope, with its hash and the rule."""
    with parts.database.read() as session:
        return service.deletion_page(session, person, alert_id=alert_id, before=cursor, limit=limit)
