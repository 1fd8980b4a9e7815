"""How long a district's daily report takes: drawn from the database, sealed, and printed as a page is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.organisations.tables import NodeKind, NodeRow
from kitchen_watch.backend.pages.languages import languages
from kitchen_watch.backend.reports.content import canonical, seal
from kitchen_watch.backend.reports.drawing import Scene, draw_up
from kitchen_watch.backend.reports.layout import lay_out
from kitchen_watch.backend.reports.ledger import Ledger
from kitchen_watch.backend.reports.periods import period_of
from kitchen_watch.backend.reports.sections import makers_of
from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.reports.tables import ReportKind


def daily_reports(url: str, *, days: int = 3) -> list[float]:
    """Seconds for the report of every district, of the last ``days`` days that have ended, each once."""
    database, settings = Database(url), ReportSettings()
    language = languages()["zh"]
    seconds = []
    try:
        with database.snapshot() as session:
            districts = session.scalars(
                select(NodeRow).where(NodeRow.kind == NodeKind.DISTRICT).order_by(NodeRow.id)
            ).all()
        now = datetime.now(UTC)
        yesterday = now.astimezone(settings.zone).date() - timedelta(days=1)
        for back in range(days):
            period = period_of(ReportKind.DAILY, yesterday - timedelta(days=back), settings)
            for node in districts:
                began = time.perf_counter()
                with database.snapshot() as session:
                    scene = Scene(session, node, period, settings, now, Ledger(session, node.path))
                    content = draw_up(scene, makers_of(ReportKind.DAILY), reference="日报")
                seal(canonical(content))
                lay_out(content, language)
                seconds.append(time.perf_counter() - began)
    finally:
        database.close()
    return seconds
