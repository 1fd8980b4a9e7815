"""Removing the files of deletions that are committed.

``swept_id`` tells how far that is, so that a process that dies leaves nothing forgotten. A file that
cannot be removed stops nothing: it is written down as stuck, the administrators are told, and it is
tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.backend.evidence.upload import lock_content
from kitchen_watch.backend.handling.tables import PhotoRow
from kitchen_watch.backend.looking import claimed
from kitchen_watch.backend.notifications.rules import Occasion, Subject
from kitchen_watch.backend.notifications.telling import News, Teller, administrators
from kitchen_watch.backend.patrols.tables import FindingPhotoRow, PatrolPictureRow
from kitchen_watch.backend.retention.tables import DeletedKind, DeletionRow, RetentionRunRow, StuckFileRow
from kitchen_watch.backend.self_checks.tables import SelfCheckPhotoRow
from kitchen_watch.backend.tasks.tables import TaskAttachmentRow
from kitchen_watch.clock import Clock

LOCK = "retention"
AT_ONCE = 1000
"""Files that one transaction removes."""
RETRY_AFTER = timedelta(hours=1)
MAX_REASON = 300

PathOf = Callable[[str], Path]
"""Where the file of a hash lies."""

log = structlog.get_logger(__name__)


def _of_patrols(sha256: str) -> Select[Any]:
    # Pictures of checks and photos of answers lie in one place.
    return select(literal(1)).where(
        select(PatrolPictureRow.id)
        .where(PatrolPictureRow.sha256 == sha256, PatrolPictureRow.deleted_at.is_(None))
        .exists()
        | select(FindingPhotoRow.id)
        .where(FindingPhotoRow.sha256 == sha256, FindingPhotoRow.deleted_at.is_(None))
        .exists()
    )


_STILL_SHOWN: Mapping[DeletedKind, Callable[[str], Select[Any]]] = {
    DeletedKind.EVIDENCE: lambda sha256: select(EvidenceFileRow.id).where(
        EvidenceFileRow.sha256 == sha256, EvidenceFileRow.completed_at.is_not(None)
    ),
    DeletedKind.PHOTO: lambda sha256: select(PhotoRow.id).where(
        PhotoRow.sha256 == sha256, PhotoRow.deleted_at.is_(None)
    ),
    DeletedKind.TASK_FILE: lambda sha256: select(TaskAttachmentRow.id).where(
        TaskAttachmentRow.sha256 == sha256, TaskAttachmentRow.deleted_at.is_(None)
    ),
    DeletedKind.CHECK_PHOTO: lambda sha256: select(SelfCheckPhotoRow.id).where(
        SelfCheckPhotoRow.sha256 == sha256, SelfCheckPhotoRow.deleted_at.is_(None)
    ),
    DeletedKind.PATROL_PICTURE: _of_patrols,
    DeletedKind.FINDING_PHOTO: _of_patrols,
}
"""By kind: whether something that is kept shows the same content."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Removes files; ``homes`` knows where those of each kind lie."""

    database: Database
    clock: Clock
    homes: Mapping[DeletedKind, PathOf]
    teller: Teller

    def __call__(self) -> None:
        """Remove the files of deletions that are committed; one that something else shows stays."""
        now = self.clock.now()
        with self.database.read() as session:
            if session.execute(_unswept().limit(1)).first() is None and not _stuck(session, now):
                return
        with self.database.write() as session:
            if not claimed(session, LOCK):
                return
            for stuck, deletion, run in _stuck(session, now):
                self._try_again(session, stuck, deletion, run, now)
            for deletion, run in session.execute(_unswept().limit(AT_ONCE)).all():
                if deletion.kind is not DeletedKind.AUDIT:
                    self._remove(session, deletion, run, now)
                run.swept_id = deletion.id

    def _remove(self, session: Session, deletion: DeletionRow, run: RetentionRunRow, now: datetime) -> None:
        try:
            if self._gone(session, deletion):
                run.freed_bytes += deletion.size_bytes
        except OSError as error:
            session.add(
                StuckFileRow(
                    deletion_id=deletion.id, since_at=now, tried_at=now, reason=str(error)[:MAX_REASON]
                )
            )
            log.warning("a file cannot be removed", deletion=deletion.id, reason=str(error)[:300])
            about = f"{deletion.name} · {deletion.sha256[:16]}"
            source = f"stuck/{now:%Y-%m-%d}"
            news = News(source, Occasion.FILE_STUCK, about, "retention", Subject.SERVICE)
            self.teller.tell(session, administrators(session), news, now=now)

    def _try_again(
        self,
        session: Session,
        stuck: StuckFileRow,
        deletion: DeletionRow,
        run: RetentionRunRow,
        now: datetime,
    ) -> None:
        try:
            if self._gone(session, deletion):
                run.freed_bytes += deletion.size_bytes
        except OSError as error:
            stuck.tried_at, stuck.reason = now, str(error)[:MAX_REASON]
        else:
            session.delete(stuck)

    def _gone(self, session: Session, deletion: DeletionRow) -> bool:
        lock_content(session, deletion.sha256)
        shown = _STILL_SHOWN[deletion.kind](deletion.sha256)
        if session.scalar(shown.limit(1)) is not None:
            return False
        try:
            self.homes[deletion.kind](deletion.sha256).unlink()
        except FileNotFoundError:
            return False
        return True


def stuck_files(session: Session) -> int:
    """How many files could not be removed yet."""
    return session.scalar(select(func.count()).select_from(StuckFileRow)) or 0


def _unswept() -> Select[DeletionRow, RetentionRunRow]:
    # Deletions are numbered in the order of the runs, which one process makes at a time.
    swept = select(func.coalesce(func.max(RetentionRunRow.swept_id), 0)).scalar_subquery()
    return (
        select(DeletionRow, RetentionRunRow)
        .join(RetentionRunRow, RetentionRunRow.id == DeletionRow.run_id)
        .where(DeletionRow.id > swept)
        .order_by(DeletionRow.id)
    )


def _stuck(session: Session, now: datetime) -> list[Any]:
    """What is to be tried again, the longest untried first."""
    return list(
        session.execute(
            select(StuckFileRow, DeletionRow, RetentionRunRow)
            .join(DeletionRow, DeletionRow.id == StuckFileRow.deletion_id)
            .join(RetentionRunRow, RetentionRunRow.id == DeletionRow.run_id)
            .where(StuckFileRow.tried_at <= now - RETRY_AFTER)
            .order_by(StuckFileRow.tried_at)
            .limit(AT_ONCE)
        ).all()
    )
