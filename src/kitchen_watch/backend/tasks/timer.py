"""Reminds units of tasks that come due, each moment once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.looking import Looking, claimed
from kitchen_watch.backend.notifications.rules import Occasion, Subject
from kitchen_watch.backend.notifications.telling import News, Teller, officers_of
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.tasks.giving import moments
from kitchen_watch.backend.tasks.importing import UNSCHEDULED
from kitchen_watch.backend.tasks.settings import TaskSettings
from kitchen_watch.backend.tasks.tables import TaskRow, TaskState, TaskUnitRow
from kitchen_watch.clock import Clock

BATCH = 200
WAITING = (TaskState.OPEN, TaskState.DOING)


class TaskTimer:
    """Looks for moments that have come; the database decides which process acts."""

    def __init__(self, database: Database, clock: Clock, policy: TaskSettings, *, teller: Teller) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy
        self._teller = teller

    def looking(self) -> Looking:
        """The loop that makes this process look."""
        return Looking("tasks", self.look, every_s=self._policy.look_every_s)

    def look(self) -> int:
        """Remind of everything that is due now; how many units this process looked at."""
        count = 0
        while self._anything_due():
            with self._database.write() as session:
                handled = self._batch(session) if claimed(session, "tasks-timer") else 0
            count += handled
            if handled == 0:
                break  # another process is at it
        return count

    def _anything_due(self) -> bool:
        with self._database.read() as session:
            due = select(TaskUnitRow.id).where(TaskUnitRow.next_at <= self._clock.now()).limit(1)
            return session.scalar(due) is not None

    def _batch(self, session: Session) -> int:
        now = self._clock.now()
        rows = session.execute(
            select(TaskUnitRow, TaskRow)
            .join(TaskRow, TaskRow.id == TaskUnitRow.task_id)
            .where(TaskUnitRow.next_at <= now)
            .order_by(TaskUnitRow.id)
            .limit(BATCH)
            .with_for_update(of=TaskUnitRow, skip_locked=True)
        ).all()
        for unit, task in rows:
            times = moments(task, self._policy)
            past = sum(at <= now for at in times)
            if unit.heard != UNSCHEDULED and unit.state in WAITING:
                news = News(
                    f"task/{unit.id}/{task.due_on}/{past}",
                    Occasion.TASK_DUE,
                    f"{task.number} {task.title}"[:200],
                    f"tasks/{task.id}",
                    Subject.TASK,
                    task.id,
                    session.get_one(NodeRow, unit.node_id).path,
                )
                people = officers_of(session, unit.node_id)
                self._teller.tell(session, people, news, now=now)
            unit.heard = past
            unit.next_at = next((at for at in times if at > now), None)
        return len(rows)
