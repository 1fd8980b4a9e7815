"""Waiting for threads in tests: real time for them to run, simulated time for the logic."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from kitchen_watch.clock import ManualClock


async def until(happened: Callable[[], bool], *, within: float = 10.0, what: str = "") -> None:
    """Return as soon as ``happened()``; fail after ``within`` real seconds."""
    deadline = time.monotonic() + within
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {within:g} s: {what or happened}")
        await asyncio.sleep(0.002)


async def let_pass(clock: ManualClock, seconds: float, *, step: float = 0.5) -> None:
    """Let simulated time pass in steps, with the tasks and threads running in between."""
    left = seconds
    while left > 1e-9:
        clock.advance(min(step, left))
        left -= step
        for _ in range(5):
            await asyncio.sleep(0.001)
