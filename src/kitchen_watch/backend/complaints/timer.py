"""Reminds the grid of complaints whose term comes to its end, each moment once."""

from __future__ import annotations

from sqlalchemy import select

from kitchen_watch.backend.complaints.clocks import next_moment
from kitchen_watch.backend.complaints.service import Rules, news_of, source
from kitchen_watch.backend.complaints.tables import ComplaintRow
from kitchen_watch.backend.complaints.views import due_at
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.looking import Looking, claimed
from kitchen_watch.backend.notifications.rules import Occasion
from kitchen_watch.backend.notifications.telling import officers_of
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.clock import Clock

BATCH = 100


class ComplaintTimer:
    """Looks for moments that have come; the database decides which process acts."""

    def __init__(self, database: Database, clock: Clock, rules: Rules) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules

    def looking(self) -> Looking:
        """The loop that makes this process look."""
        return Looking("complaints", self.look, every_s=self._rules.complaints.look_every_s)

    def look(self) -> int:
        """Remind of everything that is due now; how many complaints this process reminded of."""
        count = 0
        while self._anything_due():
            handled = self._batch()
            count += handled
            if handled == 0:
                break  # another process is at it, or people hold the rest just now
        return count

    def _anything_due(self) -> bool:
        with self._database.read() as session:
            due = select(ComplaintRow.id).where(ComplaintRow.next_at <= self._clock.now()).limit(1)
            return session.scalar(due) is not None

    def _batch(self) -> int:
        now = self._clock.now()
        with self._database.write() as session:
            if not claimed(session, "complaints-timer"):
                return 0
            rows = list(
                session.scalars(
                    select(ComplaintRow)
                    .where(ComplaintRow.next_at <= now)
                    .order_by(ComplaintRow.id)
                    .limit(BATCH)
                    .with_for_update(skip_locked=True)
                )
            )
            for row in rows:
                due = due_at(row)
                moment, row.next_at = row.next_at, None
                if due is None or moment is None:
                    continue
                row.next_at = next_moment(self._rules.complaints, row.term_began_at, due, now=now)
                premises = session.get_one(PremisesRow, row.premises_id)
                people = {*officers_of(session, row.node_id), row.handler_id or row.filed_by}
                moment_name = f"{source(row)}/{moment:%Y%m%dT%H%M%S}"
                news = news_of(session, row, moment_name, Occasion.COMPLAINT_DUE, premises.name)
                self._rules.teller.tell(session, people, news, now=now)
            return len(rows)
