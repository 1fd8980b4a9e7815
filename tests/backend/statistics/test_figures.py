"""A parent's figures are the sum of its children's and what the alerts themselves say, whatever happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.deadlines.clocks import ClockStep
from kitchen_watch.backend.deadlines.tables import DeadlineRow
from kitchen_watch.backend.organisations.tables import (
    AreaType,
    CameraRow,
    EdgeRow,
    NodeKind,
    NodeRow,
    PremisesRow,
)
from kitchen_watch.backend.statistics.figures import AlertFigures, statistics_figures
from kitchen_watch.backend.tables import Table
from tests.backend.support import NOON

DAY = timedelta(days=1)
SINCE, UNTIL = NOON, NOON + 40 * DAY


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('statistics') / 'figures.db'}")
    Table.metadata.create_all(database.engine)
    yield database
    database.close()


def one(premises: int, day: float, state: AlertState, code: str = "NO_HAT") -> dict[str, Any]:
    return {"premises": premises, "found_at": SINCE + timedelta(days=day), "state": state, "code": code}


class World:
    """Nodes, premises and alerts in a database whose changes are rolled back."""

    def __init__(self, session: Session, parents: list[int], homes: list[int]) -> None:
        self.session = session
        session.add(EdgeRow(edge_id="e", name="e", sealed_secret="-", created_at=NOON))
        self.nodes: list[NodeRow] = []
        for index, parent in enumerate([-1, *parents], start=1):
            above = self.nodes[parent % len(self.nodes)] if index > 1 else None
            node = NodeRow(
                id=index, parent_id=above.id if above else None, kind=NodeKind.GRID, code=f"n{index}",
                name=f"n{index}", path=f"{above.path if above else '/'}{index}/",
            )  # fmt: skip
            session.add(node)
            session.flush()
            self.nodes.append(node)
        self.premises = [self._premises(index, home) for index, home in enumerate(homes, start=1)]
        session.flush()

    def _premises(self, index: int, home: int) -> PremisesRow:
        row = PremisesRow(
            id=index, licence_no=f"L{index}", name=f"p{index}", business_type="restaurant",
            node_id=self.nodes[home % len(self.nodes)].id, created_at=NOON,
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()
        self.session.add(
            CameraRow(
                camera_id=f"c{index}",
                premises_id=index,
                edge_id="e",
                name="c",
                area_type=AreaType.STOVE,
                created_at=NOON,
            )
        )
        return row

    def find(self, premises: int, found_at: datetime, state: AlertState, code: str) -> AlertRow:
        place = self.premises[premises % len(self.premises)]
        number = (self.session.scalar(select(func.count()).select_from(AlertRow)) or 0) + 1
        row = AlertRow(
            violation_id=UUID(int=number), edge_id="e", camera_id=f"c{place.id}", premises_id=place.id,
            node_id=place.node_id, code=code, tier=1 + number % 3, state=state, found_at=found_at,
            occurred_at=found_at, started_at=found_at, last_seen_at=found_at, updated_at=found_at,
            confidence=0.8, rule={}, detections=[], first_sequence=0, last_sequence=0, events_received=1,
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()
        return row

    def clock(self, alert: AlertRow, *, hours: float | None, met: bool | None) -> None:
        settled = alert.found_at + timedelta(hours=hours) if hours is not None else None
        self.session.add(
            DeadlineRow(
                alert_id=alert.id,
                step=ClockStep.FIX,
                started_at=alert.found_at,
                due_at=alert.found_at + timedelta(hours=6),
                settled_at=settled,
                met=met,
            )
        )
        self.session.flush()

    def figures(self, node: NodeRow) -> AlertFigures:
        return statistics_figures(self.session, node.path, SINCE, UNTIL)


STORIES = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.integers(-20, 50),
        st.sampled_from(list(AlertState)),
        st.sampled_from(["NO_HAT", "RODENT"]),
        st.one_of(st.none(), st.integers(1, 30)),
        st.integers(0, 9),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parents=st.lists(st.integers(0, 9), max_size=6),
    homes=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    stories=STORIES,
    corrections=st.lists(st.tuples(st.integers(0, 20), st.sampled_from(list(AlertState))), max_size=4),
)
def test_a_parent_is_the_sum_of_its_children_after_moves_and_corrections(
    empty: Database,
    parents: list[int],
    homes: list[int],
    stories: list[tuple[int, int, AlertState, str, int | None, int]],
    corrections: list[tuple[int, AlertState]],
) -> None:
    with Session(empty.engine) as session:
        world = World(session, parents, homes)
        alerts = []
        for premises, day, state, code, hours, target in stories:
            alert = world.find(premises, SINCE + timedelta(days=day), state, code)
            world.clock(alert, hours=hours, met=None if hours is None else hours <= 6)
            alerts.append(alert)
            # The premises moves; what was found before stays in the old grid's figures.
            world.premises[premises % len(world.premises)].node_id = world.nodes[target % len(world.nodes)].id
        for index, state in corrections:
            if alerts:
                alerts[index % len(alerts)].state = state
        session.flush()
        for node in world.nodes:
            whole = world.figures(node)
            parts = AlertFigures()
            for child in (child for child in world.nodes if child.parent_id == node.id):
                parts.add(world.figures(child))
            own = [alert for alert in alerts if alert.node_id == node.id and SINCE <= alert.found_at < UNTIL]
            assert whole.found == parts.found + len(own)
            wrong = sum(alert.state is AlertState.FALSE_ALARM for alert in own)
            assert whole.false_alarms == parts.false_alarms + wrong
            if not own:
                for column in fields(AlertFigures):
                    assert getattr(whole, column.name) == pytest.approx(getattr(parts, column.name)), column
            assert whole.found == whole.pending + whole.false_alarms + whole.merged + whole.believed
            assert whole.fix_in_time <= whole.fix_due
            assert whole.repeats_7_days <= whole.repeats_30_days <= whole.believed
        session.rollback()


@pytest.fixture
def world(empty: Database) -> Iterator[World]:
    with Session(empty.engine) as session:
        yield World(session, [0], [0, 1])
        session.rollback()


def test_a_repeat_is_the_same_code_at_the_same_premises_within_the_days(world: World) -> None:
    world.find(1, SINCE - 5 * DAY, AlertState.CLOSED, "RODENT")
    world.find(1, SINCE + DAY, AlertState.VERIFIED, "RODENT")  # 6 days after one before the span
    world.find(1, SINCE + 20 * DAY, AlertState.VERIFIED, "RODENT")  # 19 days after
    world.find(2, SINCE + 2 * DAY, AlertState.VERIFIED, "RODENT")  # another premises
    world.find(1, SINCE + 2 * DAY, AlertState.VERIFIED, "NO_HAT")  # another code
    found = world.figures(world.nodes[0])
    assert (found.repeats_7_days, found.repeats_30_days, found.believed) == (1, 2, 4)


def test_what_was_false_is_no_repeat_and_makes_none(world: World) -> None:
    first = world.find(1, SINCE + DAY, AlertState.VERIFIED, "RODENT")
    world.find(1, SINCE + 2 * DAY, AlertState.VERIFIED, "RODENT")
    assert world.figures(world.nodes[0]).repeats_7_days == 1
    first.state = AlertState.FALSE_ALARM
    world.session.flush()
    found = world.figures(world.nodes[0])
    assert (found.repeats_7_days, found.false_alarms, found.believed, found.found) == (0, 1, 1, 2)


def test_the_same_day_is_the_local_one(world: World) -> None:
    evening = SINCE + timedelta(hours=10)  # 22:00 in China
    for hours, met in ((1, True), (3, True)):  # 23:00 and 01:00 of the next day
        world.clock(world.find(1, evening, AlertState.CLOSED, "NO_HAT"), hours=hours, met=met)
    found = world.figures(world.nodes[0])
    assert (found.same_day_rate.part, found.same_day_rate.whole) == (1, 2)
    assert found.on_time_rate.rate == 1.0
    assert found.mean_hours_to_rectify == pytest.approx(2.0)


def test_what_is_reopened_and_closed_on_a_later_day_was_not_closed_the_same_day(world: World) -> None:
    alert = world.find(1, SINCE, AlertState.CLOSED, "NO_HAT")
    world.clock(alert, hours=2, met=True)
    assert world.figures(world.nodes[0]).closed_same_day == 1
    world.clock(alert, hours=3, met=True)  # reopened and closed again, the same day: still one
    assert world.figures(world.nodes[0]).closed_same_day == 1
    world.clock(alert, hours=30, met=False)
    assert world.figures(world.nodes[0]).closed_same_day == 0


def test_a_deadline_counts_only_once_it_is_met_or_missed(world: World) -> None:
    world.clock(
        world.find(1, UNTIL - timedelta(hours=1), AlertState.RECTIFYING, "NO_HAT"), hours=None, met=None
    )
    assert world.figures(world.nodes[0]).on_time_rate.whole == 0
    world.clock(
        world.find(1, UNTIL - timedelta(hours=9), AlertState.RECTIFYING, "NO_HAT"), hours=None, met=None
    )
    found = world.figures(world.nodes[0])
    assert (found.on_time_rate.part, found.on_time_rate.whole) == (0, 1)
    assert found.false_alarm_rate.whole == 2
    assert AlertFigures().same_day_rate.rate is None
