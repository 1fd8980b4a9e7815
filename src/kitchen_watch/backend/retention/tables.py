"""Runs of retention, and the record of what was deleted. Records are added and never changed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, Table, stored_enum


class RunKind(StrEnum):
    """Why retention runs."""

    NIGHT = "night"
    PRESSURE = "pressure"
    """The disk is short."""


class DeletedKind(StrEnum):
    """What was deleted."""

    EVIDENCE = "evidence"
    PHOTO = "photo"
    AUDIT = "audit"
    TASK_FILE = "task_file"
    CHECK_PHOTO = "check_photo"
    PATROL_PICTURE = "patrol_picture"
    FINDING_PHOTO = "finding_photo"


class RetentionRunRow(Table):
    """One run and how far it is. ``key`` names its night or hour, so that each is run once.

    ``position`` is the last alert it has looked at, ``swept_id`` the last deletion whose file is
    really gone: a process that dies is followed by one that goes on from there.
    """

    __tablename__ = "retention_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[RunKind] = mapped_column(stored_enum(RunKind))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    position: Mapped[int] = mapped_column(BigInteger, default=0)
    swept_id: Mapped[int] = mapped_column(BigInteger, default=0)
    looked_at: Mapped[int] = mapped_column(default=0)
    deleted_files: Mapped[int] = mapped_column(default=0)
    freed_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    kept_by_holds: Mapped[int] = mapped_column(default=0)
    """Cases whose time was over and that were kept because of a hold."""
    deleted_entries: Mapped[int] = mapped_column(default=0)
    """Entries of the audit log."""
    still_short: Mapped[bool] = mapped_column(default=False)


class StuckFileRow(Table):
    """The file of a deletion that could not be removed; the row goes when the file has gone."""

    __tablename__ = "stuck_files"

    deletion_id: Mapped[int] = mapped_column(ForeignKey("deletions.id"), primary_key=True)
    since_at: Mapped[datetime]
    tried_at: Mapped[datetime] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(300))


class DeletionRow(Table):
    """One thing that was deleted: what it was, its hash, by which rule and when."""

    __tablename__ = "deletions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("retention_runs.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[DeletedKind] = mapped_column(stored_enum(DeletedKind))
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id"), index=True)
    premises_id: Mapped[int | None] = mapped_column(ForeignKey("premises.id"), index=True)
    object_id: Mapped[int] = mapped_column(BigInteger)
    """Id of the file or photo; of audit entries the last one's."""
    name: Mapped[str] = mapped_column(String(160))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    policy: Mapped[str] = mapped_column(String(100))
