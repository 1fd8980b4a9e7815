"""Who is told of what, and when: pure rules.

Tier 1 goes to both owners at once, as a suspicion until somebody has verified it. Everything else
goes to the side that must act next, or whose case was decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from kitchen_watch.backend.alerts.lifecycle import Step
from kitchen_watch.backend.deadlines.clocks import MomentKind


class Occasion(StrEnum):
    """Why somebody is told."""

    SUSPECTED = "suspected"
    FOUND = "found"
    ASSIGNED = "assigned"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    CLOSED = "closed"
    APPEALED = "appealed"
    APPEAL_DECIDED = "appeal_decided"
    FALSE_ALARM = "false_alarm"
    REOPENED = "reopened"
    TRANSFERRED = "transferred"
    REMINDER = "reminder"
    SUPERVISION = "supervision"
    LETTER = "letter"
    COMPLAINT = "complaint"
    COMPLAINT_DUE = "complaint_due"
    TASK_DUE = "task_due"
    DISK_SHORT = "disk_short"
    FILE_STUCK = "file_stuck"
    SELF_CHECK = "self_check"
    REPORT_UNCONFIRMED = "report_unconfirmed"


class Subject(StrEnum):
    """What a notification is about."""

    ALERT = "alert"
    LETTER = "letter"
    COMPLAINT = "complaint"
    TASK = "task"
    SELF_CHECK = "self_check"
    """Of a premises; there is no check yet."""
    REPORT = "report"
    SERVICE = "service"
    """The service itself: its disk."""


class Side(StrEnum):
    """Which of an alert's two owners."""

    PREMISES = "premises"
    TERRITORY = "territory"


@dataclass(frozen=True, slots=True)
class Telling:
    """An occasion and whom to tell. ``superiors``: the officers one level up, too."""

    occasion: Occasion
    sides: frozenset[Side]
    superiors: bool = False


_BOTH = frozenset(Side)
_PREMISES = frozenset({Side.PREMISES})
_TERRITORY = frozenset({Side.TERRITORY})

_STEPS: Mapping[Step, Telling] = MappingProxyType(
    {
        Step.ASSIGN: Telling(Occasion.ASSIGNED, _BOTH),
        Step.SUBMIT: Telling(Occasion.SUBMITTED, _TERRITORY),
        Step.RETURN: Telling(Occasion.RETURNED, _PREMISES),
        Step.CLOSE: Telling(Occasion.CLOSED, _PREMISES),
        # another officer than those who verified or assigned it must decide
        Step.APPEAL: Telling(Occasion.APPEALED, _TERRITORY, superiors=True),
        Step.UPHOLD_APPEAL: Telling(Occasion.APPEAL_DECIDED, _PREMISES),
        Step.REJECT_APPEAL: Telling(Occasion.APPEAL_DECIDED, _PREMISES),
        Step.REOPEN: Telling(Occasion.REOPENED, _BOTH),
        Step.TRANSFER: Telling(Occasion.TRANSFERRED, _PREMISES),
    }
)


def of_opening(tier: int) -> Telling | None:
    """What is told of a new alert; tier 3 waits for the daily report."""
    if tier == 1:
        return Telling(Occasion.SUSPECTED, _BOTH)
    return Telling(Occasion.FOUND, _TERRITORY) if tier == 2 else None


def of_step(step: Step, tier: int) -> Telling | None:
    """What is told of a step; a restaurant hears of a false alarm only if it heard of the suspicion."""
    if step is Step.REJECT:
        return Telling(Occasion.FALSE_ALARM, _PREMISES) if tier == 1 else None
    return _STEPS.get(step)


def of_notice(kind: MomentKind, *, premises_side: bool) -> Telling:
    """What is told of a reminder or supervision: to the side that is waited for; supervision also upwards."""
    side = _PREMISES if premises_side else _TERRITORY
    if kind is MomentKind.REMINDER:
        return Telling(Occasion.REMINDER, side)
    return Telling(Occasion.SUPERVISION, side | _TERRITORY, superiors=True)


def of_letter(*, premises_side: bool) -> Telling:
    """What is told of a letter that somebody wrote: to its addressee."""
    return Telling(Occasion.LETTER, _PREMISES if premises_side else _TERRITORY)


def send_at(now: datetime, tier: int, *, quiet_from: time, quiet_to: time, zone: ZoneInfo) -> datetime:
    """When an e-mail or chat goes out: at once, or at the end of the quiet hours it falls into.

    Tier 1 never waits. Equal ends mean that there are no quiet hours.
    """
    if tier == 1 or quiet_from == quiet_to:
        return now
    local = now.astimezone(zone)
    clock = local.time()
    overnight = quiet_from > quiet_to
    quiet = clock >= quiet_from or clock < quiet_to if overnight else quiet_from <= clock < quiet_to
    if not quiet:
        return now
    day = local.date() + timedelta(days=1) if overnight and clock >= quiet_from else local.date()
    return datetime.combine(day, quiet_to, zone).astimezone(UTC)
