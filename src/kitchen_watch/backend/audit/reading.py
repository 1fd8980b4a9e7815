"""Read the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.schemas import AuditEntry, AuditPage
from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """What to show; an empty filter shows everything. ``about`` is the id of what it was done to."""

    action: str | None = None
    username: str | None = None
    about: str | None = None
    premises_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def audit_page(
    session: Session, person: Person, *, before: int | None, limit: int, filters: AuditFilters
) -> AuditPage:
    """Entries with an id below ``before``, newest first; who does not see everything sees what
    concerns premises in the own scope, and the own deeds."""
    query = select(AuditRow, PersonRow.username).outerjoin(PersonRow, PersonRow.id == AuditRow.person_id)
    if not person.scope.everything:
        mine = AuditRow.premises_id.in_(person.scope.premises_query())
        query = query.where(mine | (AuditRow.person_id == person.id))
    if before is not None:
        query = query.where(AuditRow.id < before)
    if filters.action is not None:
        query = query.where(AuditRow.action == filters.action)
    if filters.username is not None:
        query = query.where(PersonRow.username == filters.username)
    if filters.about is not None:
        query = query.where(AuditRow.object_id == filters.about)
    if filters.premises_id is not None:
        query = query.where(AuditRow.premises_id == filters.premises_id)
    if filters.since is not None:
        query = query.where(AuditRow.at >= filters.since)
    if filters.until is not None:
        query = query.where(AuditRow.at < filters.until)
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


def audit_actions(session: Session) -> list[str]:
    """Every kind of deed that stands in the log: one step of the index for each, however long the log."""
    found: list[str] = []
    query = select(AuditRow.action).order_by(AuditRow.action).limit(1)
    action = session.scalar(query)
    while action is not None:
        found.append(action)
        action = session.scalar(query.where(AuditRow.action > action))
    return found
