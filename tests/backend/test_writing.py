"""Many rows at once are held to the same rules as one, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.ingest.tables import EventRow
from kitchen_watch.backend.writing import FEW, among, new_ids, write_rows
from tests.backend.stories import Violation, deliver, opening
from tests.backend.support import Backend

MANY = FEW + 4


def stored_events(backend: Backend) -> list[dict[str, Any]]:
    with backend.parts.database.read() as session:
        rows = session.scalars(select(EventRow).order_by(EventRow.sequence))
        names = EventRow.__table__.columns.keys()
        return [{name: getattr(row, name) for name in names} for row in rows]


def test_many_rows_are_refused_as_one_would_be_and_read_back_as_written(any_backend: Backend) -> None:
    violation = Violation()
    deliver(any_backend, *[violation.tell(detail='反斜杠 \\ 制表\t换行\n "引号"') for _ in range(MANY)])
    events = stored_events(any_backend)
    assert [event["sequence"] for event in events] == list(range(MANY))
    assert {event["detail"] for event in events} == {'反斜杠 \\ 制表\t换行\n "引号"'}
    assert {event["body"]["detail"] for event in events} == {'反斜杠 \\ 制表\t换行\n "引号"'}
    with pytest.raises(IntegrityError), any_backend.parts.database.write() as session:
        write_rows(session, EventRow, events)
    assert stored_events(any_backend) == events


def test_rows_that_name_nothing_known_are_refused(any_backend: Backend) -> None:
    deliver(any_backend, opening())
    [event] = stored_events(any_backend)
    strays = [event | {"event_id": Violation().tell().event_id, "sequence": 1 + n, "alert_id": 10**6 + n}
              for n in range(MANY)]  # fmt: skip
    with pytest.raises(IntegrityError), any_backend.parts.database.write() as session:
        write_rows(session, EventRow, strays)
    assert stored_events(any_backend) == [event]


def test_new_ids_are_of_nobody_else(any_backend: Backend) -> None:
    deliver(any_backend, *[opening() for _ in range(MANY)])
    with any_backend.parts.database.write() as session:
        taken = set(session.scalars(select(AlertRow.id)))
        ids = new_ids(session, AlertRow, MANY)
        assert len(taken) == len(set(ids)) == MANY
        assert not taken & set(ids)
        assert ids == sorted(ids)
        assert new_ids(session, AlertRow, 0) == []
        assert session.scalars(select(AlertRow).where(among(session, AlertRow.id, []))).all() == []


def test_a_batch_in_any_order_makes_the_same_alerts(any_backend: Backend) -> None:
    """New and known alerts of one batch, overtaken within it, are the fold of their events."""
    stories = [Violation() for _ in range(MANY)]
    told = [[one.tell(), one.tell(confidence=0.9), one.close(), one.tell()] for one in stories]
    deliver(any_backend, *[events[1] for events in told[: MANY // 2]])
    deliver(any_backend, *[events[n] for n in (3, 0, 2) for events in told])
    deliver(any_backend, *[events[1] for events in told[MANY // 2 :]])
    with any_backend.parts.database.read() as session:
        alerts = session.scalars(select(AlertRow)).all()
        assert len(alerts) == MANY
        for alert in alerts:
            assert (alert.first_sequence, alert.last_sequence, alert.events_received) == (0, 3, 4)
            assert (alert.confidence, alert.reopenings, alert.ended_at) == (0.9, 1, None)
            assert (alert.version, alert.reminders, alert.due_at is None) == (0, 0, False)
