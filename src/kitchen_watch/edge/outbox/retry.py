"""What to do after a delivery failed: a pure decision. Only the backend's final refusal ends an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kitchen_watch.errors import (
    BackendBusy,
    BackendUnreachable,
    DeliveryError,
    EventRefused,
    SignatureRefused,
)

FIRST = timedelta(milliseconds=500)
LONGEST = timedelta(minutes=5)
LONGEST_UNREACHABLE = timedelta(seconds=30)
"""Asking whether somebody is there costs nothing, and the first alerts after an outage are the late ones."""
LONGEST_ASKED = timedelta(hours=1)
"""A backend may ask for more patience than ours, but not for a day."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again, not before ``at``."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Never try again; a person may queue it again."""

    reason: str


Decision = RetryAt | GiveUp


def decide(error: DeliveryError, *, attempt: int, now: datetime, jitter: float) -> Decision:
    """The decision after the ``attempt``-th failure in a row (from 1).

    Exponential from half a second to five minutes; ``jitter`` (0..1, a random number) takes away up
    to half of it, so that the edges of a district do not all return in the same moment. What the
    backend asks for (``retry_after``) is never undercut. A signature that was refused while the
    backend told its time is tried again at once with that time: a wrong clock is cured by now.
    """
    if isinstance(error, EventRefused):
        return GiveUp(str(error))
    if isinstance(error, SignatureRefused) and error.server_offset is not None and attempt == 1:
        return RetryAt(now)
    longest = LONGEST_UNREACHABLE if isinstance(error, BackendUnreachable) else LONGEST
    delay = min(longest, FIRST * (1 << min(max(0, attempt - 1), 20)))
    delay *= 1.0 - 0.5 * min(1.0, max(0.0, jitter))
    if isinstance(error, BackendBusy) and error.retry_after is not None:
        delay = max(delay, min(error.retry_after, LONGEST_ASKED))
    return RetryAt(now + delay)
