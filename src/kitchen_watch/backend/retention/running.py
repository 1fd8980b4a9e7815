"""Retention at work: one batch after another, each in its own transaction, by one process at a time.

A batch decides, marks the rows and writes the deletions down in one transaction, during which
nobody can place a hold and the alerts are locked. Only when it is committed are the files removed
(:mod:`kitchen_watch.backend.retention.sweeping`); the next look goes on where this one stood.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.backend.handling.tables import PhotoRow
from kitchen_watch.backend.holds.held import active, lock_holds
from kitchen_watch.backend.holds.tables import HoldRow
from kitchen_watch.backend.looking import Looking, claimed
from kitchen_watch.backend.notifications.rules import Occasion, Subject
from kitchen_watch.backend.notifications.telling import News, Teller, administrators
from kitchen_watch.backend.retention.cases import Expired, expired_cases
from kitchen_watch.backend.retention.records import OldFile, old_files
from kitchen_watch.backend.retention.settings import RetentionSettings
from kitchen_watch.backend.retention.sweeping import LOCK, Sweep
from kitchen_watch.backend.retention.tables import DeletedKind, DeletionRow, RetentionRunRow, RunKind
from kitchen_watch.clock import Clock

PRESSED_BATCH = 20
"""Under pressure no more is deleted than is needed."""
HEADROOM = 1.1
ENTRIES = 1000
"""Audit entries that one transaction deletes."""

log = structlog.get_logger(__name__)


class Retention(Looking):
    """Looks now and then while the application runs. ``free`` tells how many bytes the disk has left."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        policy: RetentionSettings,
        *,
        sweep: Sweep,
        teller: Teller,
        free: Callable[[], int],
    ) -> None:
        super().__init__("retention", self.look, every_s=policy.look_every_s)
        self._database = database
        self._clock = clock
        self._policy = policy
        self._sweep = sweep
        self._teller = teller
        self._free = free

    def look(self) -> int:
        """Run what is due, to its end; how many files this process has deleted."""
        self._sweep()  # what a process that died has left, and what could not be removed
        deleted = 0
        while not self.stopping and self._anything_due():
            count = self.step()
            if count is None:
                break  # another process is at it
            deleted += count
        return deleted

    def step(self) -> int | None:
        """One batch of the run that is due; how many files it deleted, ``None`` if it was not ours."""
        self._sweep()
        with self._database.write() as session:
            if not claimed(session, LOCK):
                return None
            run = self._run(session)
            if run is None:
                return None
            lock_holds(session)
            count = self._cases(session, run)
        self._sweep()
        return count

    def _anything_due(self) -> bool:
        with self._database.read() as session:
            unfinished = select(RetentionRunRow.id).where(RetentionRunRow.finished_at.is_(None)).limit(1)
            if session.scalar(unfinished) is not None:
                return True
            return self._due(session) is not None

    def _due(self, session: Session) -> tuple[str, RunKind] | None:
        """The night that has begun, then with too little space the present hour, unless they were run."""
        now = self._clock.now()
        local = now.astimezone(ZoneInfo(self._policy.time_zone))
        day = local.date() if local.time() >= self._policy.run_at else local.date() - timedelta(days=1)
        due = [(f"night/{day.isoformat()}", RunKind.NIGHT)]
        if self._short():
            due.append((f"pressure/{now:%Y-%m-%dT%H}", RunKind.PRESSURE))
        keys = [key for key, _ in due]
        known = set(session.scalars(select(RetentionRunRow.key).where(RetentionRunRow.key.in_(keys))))
        return next((one for one in due if one[0] not in known), None)

    def _short(self) -> bool:
        return self._free() < self._policy.disk_floor_bytes

    def _run(self, session: Session) -> RetentionRunRow | None:
        row = session.scalars(
            select(RetentionRunRow)
            .where(RetentionRunRow.finished_at.is_(None))
            .order_by(RetentionRunRow.id)
            .limit(1)
        ).one_or_none()
        if row is not None:
            return row
        due = self._due(session)
        if due is None:
            return None
        row = RetentionRunRow(key=due[0], kind=due[1], started_at=self._clock.now())
        session.add(row)
        session.flush()
        return row

    def _cases(self, session: Session, run: RetentionRunRow) -> int:
        now = self._clock.now()
        pressed = run.kind is RunKind.PRESSURE
        if pressed and self._free() >= self._policy.disk_floor_bytes * HEADROOM:
            self._finish(session, run, now)
            return 0
        piece = expired_cases(
            session,
            self._policy,
            after=run.position,
            limit=PRESSED_BATCH if pressed else self._policy.batch,
            now=now,
            pressed=pressed,
            lock=True,
        )
        run.kept_by_holds += sum(one.held for one in piece.expired)
        run.looked_at += piece.looked_at
        run.position = piece.last_id
        going = [one for one in piece.expired if not one.held]
        count = sum(self._delete(session, run, one, now) for one in going)
        if piece.more:
            return count
        records = [] if pressed else old_files(session, self._policy, now=now, limit=ENTRIES, lock=True)
        for record in records:
            _write_down_record(session, run, record, now)
        if not records and (pressed or not self._entries(session, run, now)):
            self._finish(session, run, now)
        return count + len(records)

    def _delete(self, session: Session, run: RetentionRunRow, one: Expired, now: datetime) -> int:
        count = 0
        if one.evidence is not None:
            for file in session.scalars(
                select(EvidenceFileRow).where(
                    EvidenceFileRow.alert_id == one.alert.id, EvidenceFileRow.completed_at.is_not(None)
                )
            ):
                file.completed_at, file.deleted_at = None, now
                _write_down(
                    session, run, DeletedKind.EVIDENCE, one, file, file.name, one.evidence.policy, now
                )
                count += 1
        if one.photos is not None:
            for photo in session.scalars(
                select(PhotoRow).where(PhotoRow.alert_id == one.alert.id, PhotoRow.deleted_at.is_(None))
            ):
                photo.deleted_at = now
                _write_down(session, run, DeletedKind.PHOTO, one, photo, "photo.jpg", one.photos.policy, now)
                count += 1
        return count

    def _entries(self, session: Session, run: RetentionRunRow, now: datetime) -> bool:
        """Delete old entries of the audit log, except of premises that are held; whether some are left."""
        held = select(HoldRow.premises_id).where(active(now))
        rows = list(
            session.scalars(
                select(AuditRow)
                .where(
                    AuditRow.at <= now - self._policy.audit,
                    AuditRow.premises_id.is_(None) | AuditRow.premises_id.not_in(held),
                )
                .order_by(AuditRow.id)
                .limit(ENTRIES)
            )
        )
        if not rows:
            return False
        content = json.dumps([_plain(row) for row in rows], ensure_ascii=False, sort_keys=True).encode()
        session.add(
            DeletionRow(
                run_id=run.id,
                at=now,
                kind=DeletedKind.AUDIT,
                object_id=rows[-1].id,
                name=f"audit entries {rows[0].id} to {rows[-1].id}, {len(rows)} of them",
                sha256=hashlib.sha256(content).hexdigest(),
                size_bytes=len(content),
                policy=f"audit={self._policy.audit.days}d",
            )
        )
        session.execute(delete(AuditRow).where(AuditRow.id.in_([row.id for row in rows])))
        run.deleted_entries += len(rows)
        return len(rows) == ENTRIES

    def _finish(self, session: Session, run: RetentionRunRow, now: datetime) -> None:
        # The files of this very batch are still there: whether it is enough is seen by the next run.
        run.finished_at = now
        run.still_short = self._short() and run.kind is RunKind.PRESSURE
        log.info("retention ran", key=run.key, files=run.deleted_files, bytes=run.freed_bytes)
        if run.kind is RunKind.PRESSURE and (run.deleted_files or run.still_short):
            day = f"{now.astimezone(ZoneInfo(self._policy.time_zone)):%Y-%m-%d}"
            news = News(f"disk/{day}", Occasion.DISK_SHORT, day, "retention", Subject.SERVICE)
            self._teller.tell(session, administrators(session), news, now=now)


def _write_down(
    session: Session,
    run: RetentionRunRow,
    kind: DeletedKind,
    one: Expired,
    file: EvidenceFileRow | PhotoRow,
    name: str,
    policy: str,
    now: datetime,
) -> None:
    session.add(
        DeletionRow(
            run_id=run.id,
            at=now,
            kind=kind,
            alert_id=one.alert.id,
            premises_id=one.alert.premises_id,
            object_id=file.id,
            name=name,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            policy=policy,
        )
    )
    run.deleted_files += 1


def _write_down_record(session: Session, run: RetentionRunRow, one: OldFile, now: datetime) -> None:
    one.row.deleted_at = now
    session.add(
        DeletionRow(
            run_id=run.id,
            at=now,
            kind=one.kind,
            premises_id=one.premises_id,
            object_id=one.row.id,
            name=one.name,
            sha256=one.row.sha256,
            size_bytes=one.row.size_bytes,
            policy=one.policy,
        )
    )
    run.deleted_files += 1


def _plain(row: AuditRow) -> dict[str, object]:
    names = ("id", "at", "person_id", "action", "object_type", "object_id", "premises_id", "address", "facts")
    return {name: str(getattr(row, name)) for name in (*names, "purpose")}
