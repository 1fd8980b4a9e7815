"""What people read about retention: the policy, what it would do, and what it has done."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.backend.handling.tables import PhotoRow
from kitchen_watch.backend.holds.held import active
from kitchen_watch.backend.holds.tables import HoldRow
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.retention.cases import Expired, expired_cases
from kitchen_watch.backend.retention.schemas import (
    DeletionPage,
    DeletionView,
    GoingView,
    PolicyLine,
    PreviewView,
    RetentionView,
    RunView,
)
from kitchen_watch.backend.retention.settings import RetentionSettings
from kitchen_watch.backend.retention.sweeping import stuck_files
from kitchen_watch.backend.retention.tables import DeletionRow, RetentionRunRow

PREVIEWED = 2000
"""Cases that a preview looks at."""
SHOWN = 200
RUNS = 20


def retention_view(session: Session, policy: RetentionSettings, *, free: int, now: datetime) -> RetentionView:
    """The policy in force, the disk, and the last runs."""
    runs = session.scalars(select(RetentionRunRow).order_by(RetentionRunRow.id.desc()).limit(RUNS))
    return RetentionView(
        policy=policy_lines(policy),
        run_at=f"{policy.run_at:%H:%M}",
        free_bytes=free,
        floor_bytes=policy.disk_floor_bytes,
        short=free < policy.disk_floor_bytes,
        stuck_files=stuck_files(session),
        active_holds=session.scalar(select(func.count()).select_from(HoldRow).where(active(now))) or 0,
        runs=[RunView.model_validate(row, from_attributes=True) for row in runs],
    )


def policy_lines(policy: RetentionSettings) -> list[PolicyLine]:
    """The rules in force, those of letters and records among them: these never go."""
    terms = {
        "evidence": policy.evidence,
        **{f"evidence_of_code.{code}": length for code, length in policy.evidence_of_code.items()},
        **{f"evidence_of_tier.{tier}": length for tier, length in policy.evidence_of_tier.items()},
        "evidence_of_false_alarms": policy.evidence_of_false_alarms or policy.evidence,
        "evidence_of_transferred": policy.evidence_of_transferred,
        "evidence_minimum": policy.evidence_minimum,
        "photos": policy.photos,
        "task_files": policy.task_files,
        "check_photos": policy.check_photos,
        "patrol_pictures": policy.patrol_pictures,
        "audit": policy.audit,
    }
    lines = [PolicyLine(key=key, days=length.total_seconds() / 86_400) for key, length in terms.items()]
    return [*lines, PolicyLine(key="letters", days=None), PolicyLine(key="records", days=None)]


def preview(session: Session, policy: RetentionSettings, *, now: datetime) -> PreviewView:
    """What the next run would delete and what holds keep; looks at no more than it says."""
    piece = expired_cases(session, policy, after=0, limit=PREVIEWED, now=now)
    going = [one for one in piece.expired if not one.held]
    files, size = _sizes(session, going)
    names = dict(
        session.execute(
            select(PremisesRow.id, PremisesRow.name).where(
                PremisesRow.id.in_({one.alert.premises_id for one in piece.expired[:SHOWN]})
            )
        ).all()
    )
    return PreviewView(
        cases=len(going),
        kept_by_holds=len(piece.expired) - len(going),
        files=files,
        size_bytes=size,
        items=[
            GoingView(
                alert_id=one.alert.id,
                code=one.alert.code,
                premises=names[one.alert.premises_id],
                evidence=one.evidence.policy if one.evidence else None,
                photos=one.photos.policy if one.photos else None,
                held=one.held,
            )
            for one in piece.expired[:SHOWN]
        ],
        more=piece.more,
    )


def deletion_page(
    session: Session,
    person: Person,
    *,
    alert_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> DeletionPage:
    """Deletions with an id below ``before``, newest first; for administrators all of them."""
    query = select(DeletionRow, PremisesRow.name).outerjoin(
        PremisesRow, PremisesRow.id == DeletionRow.premises_id
    )
    if not person.scope.everything:
        query = query.where(DeletionRow.premises_id.in_(person.scope.premises_query()))
    if alert_id is not None:
        query = query.where(DeletionRow.alert_id == alert_id)
    if before is not None:
        query = query.where(DeletionRow.id < before)
    rows = session.execute(query.order_by(DeletionRow.id.desc()).limit(limit + 1)).all()
    return DeletionPage(
        items=[
            DeletionView(
                id=row.id,
                at=row.at,
                kind=row.kind,
                alert_id=row.alert_id,
                premises=name,
                name=row.name,
                sha256=row.sha256,
                size_bytes=row.size_bytes,
                policy=row.policy,
            )
            for row, name in rows[:limit]
        ],
        next_cursor=str(rows[limit - 1][0].id) if len(rows) > limit else None,
    )


def _sizes(session: Session, going: list[Expired]) -> tuple[int, int]:
    files = session.execute(
        select(func.count(), func.coalesce(func.sum(EvidenceFileRow.size_bytes), 0)).where(
            EvidenceFileRow.alert_id.in_([one.alert.id for one in going if one.evidence]),
            EvidenceFileRow.completed_at.is_not(None),
        )
    ).one()
    pictures = session.execute(
        select(func.count(), func.coalesce(func.sum(PhotoRow.size_bytes), 0)).where(
            PhotoRow.alert_id.in_([one.alert.id for one in going if one.photos]),
            PhotoRow.deleted_at.is_(None),
        )
    ).one()
    return files[0] + pictures[0], files[1] + pictures[1]
