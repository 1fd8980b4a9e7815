"""What to do after an attempt to deliver: a pure decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

GONE = 410
LONGEST_WISH = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. ``status`` is the HTTP status where there was one."""

    delivered: bool
    status: int | None = None
    problem: str = ""
    retry_after: timedelta | None = None
    final: bool = False
    """No further attempt can succeed."""


@dataclass(frozen=True, slots=True)
class Done:
    """It was delivered."""


@dataclass(frozen=True, slots=True)
class Again:
    """Try again, not before ``at``."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A dead letter: somebody must look at it."""


def after(
    outcome: Outcome, *, attempts: int, now: datetime, waits: Sequence[timedelta]
) -> Done | Again | GiveUp:
    """What follows the attempt with the number ``attempts`` (from 1).

    A receiver may ask for a longer pause than ours, up to a day, never for a shorter one. One that
    answers 410 Gone wants nothing more.
    """
    if outcome.delivered:
        return Done()
    if outcome.final or outcome.status == GONE or attempts > len(waits):
        return GiveUp()
    wish = min(outcome.retry_after or timedelta(0), LONGEST_WISH)
    return Again(now + max(waits[attempts - 1], wish))
