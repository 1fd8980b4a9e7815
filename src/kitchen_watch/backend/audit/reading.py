"""Read the audit log."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.schemas import AuditEntry, AuditPage
from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.auth.tables import PersonRow


def audit_page(session: Session, *, before: int | None, limit: int, action: str | None = None) -> AuditPage:
    """Entries with an id below ``before``, newest first."""
    query = select(AuditRow, PersonRow.username).outerjoin(PersonRow, PersonRow.id == AuditRow.person_id)
    if before is not None:
        query = query.where(AuditRow.id < before)
    if action is not None:
        query = query.where(AuditRow.action == action)
    rows = session.execute(query.order_by(AuditRow.id.desc()).limit(limit + 1)).all()
    return AuditPage(
        items=[
            AuditEntry(
                id=row.id,
                at=row.at,
                person_id=row.person_id,
                username=username,
                action=row.action,
                object_type=row.object_type,
                object_id=row.object_id,
                premises_id=row.premises_id,
                address=row.address,
                purpose=row.purpose,
                facts=row.facts,
            )
            for row, username in rows[:limit]
        ],
        next_cursor=str(rows[limit - 1][0].id) if len(rows) > limit else None,
    )
