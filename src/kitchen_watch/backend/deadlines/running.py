"""Start and settle the clocks of an alert, within the transaction of the step that does so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.deadlines.clocks import ClockStep, Deadline, moments
from kitchen_watch.backend.deadlines.policy import DeadlinePolicy
from kitchen_watch.backend.deadlines.tables import DeadlineRow
from kitchen_watch.backend.local_time import DEFAULT_ZONE
from kitchen_watch.backend.writing import write_rows


@dataclass(frozen=True, slots=True)
class Started:
    """A deadline of an alert that begins to run."""

    alert: AlertRow
    deadline: Deadline


def zone_of(name: str) -> ZoneInfo:
    """The time zone of a premises; the country's where its record names one that does not exist."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(DEFAULT_ZONE)


def start(session: Session, policy: DeadlinePolicy, begun: Sequence[Started]) -> None:
    """Let these deadlines run. The alerts must have their ids."""
    write_rows(session, DeadlineRow, [_values(policy, one) for one in begun])
    for one in begun:
        due_at = one.deadline.due_at
        if one.alert.due_at is None or due_at < one.alert.due_at:
            one.alert.due_at = due_at


def settle(
    session: Session, alert: AlertRow, steps: Iterable[ClockStep], *, now: datetime, fell_away: bool = False
) -> None:
    """Stop the running clocks of these steps: met or missed at ``now``, or no longer asked for."""
    session.flush()
    rows = session.scalars(
        select(DeadlineRow).where(
            DeadlineRow.alert_id == alert.id,
            DeadlineRow.settled_at.is_(None),
            DeadlineRow.step.in_(set(steps)),
        )
    )
    for row in rows:
        row.settled_at, row.next_at = now, None
        row.met = None if fell_away else now <= row.due_at
    session.flush()
    alert.due_at = session.scalar(
        select(func.min(DeadlineRow.due_at)).where(
            DeadlineRow.alert_id == alert.id, DeadlineRow.settled_at.is_(None)
        )
    )


def _values(policy: DeadlinePolicy, one: Started) -> dict[str, Any]:
    return {
        "alert_id": one.alert.id,
        "step": one.deadline.step,
        "started_at": one.deadline.started_at,
        "due_at": one.deadline.due_at,
        "next_at": next(iter(moments(policy, one.alert.tier, one.deadline))).at,
        "heard": 0,
    }
