"""The board of deadlines: what is waited for, the most urgent first, and how much of it is overdue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts import views
from kitchen_watch.backend.alerts.schemas import AlertSummary
from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.evidence.links import MediaLinks
from kitchen_watch.backend.organisations.service import subtree_ids

LINES = 60
"""So many lines of each group are shown; the figures count all."""


@dataclass(frozen=True, slots=True)
class BoardFilters:
    """What to show; an empty filter shows everything in scope."""

    tiers: tuple[int, ...] = ()
    node_id: int | None = None


@dataclass(frozen=True, slots=True)
class BoardGroup:
    """Alerts whose nearest deadline lies in one span of time. ``key``: overdue, today or later."""

    key: str
    count: int
    alerts: Sequence[AlertSummary]


def end_of_day(now: datetime, time_zone: str) -> datetime:
    """The local midnight that ends the day of ``now`` (aware)."""
    local = now.astimezone(ZoneInfo(time_zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def board(
    session: Session,
    person: Person,
    *,
    links: MediaLinks,
    now: datetime,
    time_zone: str,
    filters: BoardFilters,
) -> list[BoardGroup]:
    """Overdue, due today and due later, each the most urgent first; "today" ends in ``time_zone``."""
    midnight = end_of_day(now, time_zone)
    spans = {
        "overdue": AlertRow.due_at < now,
        "today": (AlertRow.due_at >= now) & (AlertRow.due_at < midnight),
        "later": AlertRow.due_at >= midnight,
    }
    wanted = _conditions(person, filters)
    span = case(*((condition, key) for key, condition in spans.items()))
    counts: dict[str, int] = dict(
        session.execute(select(span, func.count()).where(*wanted).group_by(span)).all()
    )
    groups = []
    for key, condition in spans.items():
        rows = list(
            session.scalars(
                select(AlertRow)
                .where(*wanted, condition)
                .order_by(AlertRow.due_at, AlertRow.tier, AlertRow.id)
                .limit(LINES)
            )
        )
        shown = views.summaries(session, person, rows, links=links)
        groups.append(BoardGroup(key, counts.get(key, 0), shown))
    return groups


def waiting_for_premises(session: Session, person: Person, *, links: MediaLinks) -> list[AlertSummary]:
    """What a restaurant has to do now: alerts that lie with it, the most urgent first."""
    mine = (
        AlertState.ASSIGNED,
        AlertState.ACCEPTED,
        AlertState.RECTIFYING,
        AlertState.RETURNED,
        AlertState.APPEAL_REJECTED,
    )
    rows = session.scalars(
        select(AlertRow)
        .where(person.scope.owned(AlertRow.premises_id), AlertRow.state.in_(mine))
        .order_by(AlertRow.due_at.is_(None), AlertRow.due_at, AlertRow.tier, AlertRow.id)
        .limit(LINES)
    )
    return views.summaries(session, person, list(rows), links=links)


def _conditions(person: Person, filters: BoardFilters) -> list[ColumnElement[bool]]:
    wanted = [
        person.scope.owned(AlertRow.premises_id),
        AlertRow.due_at.is_not(None),
        AlertRow.state.not_in(FINISHED),
    ]
    if filters.tiers:
        wanted.append(AlertRow.tier.in_(filters.tiers))
    if filters.node_id is not None:
        wanted.append(AlertRow.node_id.in_(subtree_ids(filters.node_id)))
    return wanted
