"""Files that belong to no alert and whose time is over: of tasks, of self-checks and of officers' checks.

The records themselves stay, and so do the hashes in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.holds.held import active
from kitchen_watch.backend.holds.tables import HoldKind, HoldRow
from kitchen_watch.backend.patrols.tables import (
    CheckState,
    FindingPhotoRow,
    PatrolCheckRow,
    PatrolFindingRow,
    PatrolPictureRow,
)
from kitchen_watch.backend.retention.settings import RetentionSettings
from kitchen_watch.backend.retention.tables import DeletedKind
from kitchen_watch.backend.self_checks.tables import SelfCheckPhotoRow, SelfCheckRow
from kitchen_watch.backend.tasks.tables import TaskAttachmentRow, TaskRow, TaskState, TaskUnitRow


@dataclass(frozen=True, slots=True)
class OldFile:
    """One file that goes by policy."""

    kind: DeletedKind
    row: TaskAttachmentRow | SelfCheckPhotoRow | PatrolPictureRow | FindingPhotoRow
    name: str
    premises_id: int | None
    policy: str


def old_files(
    session: Session, policy: RetentionSettings, *, now: datetime, limit: int, lock: bool = False
) -> list[OldFile]:
    """At most ``limit`` of each kind whose time is over and that nothing holds.

    With ``lock`` they are locked until the transaction ends; one that somebody works on is left for
    the next run. The caller that deletes holds ``lock_holds`` already.
    """
    return [
        *_of_tasks(session, policy, now, limit, lock),
        *_of_checks(session, policy, now, limit, lock),
        *_of_patrols(session, policy, now, limit, lock),
    ]


def _of_tasks(
    session: Session, policy: RetentionSettings, now: datetime, limit: int, lock: bool
) -> list[OldFile]:
    """Of units that are done with their task, or from which it was taken; an open one keeps its files."""
    held = select(HoldRow.id).where(
        active(now), HoldRow.source == TaskRow.source, HoldRow.source != ""
    )  # the complaint that made the task
    query = (
        select(TaskAttachmentRow)
        .join(TaskUnitRow, TaskUnitRow.id == TaskAttachmentRow.unit_id)
        .join(TaskRow, TaskRow.id == TaskUnitRow.task_id)
        .where(
            TaskAttachmentRow.deleted_at.is_(None),
            TaskAttachmentRow.at <= now - policy.task_files,
            func.coalesce(TaskUnitRow.reported_at, TaskAttachmentRow.at) <= now - policy.task_files,
            TaskUnitRow.state.in_([TaskState.DONE, TaskState.STOPPED]),
            ~held.exists(),
        )
        .order_by(TaskAttachmentRow.id)
        .limit(limit)
    )
    if lock:
        query = query.with_for_update(of=TaskAttachmentRow, skip_locked=True)
    rule = f"task_files={policy.task_files.days}d"
    return [OldFile(DeletedKind.TASK_FILE, row, row.name[:160], None, rule) for row in session.scalars(query)]


def _of_checks(
    session: Session, policy: RetentionSettings, now: datetime, limit: int, lock: bool
) -> list[OldFile]:
    """Of self-checks; a premises that is held keeps those whose period or filling touches the span."""
    ends_at = func.coalesce(SelfCheckRow.submitted_at, SelfCheckRow.saved_at)
    held = select(HoldRow.id).where(
        active(now),
        HoldRow.kind == HoldKind.PREMISES,
        HoldRow.premises_id == SelfCheckRow.premises_id,
        (SelfCheckRow.started_at <= HoldRow.until_at) | (SelfCheckPhotoRow.at <= HoldRow.until_at),
        (ends_at >= HoldRow.since_at) | (SelfCheckRow.due_at >= HoldRow.since_at),
    )
    query = (
        select(SelfCheckPhotoRow, SelfCheckRow.premises_id)
        .join(SelfCheckRow, SelfCheckRow.id == SelfCheckPhotoRow.check_id)
        .where(
            SelfCheckPhotoRow.deleted_at.is_(None),
            SelfCheckPhotoRow.at <= now - policy.check_photos,
            ends_at <= now - policy.check_photos,
            ~held.exists(),
        )
        .order_by(SelfCheckPhotoRow.id)
        .limit(limit)
    )
    if lock:
        query = query.with_for_update(of=SelfCheckPhotoRow, skip_locked=True)
    rule = f"check_photos={policy.check_photos.days}d"
    return [
        OldFile(DeletedKind.CHECK_PHOTO, row, f"{row.item}.jpg", premises_id, rule)
        for row, premises_id in session.execute(query)
    ]


def _of_patrols(
    session: Session, policy: RetentionSettings, now: datetime, limit: int, lock: bool
) -> list[OldFile]:
    """Of finished checks with nothing left to settle: their pictures, and the photos of the answers.

    A premises that is held keeps those of a check that lasted, answers included, into the span.
    """
    open_finding = (
        select(PatrolFindingRow.id)
        .where(
            PatrolFindingRow.check_id == PatrolCheckRow.id,
            PatrolFindingRow.settled_at.is_(None)
            | (PatrolFindingRow.settled_at > now - policy.patrol_pictures),
        )
        .correlate(PatrolCheckRow)
    )
    settled_at = (
        select(func.max(PatrolFindingRow.settled_at))
        .where(PatrolFindingRow.check_id == PatrolCheckRow.id)
        .correlate(PatrolCheckRow)
        .scalar_subquery()
    )
    held = select(HoldRow.id).where(
        active(now),
        HoldRow.kind == HoldKind.PREMISES,
        HoldRow.premises_id == PatrolCheckRow.premises_id,
        PatrolCheckRow.taken_at <= HoldRow.until_at,
        func.coalesce(settled_at, PatrolCheckRow.finished_at) >= HoldRow.since_at,
    )
    over = (
        PatrolCheckRow.state != CheckState.OPEN,
        PatrolCheckRow.finished_at <= now - policy.patrol_pictures,
        ~open_finding.exists(),
        ~held.exists(),
    )
    pictures = (
        select(PatrolPictureRow)
        .join(PatrolCheckRow, PatrolCheckRow.id == PatrolPictureRow.check_id)
        .where(
            PatrolPictureRow.deleted_at.is_(None), PatrolPictureRow.at <= now - policy.patrol_pictures, *over
        )
        .order_by(PatrolPictureRow.id)
        .limit(limit)
    )
    answers = (
        select(FindingPhotoRow)
        .join(PatrolFindingRow, PatrolFindingRow.id == FindingPhotoRow.finding_id)
        .join(PatrolCheckRow, PatrolCheckRow.id == PatrolFindingRow.check_id)
        .where(
            FindingPhotoRow.deleted_at.is_(None), FindingPhotoRow.at <= now - policy.patrol_pictures, *over
        )
        .order_by(FindingPhotoRow.id)
        .limit(limit)
    )
    if lock:
        pictures = pictures.with_for_update(of=PatrolPictureRow, skip_locked=True)
        answers = answers.with_for_update(of=FindingPhotoRow, skip_locked=True)
    rule = f"patrol_pictures={policy.patrol_pictures.days}d"
    return [
        *(
            OldFile(DeletedKind.PATROL_PICTURE, row, f"{row.item or 'check'}.jpg", row.premises_id, rule)
            for row in session.scalars(pictures)
        ),
        *(
            OldFile(DeletedKind.FINDING_PHOTO, row, "answer.jpg", row.premises_id, rule)
            for row in session.scalars(answers)
        ),
    ]
