"""When a step is due, and when to remind and supervise: pure rules of time.

Every clock begins when its step begins, by the server's time; the first with the arrival of the
event. So nothing is born overdue: an event that was under way for hours is found when it is
received, and a step that begins after its day is over counts from its own day. Days are those of
the premises' time zone; sums of durations are made in UTC, so that an hour is an hour when clocks
change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from kitchen_watch.backend.deadlines.policy import DeadlinePolicy

LAST_SECOND = time(23, 59, 59)


class ClockStep(StrEnum):
    """What must be done by a deadline."""

    VERIFY = "verify"
    ACCEPT = "accept"
    CONTAIN = "contain"
    """Say what was done to stop it for the night; only for what is found late in the day."""
    FIX = "fix"
    """Closed: rectified and reviewed."""


class MomentKind(StrEnum):
    """What a moment of a deadline brings."""

    REMINDER = "reminder"
    SUPERVISION = "supervision"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A step that began and by when it must be done (aware UTC)."""

    step: ClockStep
    started_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """When a deadline makes itself heard. ``level`` counts supervision from 1; 0 for a reminder."""

    at: datetime
    kind: MomentKind
    level: int


def verify_deadline(
    policy: DeadlinePolicy, tier: int, *, found_at: datetime, zone: ZoneInfo
) -> Deadline | None:
    """By when what was found at ``found_at`` must be verified or refused."""
    return _by_clock(policy, tier, ClockStep.VERIFY, found_at, zone, policy.clocks(tier).verify)


def accept_deadline(
    policy: DeadlinePolicy, tier: int, *, assigned_at: datetime, zone: ZoneInfo
) -> Deadline | None:
    """By when the premises must accept what was assigned to it."""
    return _by_clock(policy, tier, ClockStep.ACCEPT, assigned_at, zone, policy.clocks(tier).accept)


def fix_deadlines(
    policy: DeadlinePolicy, tier: int, *, found_at: datetime, started_at: datetime, zone: ZoneInfo
) -> tuple[Deadline, ...]:
    """By when it must be closed, and contained where it was found late in the day.

    ``started_at`` is when it was verified (or reopened). The day that counts is the one it was
    found on, unless that day's deadline has already passed when the step begins.
    """
    clocks = policy.clocks(tier)
    if not clocks.same_day:
        assert clocks.fix is not None  # a policy without both is refused
        return (Deadline(ClockStep.FIX, started_at, started_at + clocks.fix),)
    for day_of in (found_at, started_at):
        local = day_of.astimezone(zone)
        midnight = _at(local.date(), LAST_SECOND, zone)
        if local.time() >= policy.late_from:
            closed_by = _at(local.date() + timedelta(days=1), policy.late_closed_by, zone)
            if closed_by > started_at:
                fix = Deadline(ClockStep.FIX, started_at, closed_by)
                contain = Deadline(ClockStep.CONTAIN, started_at, midnight)
                return (contain, fix) if midnight > started_at else (fix,)
        elif midnight > started_at:
            due_at = midnight if clocks.fix is None else min(started_at + clocks.fix, midnight)
            return (Deadline(ClockStep.FIX, started_at, due_at),)
    raise AssertionError("a day that has begun has an end")


def moments(policy: DeadlinePolicy, tier: int, deadline: Deadline) -> Iterator[Moment]:
    """Everything a deadline brings while it is not met, in order of time.

    Reminders after shares of its clock, supervision at the deadline and one level up per further
    ``level_up_every``.
    """
    if policy.clocks(tier).reminded:
        whole = deadline.due_at - deadline.started_at
        for share in policy.remind_at:
            yield Moment(deadline.started_at + whole * share, MomentKind.REMINDER, 0)
    for level in range(1, policy.highest_level + 1):
        at = deadline.due_at + policy.level_up_every * (level - 1)
        yield Moment(at, MomentKind.SUPERVISION, level)


def due_moments(
    policy: DeadlinePolicy, tier: int, deadline: Deadline, *, heard: int, now: datetime
) -> tuple[tuple[Moment, ...], int, datetime | None]:
    """What to say now, how many moments are then behind us, and when to look again.

    ``heard`` moments are behind us already. After a standstill of the service the newest reminder
    stands for those before it, and none is sent any more once the deadline has passed; every level
    of supervision is issued, because each has another addressee.
    """
    everything = tuple(moments(policy, tier, deadline))
    due = tuple(moment for moment in everything[heard:] if moment.at <= now)
    behind = heard + len(due)
    supervision = tuple(moment for moment in due if moment.kind is MomentKind.SUPERVISION)
    said = supervision or due[-1:]
    return said, behind, everything[behind].at if behind < len(everything) else None


def _by_clock(
    policy: DeadlinePolicy,
    tier: int,
    step: ClockStep,
    started_at: datetime,
    zone: ZoneInfo,
    clock: timedelta | None,
) -> Deadline | None:
    if clock is None:
        return None
    due_at = started_at + clock
    if policy.clocks(tier).same_day:
        midnight = _at(started_at.astimezone(zone).date(), LAST_SECOND, zone)
        if midnight > started_at:
            due_at = min(due_at, midnight)
    return Deadline(step, started_at, due_at)


def _at(day: date, local: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, local, zone).astimezone(UTC)
