"""Days are cut where the service says: also west of Greenwich, at half hours, and when clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.local_time import local_day, offsets, zone_in
from kitchen_watch.backend.presence.figures import day_of
from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.backend.statistics.figures import total
from kitchen_watch.backend.statistics.months import keep_months, month_of, month_span, sums_of
from kitchen_watch.backend.statistics.questions import Question
from kitchen_watch.backend.statistics.tables import KeptMonthRow
from kitchen_watch.backend.tables import Table, UtcDateTime
from tests.backend.statistics.test_figures import World

NEW_YORK, KOLKATA, CHINA = ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Asia/Shanghai")
YEAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('zones') / 'zones.db'}"
    database = Database(url)
    Table.metadata.create_all(database.engine)
    database.close()
    return url


@pytest.fixture
def new_york(url: str) -> Iterator[World]:
    database = Database(url, time_zone="America/New_York")
    with Session(database.engine) as session:
        yield World(session, [0], [1])
    database.close()


def test_offsets_of_a_year_and_the_minute_they_change() -> None:
    assert offsets(CHINA, *YEAR) == [(YEAR[0], timedelta(hours=8))]
    assert offsets(NEW_YORK, *YEAR) == [
        (YEAR[0], timedelta(hours=-5)),
        (datetime(2026, 3, 8, 7, tzinfo=UTC), timedelta(hours=-4)),
        (datetime(2026, 11, 1, 6, tzinfo=UTC), timedelta(hours=-5)),
    ]


@pytest.mark.parametrize("zone", [NEW_YORK, KOLKATA, CHINA, ZoneInfo("Australia/Lord_Howe")], ids=str)
def test_the_databases_days_are_those_of_the_calendar(url: str, zone: ZoneInfo) -> None:
    database = Database(url)
    with database.read() as session:
        for hours in range(0, 365 * 24, 101):
            at = YEAR[0] + timedelta(hours=hours, minutes=hours % 60)
            found = session.scalar(select(local_day(session, literal(at, UtcDateTime()), zone, *YEAR)))
            assert found == at.astimezone(zone).date().isoformat()
    database.close()


def test_the_month_in_which_clocks_change_has_an_hour_less() -> None:
    since_at, until_at = month_span("2026-03", NEW_YORK)
    assert (since_at, until_at) == (datetime(2026, 3, 1, 5, tzinfo=UTC), datetime(2026, 4, 1, 4, tzinfo=UTC))
    assert until_at - since_at == timedelta(days=31) - timedelta(hours=1)
    assert month_of(until_at - timedelta(seconds=1), NEW_YORK) == "2026-03"


def test_a_new_yorkers_evening_belongs_to_its_own_day_and_month(new_york: World) -> None:
    """Found at 23:30 of March 31st there and closed 20 minutes later; in China it is noon of April 1st."""
    found_at = datetime(2026, 4, 1, 3, 30, tzinfo=UTC)
    alert = new_york.find(0, found_at, AlertState.CLOSED, "NO_HAT")
    new_york.clock(alert, hours=0.33, met=True)
    next_day = new_york.find(0, found_at, AlertState.CLOSED, "RODENT")
    new_york.clock(next_day, hours=0.75, met=True)
    now = found_at + timedelta(days=200)
    question = Question(since_at=YEAR[0], until_at=now, everything=True)
    for kept in (False, True):
        whole = total(sums_of(new_york.session, question, now).values())
        assert dict(whole.days) == {"2026-03-31": 2}, kept
        assert dict(whole.hours) == {"1/23": 2}, "a Tuesday"
        assert whole.figures.closed_same_day == 1
        while keep_months(new_york.session, now):
            pass
    assert new_york.session.scalars(select(KeptMonthRow.month)).first() == "2026-03"
    assert day_of(found_at, zone_in(new_york.session)) == "2026-03-31"
    assert new_york.premises[0].time_zone == "America/New_York", "where nothing else was said"


def test_half_an_hour_before_midnight_in_kolkata_is_not_the_next_day(url: str) -> None:
    database = Database(url, time_zone="Asia/Kolkata")
    with Session(database.engine) as session:
        world = World(session, [0], [1])
        world.find(0, datetime(2026, 3, 2, 18, 10, tzinfo=UTC), AlertState.VERIFIED, "NO_HAT")  # 23:40
        world.find(0, datetime(2026, 3, 2, 18, 40, tzinfo=UTC), AlertState.VERIFIED, "NO_HAT")  # 00:10
        question = Question(since_at=YEAR[0], until_at=YEAR[1], everything=True)
        whole = total(sums_of(session, question, YEAR[1]).values())
        assert dict(whole.days) == {"2026-03-02": 1, "2026-03-03": 1}
        assert dict(whole.hours) == {"0/23": 1, "1/0": 1}
    database.close()


def test_months_that_were_cut_in_another_zone_are_not_read_and_made_anew(new_york: World) -> None:
    new_york.find(0, datetime(2026, 4, 1, 3, 30, tzinfo=UTC), AlertState.VERIFIED, "NO_HAT")
    new_york.session.add(KeptMonthRow(month="2026-03", feed_id=0, time_zone="Asia/Shanghai"))
    new_york.session.flush()
    question = Question(since_at=YEAR[0], until_at=YEAR[1], everything=True)
    assert total(sums_of(new_york.session, question, YEAR[1]).values()).figures.found == 1
    assert keep_months(new_york.session, YEAR[1])
    assert set(new_york.session.scalars(select(KeptMonthRow.time_zone))) == {"America/New_York"}


def test_one_setting_moves_every_room_but_those_that_name_their_own(tmp_path: Path) -> None:
    settings = BackendSettings(data_dir=tmp_path, time_zone="Europe/Berlin", tasks={"time_zone": "UTC"})
    rooms = ("retention", "complaints", "tasks", "reports")
    zones = {name: getattr(settings, name).time_zone for name in rooms}
    assert zones == {
        "retention": "Europe/Berlin", "complaints": "Europe/Berlin",
        "tasks": "UTC", "reports": "Europe/Berlin",
    }  # fmt: skip
    assert BackendSettings(data_dir=tmp_path).reports.time_zone == "Asia/Shanghai"
    assert settings.zone.utcoffset(datetime(2026, 7, 1, tzinfo=UTC)) == timedelta(hours=2)
    with pytest.raises(ValidationError, match="no time zone"):
        BackendSettings(data_dir=tmp_path, time_zone="Mars/Phobos")
