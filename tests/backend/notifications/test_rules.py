"""Who is told of what, and when: tables."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from kitchen_watch.backend.alerts.lifecycle import Step
from kitchen_watch.backend.deadlines.clocks import MomentKind
from kitchen_watch.backend.notifications.rules import (
    Occasion,
    Side,
    of_notice,
    of_opening,
    of_step,
    send_at,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
P, T = Side.PREMISES, Side.TERRITORY


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(
    ("tier", "occasion", "sides"),
    [(1, Occasion.SUSPECTED, {P, T}), (2, Occasion.FOUND, {T}), (3, None, set())],
)
def test_a_new_alert(tier: int, occasion: Occasion | None, sides: set[Side]) -> None:
    telling = of_opening(tier)
    assert (telling.occasion if telling else None) is occasion
    assert (set(telling.sides) if telling else set()) == sides


@pytest.mark.parametrize(
    ("step", "tier", "sides"),
    [
        (Step.VERIFY, 2, None),
        (Step.ASSIGN, 2, {P, T}),
        (Step.SUBMIT, 2, {T}),
        (Step.RETURN, 2, {P}),
        (Step.CLOSE, 2, {P}),
        (Step.APPEAL, 2, {T}),
        (Step.REJECT, 1, {P}),
        (Step.REJECT, 2, None),  # it never heard of it
    ],
)
def test_a_step(step: Step, tier: int, sides: set[Side] | None) -> None:
    telling = of_step(step, tier)
    assert (set(telling.sides) if telling else None) == sides


def test_a_reminder_goes_to_who_is_waited_for_and_supervision_also_upwards() -> None:
    assert of_notice(MomentKind.REMINDER, premises_side=True).sides == {P}
    assert not of_notice(MomentKind.REMINDER, premises_side=True).superiors
    supervision = of_notice(MomentKind.SUPERVISION, premises_side=True)
    assert supervision.sides == {P, T}
    assert supervision.superiors


@pytest.mark.parametrize(
    ("now", "tier", "quiet", "sent"),
    [
        (at(2, 12), 2, ("22:00", "07:00"), at(2, 12)),
        (at(2, 21, 59), 2, ("22:00", "07:00"), at(2, 21, 59)),
        (at(2, 22), 2, ("22:00", "07:00"), at(3, 7)),
        (at(3, 2), 2, ("22:00", "07:00"), at(3, 7)),
        (at(3, 6, 59), 3, ("22:00", "07:00"), at(3, 7)),
        (at(3, 7), 2, ("22:00", "07:00"), at(3, 7)),
        (at(3, 2), 1, ("22:00", "07:00"), at(3, 2)),  # tier 1 never waits
        (at(2, 13), 2, ("12:00", "14:00"), at(2, 14)),
        (at(2, 15), 2, ("12:00", "14:00"), at(2, 15)),
        (at(2, 3), 2, ("00:00", "00:00"), at(2, 3)),
    ],
)
def test_quiet_hours(now: datetime, tier: int, quiet: tuple[str, str], sent: datetime) -> None:
    start, end = (time.fromisoformat(one) for one in quiet)
    assert send_at(now, tier, quiet_from=start, quiet_to=end, zone=SHANGHAI) == sent
