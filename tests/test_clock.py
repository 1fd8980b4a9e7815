"""Simulated time: an hour passes when the test says so, and wall jumps do not move monotonic time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from kitchen_watch.clock import ManualClock, SystemClock


async def test_sleepers_wake_when_their_time_is_passed() -> None:
    clock = ManualClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(timedelta(seconds=seconds))
        woken.append(name)

    tasks = [asyncio.create_task(sleeper("late", 60)), asyncio.create_task(sleeper("early", 5))]
    await asyncio.sleep(0)
    clock.advance(timedelta(seconds=10))
    await asyncio.sleep(0)
    assert woken == ["early"]
    clock.advance(50)
    await asyncio.gather(*tasks)
    assert woken == ["early", "late"]


def test_a_wall_clock_jump_leaves_monotonic_time_alone() -> None:
    clock = ManualClock()
    clock.advance(5)
    clock.set_wall(datetime(2030, 1, 1, tzinfo=UTC))
    assert clock.monotonic() == 5
    assert clock.now().year == 2030


def test_the_system_clock_is_aware_and_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)
