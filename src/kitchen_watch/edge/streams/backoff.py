"""How long to wait before a camera is tried again: a pure decision."""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=1)
LONGEST = timedelta(seconds=60)
AFTER_WRONG_PASSWORD = timedelta(seconds=30)
GROWTH = 1.6
"""Slower than doubling: a camera that comes back after seconds is seen again within seconds."""
STABLE = timedelta(seconds=10)
"""A stream that lasted this long was fine: the next failure counts as the first one."""


def reconnect_delay(failures: int, *, jitter: float, wrong_password: bool = False) -> timedelta:
    """Time from the ``failures``-th failure in a row (from 1) to the next attempt, 1 s to 60 s.

    ``jitter`` in 0..1 (a random number) shortens the wait by up to half, so that the cameras of
    one switch do not all return in the same moment. A wrong password waits at least 30 s from the
    start, because cameras lock an account after a handful of wrong attempts.
    """
    exponent = min(max(0, failures - 1), 32)
    longest = min(LONGEST, FIRST * GROWTH**exponent)
    if wrong_password:
        longest = min(LONGEST, max(longest, 2 * AFTER_WRONG_PASSWORD))
    delay = longest * (1.0 - 0.5 * min(1.0, max(0.0, jitter)))
    return max(FIRST, delay)
