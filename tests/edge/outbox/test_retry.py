"""The retry decision, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kitchen_watch.edge.outbox.retry import LONGEST, LONGEST_UNREACHABLE, GiveUp, RetryAt, decide
from kitchen_watch.errors import (
    BackendBusy,
    BackendUnreachable,
    DeliveryError,
    EventRefused,
    SignatureRefused,
)

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
UNREACHABLE = BackendUnreachable("nobody there")
BUSY = BackendBusy("later")
ASKED = BackendBusy("later", retry_after=timedelta(seconds=90))
SIGNATURE = SignatureRefused("wrong signature")
CLOCK = SignatureRefused("wrong clock", server_offset=timedelta(hours=3))


@pytest.mark.parametrize(
    ("error", "attempt", "jitter", "seconds"),
    [
        (UNREACHABLE, 1, 0.0, 0.5),
        (UNREACHABLE, 1, 1.0, 0.25),
        (UNREACHABLE, 2, 0.0, 1.0),
        (UNREACHABLE, 5, 0.0, 8.0),
        (UNREACHABLE, 5, 0.5, 6.0),
        (UNREACHABLE, 50, 0.0, 30.0),
        (BUSY, 1, 0.0, 0.5),
        (BUSY, 8, 0.0, 64.0),
        (BUSY, 11, 0.0, 300.0),
        (BUSY, 1_000_000, 1.0, 150.0),
        (ASKED, 1, 0.0, 90.0),
        (ASKED, 1, 1.0, 90.0),
        (ASKED, 11, 0.0, 300.0),
        (BackendBusy("later", retry_after=timedelta(days=3)), 1, 0.0, 3600.0),
        (CLOCK, 1, 0.0, 0.0),
        (CLOCK, 2, 0.0, 1.0),
        (CLOCK, 100, 0.0, 300.0),
        (SIGNATURE, 1, 0.0, 0.5),
        (SIGNATURE, 100, 0.0, 300.0),
        (BUSY, 0, 0.0, 0.5),
        (BUSY, 3, -7.0, 2.0),
        (BUSY, 3, 7.0, 1.0),
    ],
)
def test_when_to_try_again(error: DeliveryError, attempt: int, jitter: float, seconds: float) -> None:
    decision = decide(error, attempt=attempt, now=NOW, jitter=jitter)
    assert decision == RetryAt(NOW + timedelta(seconds=seconds))


def test_only_the_backends_refusal_is_final() -> None:
    assert decide(EventRefused("no such code"), attempt=1, now=NOW, jitter=0.5) == GiveUp("no such code")


@pytest.mark.parametrize("error", [UNREACHABLE, BUSY, SIGNATURE, CLOCK])
def test_no_other_failure_ever_ends_an_event(error: DeliveryError) -> None:
    longest = LONGEST_UNREACHABLE if error is UNREACHABLE else LONGEST
    for attempt in range(1, 10_000, 97):
        decision = decide(error, attempt=attempt, now=NOW, jitter=0.0)
        assert isinstance(decision, RetryAt)
        assert decision.at - NOW <= longest
