"""What the benchmark of a city's day rests on: hurried time, a comparison that finds mistakes, sums."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from benchmarks.city_day.hurry import HurriedClock, HurriedLoop
from benchmarks.machine import command
from docs.scaling_sums import BackendCost, assumptions, backend_sizing, money, rough

from tests.support import need

need("psycopg", why="the driver of PostgreSQL; the extra [postgres] brings it")

from benchmarks.city_day.truth import Span, Truth, _due, _match, _moments  # noqa: E402

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DUE = NOON + 30 * MINUTE
SPAN = Span(NOON, NOON + timedelta(hours=3), grace=MINUTE, excuse=MINUTE, last_feed=0)


def test_an_hour_of_a_hurried_loop_passes_at_once() -> None:
    async def an_hour() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    with asyncio.Runner(loop_factory=lambda: HurriedLoop(72_000)) as runner:
        before = runner.get_loop().time()
        assert runner.run(an_hour()) - before >= 3600
    assert time.monotonic() - began < 5


def test_the_day_begins_for_every_process_when_one_says_so(tmp_path: Path) -> None:
    one, other = (HurriedClock(NOON, 3600, tmp_path / "clock") for _ in range(2))
    assert one.now() == other.now() == NOON
    one.begin()
    time.sleep(0.01)
    assert other.now() > NOON + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("minutes", "wrong"),
    [
        ([15, 24], 0),
        ([15.5, 26], 0),
        ([15, 15.2, 24], 1),
        ([15], 1),
        ([], 2),
        ([10, 15, 24], 1),
    ],
    ids=["in time", "late", "one twice", "the second missing", "both missing", "one before its time"],
)
def test_reminders_that_are_doubled_or_missing_are_found(minutes: list[float], wrong: int) -> None:
    truth = Truth()
    moments = [*_moments(2, NOON, DUE)["reminder"], DUE]
    notices = [(NOON + one * MINUTE, 0) for one in minutes]
    _match(truth, Counter(), (1, "reminder"), moments, notices, SPAN.until, SPAN)
    assert len(truth.wrong) == wrong, truth.wrong


def test_supervision_that_is_missing_is_found_and_that_of_tomorrow_is_not_asked_for() -> None:
    for notices, wrong in (([(DUE, 1)], 0), ([], 1), ([(DUE, 1), (DUE, 1)], 1), ([(DUE, 2)], 2)):
        truth = Truth()
        moments = [*_moments(2, NOON, DUE)["supervision"], DUE]
        _match(truth, Counter(), (1, "supervision"), moments, notices, SPAN.until, SPAN)
        assert len(truth.wrong) == wrong, truth.wrong


def test_a_deadline_of_the_same_day_ends_with_it() -> None:
    late = datetime(2026, 3, 2, 15, 50, tzinfo=UTC)  # ten minutes to midnight in Shanghai
    assert _due(2, "verify", NOON) == NOON + 30 * MINUTE
    assert _due(2, "verify", late) == datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC)
    assert _due(3, "verify", late) == late + timedelta(hours=24)


def test_servers_and_money_follow_from_what_was_measured() -> None:
    assumed = assumptions()
    cost = BackendCost(
        idle_cores=0.1, ms_per_camera_day=86_400, ms_per_alert=500, ms_per_mb=10, bytes_per_alert=5e4
    )
    few, many = (backend_sizing(cost, cameras, assumed) for cameras in (100, 30_000))
    assert few["backend_cores_mean"] == pytest.approx(0.1 + 0.1 + 100 * 3 * 0.583 / 86_400)
    assert (few["servers"], many["servers"]) == (1, 2), "thirty cores for heartbeats, on two of 32"
    assert many["database_gb_a_year"] == pytest.approx(30_000 * 3 * 365 * 5e4 / 1e9)
    edge = {"boxes": 10, "backend_storage_tb": 1.0, "evidence_mbit_peak": 2.0, "live_mbit": 1.0}
    parts = money(edge, few, assumed)
    assert parts["edge boxes"] == 10 * assumed["prices"]["edge_box"] / assumed["prices"]["years_of_use"]
    assert parts["network"] == 3 * 12 * assumed["prices"]["uplink_mbit_month"]


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (0.01234, "0.012"), (1.26, "1.3"), (12.6, "13"), (12_345, "12,000")]
)
def test_nothing_is_said_more_precisely_than_it_is_known(value: float, said: str) -> None:
    assert rough(value) == said


def test_a_result_tells_how_to_measure_again_and_no_folder() -> None:
    said = command(
        "benchmarks.city",
        ["--short", "--output", "/somewhere/a.json", "--minutes", "1", "--data-dir=/somewhere"],
    )
    assert said == "python -m benchmarks.city --short --minutes 1"
