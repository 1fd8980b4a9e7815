"""When to try again: a table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kitchen_watch.backend.webhooks.retry import Again, Done, GiveUp, Outcome, after
from tests.backend.support import NOON

WAITS = (timedelta(seconds=5), timedelta(minutes=5))
FAILED = Outcome(delivered=False, status=503)


@pytest.mark.parametrize(
    ("outcome", "attempts", "follows"),
    [
        (Outcome(delivered=True, status=204), 1, Done()),
        (FAILED, 1, Again(NOON + timedelta(seconds=5))),
        (FAILED, 2, Again(NOON + timedelta(minutes=5))),
        (FAILED, 3, GiveUp()),
        (Outcome(delivered=False), 1, Again(NOON + timedelta(seconds=5))),
        (Outcome(delivered=False, status=410), 1, GiveUp()),
        (Outcome(delivered=False, final=True), 1, GiveUp()),
        (Outcome(delivered=False, retry_after=timedelta(minutes=1)), 1, Again(NOON + timedelta(minutes=1))),
        (Outcome(delivered=False, retry_after=timedelta(seconds=1)), 2, Again(NOON + timedelta(minutes=5))),
        (Outcome(delivered=False, retry_after=timedelta(days=400)), 1, Again(NOON + timedelta(hours=24))),
    ],
)
def test_what_follows_an_attempt(outcome: Outcome, attempts: int, follows: object) -> None:
    assert after(outcome, attempts=attempts, now=NOON, waits=WAITS) == follows
