"""Reminders and supervision: each once, however many processes look and however often they restart."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from sqlalchemy import select

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.deadlines.tables import AlertNoticeRow, DeadlineRow
from kitchen_watch.backend.deadlines.timer import DeadlineTimer
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.clock import ManualClock
from tests.backend.stories import Violation, deliver, opening
from tests.backend.support import NOON, Backend

MINUTE = timedelta(minutes=1)


def another_process(backend: Backend) -> DeadlineTimer:
    """A timer with an engine of its own, as a further backend process has one."""
    settings = backend.parts.settings
    return DeadlineTimer(Database(settings.database), backend.clock, settings.deadlines, look_every_s=60)


def look(backend: Backend) -> None:
    """Look until everything that is due has been said and can be seen.

    The backend's own timer looks every few seconds, too. While it is at it, and until it has committed,
    another process finds the lock taken, says nothing and leaves it that work: so one look proves nothing.
    """
    timer = another_process(backend)
    patience = time.monotonic() + 20
    timer.look()
    while timer._anything_due():
        assert time.monotonic() < patience, "what is due is said by somebody"
        time.sleep(0.01)
        timer.look()
    timer._database.close()


def pass_time(backend: Backend, duration: timedelta) -> None:
    assert isinstance(backend.clock, ManualClock)
    backend.clock.advance(duration)


def notices(backend: Backend) -> list[tuple[int, str, int, int]]:
    """Alert, kind, number and level of everything issued, in order."""
    with backend.parts.database.read() as session:
        rows = session.scalars(select(AlertNoticeRow).order_by(AlertNoticeRow.id))
        return [(row.alert_id, row.kind.value, row.number, row.level) for row in rows]


def test_a_new_alert_has_until_its_clock_to_be_verified(any_backend: Backend) -> None:
    old = Violation(tier=1, code="RODENT", started_at=NOON - timedelta(hours=9))  # under way for hours
    deliver(any_backend, old.tell())
    with any_backend.parts.database.read() as session:
        deadline = session.scalars(select(DeadlineRow)).one()
        assert (deadline.started_at, deadline.due_at) == (NOON, NOON + 10 * MINUTE)
        assert session.scalars(select(AlertRow.due_at)).one() == NOON + 10 * MINUTE
    look(any_backend)
    assert notices(any_backend) == []
    deliver(any_backend, old.tell(), old.close())
    with any_backend.parts.database.read() as session:
        assert len(session.scalars(select(DeadlineRow)).all()) == 1


def test_reminders_and_supervision_come_each_once_and_level_by_level(any_backend: Backend) -> None:
    deliver(any_backend, Violation(tier=1, code="RODENT").tell())
    expected: list[tuple[int, str, int, int]] = []
    for duration, kind, number, level in (
        (5 * MINUTE, "reminder", 1, 0),
        (3 * MINUTE, "reminder", 2, 0),
        (2 * MINUTE, "supervision", 1, 1),
        (timedelta(days=1), "supervision", 2, 2),
        (timedelta(days=1), "supervision", 3, 3),
        (timedelta(days=1), "supervision", 4, 4),
    ):
        pass_time(any_backend, duration - timedelta(seconds=1))
        look(any_backend)
        assert notices(any_backend) == expected
        pass_time(any_backend, timedelta(seconds=1))
        expected.append((1, kind, number, level))
        look(any_backend)
        look(any_backend)  # a restarted process looks again
        assert notices(any_backend) == expected
    pass_time(any_backend, timedelta(days=30))
    look(any_backend)
    assert notices(any_backend) == expected


def test_supervision_goes_up_the_tree(any_backend: Backend) -> None:
    deliver(any_backend, Violation(tier=1, code="RODENT").tell())
    pass_time(any_backend, timedelta(days=5))
    look(any_backend)
    with any_backend.parts.database.read() as session:
        codes = session.execute(
            select(AlertNoticeRow.level, NodeRow.code)
            .join(NodeRow, NodeRow.id == AlertNoticeRow.node_id)
            .order_by(AlertNoticeRow.level)
        ).all()
        assert [tuple(row) for row in codes] == [
            (1, "station-1"),
            (2, "district-1"),
            (3, "city"),
            (4, "city"),
        ]
        alert = session.scalars(select(AlertRow)).one()
        assert (alert.reminders, alert.supervision_level) == (0, 4)
        written = session.scalars(select(AuditRow).where(AuditRow.action == "supervision_issued")).all()
        assert [entry.person_id for entry in written] == [None] * 4


def test_many_processes_at_once_say_everything_once(any_backend: Backend) -> None:
    deliver(any_backend, *(opening() for _ in range(60)))
    timers = [another_process(any_backend) for _ in range(4)]
    for duration, per_alert in ((15 * MINUTE, 1), (9 * MINUTE, 2), (6 * MINUTE, 3)):
        pass_time(any_backend, duration)
        together = threading.Barrier(len(timers))

        def at_once(timer: DeadlineTimer, together: threading.Barrier = together) -> None:
            together.wait()
            timer.look()

        threads = [threading.Thread(target=at_once, args=[timer]) for timer in timers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        look(any_backend)
        issued = notices(any_backend)
        assert len(issued) == len(set(issued)) == 60 * per_alert
    for timer in timers:
        timer._database.close()


def test_pages_hear_of_it(any_backend: Backend) -> None:
    deliver(any_backend, opening())
    before = any_backend.logged_in("regulator").get("/api/v1/alerts/position").json()
    pass_time(any_backend, 15 * MINUTE)
    look(any_backend)
    assert any_backend.logged_in("regulator").get("/api/v1/alerts/position").json() == before + 1
