"""Months that are over are summed once; what is read is the same as if every alert were counted anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts import feed
from kitchen_watch.backend.alerts.states import AlertState, FeedKind
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.statistics.figures import AlertFigures, count_overdue, sums_by_grid, total
from kitchen_watch.backend.statistics.months import gaps, keep_months, month_of, month_span, sums_of
from kitchen_watch.backend.statistics.questions import Question
from kitchen_watch.backend.statistics.tables import KeptMonthRow, MonthSumsRow
from kitchen_watch.backend.tables import Table
from tests.backend.statistics.test_figures import World
from tests.backend.support import NOON

DAY = timedelta(days=1)
CHINA = ZoneInfo("Asia/Shanghai")
NOW = NOON + 100 * DAY
YEAR = Question(since_at=NOON - 40 * DAY, until_at=NOW, everything=True)


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """City, two grids, a premises in each, something found every third day of four months."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('months') / 'months.db'}")
    Table.metadata.create_all(database.engine)
    with Session(database.engine) as session:
        world = World(session, [0, 0], [1, 2])
        states = [AlertState.CLOSED, AlertState.FALSE_ALARM, AlertState.VERIFIED, AlertState.MERGED]
        for number, day in enumerate(range(-30, 95, 3)):
            alert = world.find(
                number % 2, NOON + day * DAY, states[number % 4], ("NO_HAT", "RODENT")[number % 3 > 1]
            )
            world.clock(alert, hours=number % 9, met=number % 9 <= 6)
        yield world
    database.close()


def read(world: World, question: Question = YEAR) -> AlertFigures:
    return total(sums_of(world.session, question, NOW).values()).figures


def counted(world: World, question: Question) -> AlertFigures:
    """From the alerts themselves."""
    sums = sums_by_grid(world.session, question, NOW)
    count_overdue(world.session, question, NOW, sums)
    return total(sums.values()).figures


def keep_all(world: World) -> list[str]:
    while keep_months(world.session, NOW):
        pass
    return sorted(world.session.scalars(select(KeptMonthRow.month)))


def change(world: World, alert: AlertRow, state: AlertState) -> None:
    alert.state = state
    path = next(node.path for node in world.nodes if node.id == alert.node_id)
    feed.append(world.session, [feed.news(alert, FeedKind.STATE, node_path=path)], now=NOW)
    world.session.flush()


def test_a_year_is_the_same_from_kept_months_and_from_alerts(world: World) -> None:
    before = read(world)
    whole = total(sums_of(world.session, YEAR, NOW).values())
    assert keep_all(world) == ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05"]
    assert read(world) == before
    again = total(sums_of(world.session, YEAR, NOW).values())
    assert (again.days, again.hours, again.premises, again.codes) == (
        whole.days, whole.hours, whole.premises, whole.codes,
    )  # fmt: skip
    for node in world.nodes:
        part = replace(YEAR, everything=False, paths=(node.path,))
        assert read(world, part) == counted(world, part)
        assert read(world, part).found > 0


PARTS: list[dict[str, Any]] = [
    {"codes": ("NO_HAT",)},
    {"codes": ("NO_HAT", "RODENT")},
    {"tiers": (2,)},
    {"business_types": ("canteen",)},
    {"business_types": ("canteen", "restaurant"), "codes": ("RODENT",)},
]


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_a_year_of_one_kind_is_the_same_from_kept_months_and_from_alerts(
    world: World, part: dict[str, Any]
) -> None:
    """Also when a premises becomes something else or an alert turns out false, before and after summing."""
    world.premises[0].business_type = "canteen"
    keep_all(world)
    question = replace(YEAR, **part)
    below = replace(question, everything=False, paths=(world.nodes[1].path,))
    alert = next(one for one in world.session.scalars(select(AlertRow)) if one.state is AlertState.CLOSED)
    for step in ("kept", "called something else", "summed again", "false", "summed again"):
        if step == "called something else":
            world.premises[0].business_type, world.premises[1].business_type = "restaurant", "canteen"
            world.session.flush()
        elif step == "false":
            change(world, alert, AlertState.FALSE_ALARM)
        elif step == "summed again":
            keep_all(world)
        for one in (question, below):
            whole, raw = (
                total(sums.values())
                for sums in (sums_of(world.session, one, NOW), sums_by_grid(world.session, one, NOW))
            )
            assert (whole.days, whole.hours, whole.premises, whole.codes) == (
                raw.days, raw.hours, raw.premises, raw.codes,
            ), step  # fmt: skip
            assert read(world, one) == counted(world, one), step


def test_a_year_of_one_kind_reads_no_alert_of_a_kept_month(world: World) -> None:
    keep_all(world)
    question = replace(YEAR, codes=("NO_HAT",), until_at=month_span("2026-05", CHINA)[1])
    first_tier = replace(question, codes=(), tiers=(1,), since_at=month_span("2026-02", CHINA)[0])
    before = read(world, question).found, read(world, first_tier).found
    world.session.execute(update(AlertRow).values(tier=1))  # behind the feed's back: nobody may see it
    assert (read(world, question).found, read(world, first_tier).found) == before
    assert min(before) > 0


def test_an_old_alert_that_turns_out_false_is_seen_at_once_and_summed_again(world: World) -> None:
    keep_all(world)
    alert = next(one for one in world.session.scalars(select(AlertRow)) if one.state is AlertState.CLOSED)
    assert month_of(alert.found_at, CHINA) < "2026-05"
    before = read(world)
    change(world, alert, AlertState.FALSE_ALARM)
    after = read(world)
    assert (after.closed, after.false_alarms, after.found) == (
        before.closed - 1, before.false_alarms + 1, before.found,
    )  # fmt: skip
    keep_all(world)
    assert read(world) == after
    kept = world.session.get(MonthSumsRow, (month_of(alert.found_at, CHINA), alert.node_id))
    assert kept is not None


def test_a_correction_changes_the_repeats_of_the_month_after_it(world: World) -> None:
    start, _ = month_span("2026-03", CHINA)
    first = world.find(0, start - 2 * DAY, AlertState.CLOSED, "SMOKING")
    world.find(0, start + 2 * DAY, AlertState.CLOSED, "SMOKING")
    keep_all(world)
    before = read(world)
    change(world, first, AlertState.FALSE_ALARM)
    after = read(world)
    assert after.repeats_7_days == before.repeats_7_days - 1
    keep_all(world)
    assert read(world) == after


def test_a_correction_changes_the_repeats_in_the_grid_its_premises_moved_to(world: World) -> None:
    start, _ = month_span("2026-03", CHINA)
    first = world.find(0, start + 2 * DAY, AlertState.CLOSED, "SMOKING")
    world.premises[0].node_id = world.premises[1].node_id
    second = world.find(0, start + 4 * DAY, AlertState.CLOSED, "SMOKING")
    assert first.node_id != second.node_id
    keep_all(world)
    before = read(world)
    change(world, first, AlertState.FALSE_ALARM)
    after = read(world)
    assert after.repeats_7_days == before.repeats_7_days - 1
    keep_all(world)
    assert read(world) == after


def test_a_month_is_kept_only_when_it_has_settled(world: World) -> None:
    while keep_months(world.session, datetime(2026, 3, 6, tzinfo=UTC)):
        pass
    assert sorted(world.session.scalars(select(KeptMonthRow.month))) == ["2026-01"]


def test_months_are_local_and_gaps_are_what_is_left() -> None:
    start, end = month_span("2026-12", CHINA)
    assert (start, end) == (datetime(2026, 11, 30, 16, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC))
    assert month_of(start, CHINA) == "2026-12" == month_of(end - timedelta(seconds=1), CHINA)
    assert month_of(end, CHINA) == "2027-01"
    assert gaps(start - DAY, end + DAY, ["2026-12"], CHINA) == [(start - DAY, start), (end, end + DAY)]
    assert gaps(start, end, ["2026-12"], CHINA) == []
    assert gaps(start, end, [], CHINA) == [(start, end)]
