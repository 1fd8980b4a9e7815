"""Reminds those who were asked to confirm a published report and have not: counted, and shown to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, func, select, update

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.reports.tables import ReceiptRow


def remind(database: Database, now: datetime, settings: ReportSettings) -> int:
    """Count one reminder more for everybody who is due for one; returns how many."""
    missing = and_(
        ReceiptRow.at.is_(None),
        func.coalesce(ReceiptRow.reminded_at, ReceiptRow.asked_at) <= now - settings.remind_every,
    )
    with database.read() as session:
        if session.scalar(select(ReceiptRow.report_id).where(missing).limit(1)) is None:
            return 0
    with database.write() as session:
        # The condition is asked again under the row's lock: of two processes one counts.
        done = session.execute(
            update(ReceiptRow)
            .where(missing)
            .values(reminders=ReceiptRow.reminders + 1, reminded_at=now)
            .execution_options(synchronize_session=False)
        )
        return int(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE has one
