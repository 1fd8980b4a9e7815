"""Reminds those who were asked to confirm a published report and have not: counted, and told to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, func, select

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.notifications.rules import Occasion, Subject
from kitchen_watch.backend.notifications.telling import News, Teller
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.reports.tables import ReceiptRow, ReportRow


def remind(database: Database, now: datetime, settings: ReportSettings, teller: Teller) -> int:
    """Count one reminder more for everybody who is due for one; returns how many."""
    missing = and_(
        ReceiptRow.at.is_(None),
        func.coalesce(ReceiptRow.reminded_at, ReceiptRow.asked_at) <= now - settings.remind_every,
    )
    with database.read() as session:
        if session.scalar(select(ReceiptRow.report_id).where(missing).limit(1)) is None:
            return 0
    with database.write() as session:
        # The condition is asked again under the rows' locks: of two processes one counts and tells.
        rows = session.execute(
            select(ReceiptRow, ReportRow)
            .join(ReportRow, ReportRow.id == ReceiptRow.report_id)
            .where(missing)
            .order_by(ReceiptRow.report_id, ReceiptRow.person_id)
            .with_for_update(of=ReceiptRow, skip_locked=True)
        ).all()
        for receipt, report in rows:
            receipt.reminders, receipt.reminded_at = receipt.reminders + 1, now
            news = News(
                f"report/{report.id}/{receipt.reminders}",
                Occasion.REPORT_UNCONFIRMED,
                report.reference,
                f"reports/{report.id}",
                Subject.REPORT,
                report.id,
                session.get_one(NodeRow, report.node_id).path,
            )
            teller.tell(session, [receipt.person_id], news, now=now)
        return len(rows)
