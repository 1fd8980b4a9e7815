"""The timer: says what is due, each once, however many backend processes look.

What is due stands in the database (``next_at``), so it survives every restart. The database also
decides who acts: a look holds a lock of the whole database for its transaction, and a process that
does not get it leaves the work to the one that has it. The loop of a process only makes it look.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts import feed
from kitchen_watch.backend.alerts.states import FeedKind
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.deadlines.clocks import Deadline, due_moments
from kitchen_watch.backend.deadlines.issuing import TIMER, Occasion, issue
from kitchen_watch.backend.deadlines.policy import DeadlinePolicy
from kitchen_watch.backend.deadlines.tables import DeadlineRow
from kitchen_watch.backend.looking import Looking, claimed
from kitchen_watch.backend.organisations.places import node_paths
from kitchen_watch.clock import Clock

BATCH = 100
LOCK = "deadlines"


class DeadlineTimer(Looking):
    """Looks into the database now and then while the application runs."""

    def __init__(
        self, database: Database, clock: Clock, policy: DeadlinePolicy, *, look_every_s: float
    ) -> None:
        super().__init__("deadlines", self.look, every_s=look_every_s)
        self._database = database
        self._clock = clock
        self._policy = policy

    def look(self) -> int:
        """Say everything that is due now; returns how much was said by this process."""
        said = 0
        while self._anything_due():
            with self._database.write() as session:
                handled, issued = self._batch(session) if claimed(session, LOCK) else (0, 0)
            said += issued
            if handled == 0:
                break  # another process is at it, or people hold the rest just now
        return said

    def _anything_due(self) -> bool:
        with self._database.read() as session:
            due = select(DeadlineRow.id).where(DeadlineRow.next_at <= self._clock.now()).limit(1)
            return session.scalar(due) is not None

    def _batch(self, session: Session) -> tuple[int, int]:
        now = self._clock.now()
        wanted = session.scalars(
            select(DeadlineRow.alert_id)
            .where(DeadlineRow.next_at <= now)
            .order_by(DeadlineRow.next_at)
            .limit(BATCH)
        ).all()
        # Everybody locks the alert first. One that somebody works on just now is left for the next look.
        alerts = {
            alert.id: alert
            for alert in session.scalars(
                select(AlertRow)
                .where(AlertRow.id.in_(set(wanted)))
                .order_by(AlertRow.id)
                .with_for_update(skip_locked=True)
            )
        }
        rows = session.scalars(
            select(DeadlineRow)
            .where(DeadlineRow.alert_id.in_(alerts), DeadlineRow.next_at <= now)
            .order_by(DeadlineRow.next_at)
        ).all()
        issued = {row.alert_id: 0 for row in rows}
        for row in rows:
            issued[row.alert_id] += self._say(session, alerts[row.alert_id], row, now)
        paths = node_paths(session, {alerts[alert_id].premises_id for alert_id in issued})
        feed.append(
            session,
            [
                feed.news(alerts[key], FeedKind.STATE, node_path=paths[alerts[key].premises_id])
                for key, count in issued.items()
                if count
            ],
            now=now,
        )
        return len(rows), sum(issued.values())

    def _say(self, session: Session, alert: AlertRow, row: DeadlineRow, now: datetime) -> int:
        deadline = Deadline(row.step, row.started_at, row.due_at)
        said, row.heard, row.next_at = due_moments(
            self._policy, alert.tier, deadline, heard=row.heard, now=now
        )
        for moment in said:
            occasion = Occasion(moment.kind, moment.level, row.step, row.id)
            issue(session, alert, occasion, by=TIMER, now=now)
        return len(said)
