"""What people read about alerts: pages of the feed, one alert in full, and figures."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts import views
from kitchen_watch.backend.alerts.schemas import AlertCounts, AlertDetail, AlertPage, AlertSummary
from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.evidence.links import MediaLinks
from kitchen_watch.backend.evidence.store import EvidenceStore
from kitchen_watch.backend.organisations.service import subtree_ids
from kitchen_watch.errors import InvalidRequest, NotFound

MAX_PAGE = 200
DEFAULT_PAGE = 50


@dataclass(frozen=True, slots=True)
class AlertFilters:
    """What to show; an empty filter shows everything in scope."""

    tiers: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    states: tuple[AlertState, ...] = ()
    premises_id: int | None = None
    camera_id: str | None = None
    node_id: int | None = None
    ongoing: bool | None = None
    found_from: datetime | None = None
    found_to: datetime | None = None


def alert_page(
    session: Session,
    person: Person,
    *,
    links: MediaLinks,
    filters: AlertFilters | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_PAGE,
) -> AlertPage:
    """One page, newest first.

    Raises:
        InvalidRequest: the cursor is not one of ours.
    """
    limit = max(1, min(limit, MAX_PAGE))
    query = select(AlertRow).where(person.scope.owned(AlertRow.premises_id), *_conditions(filters))
    if cursor is not None:
        query = query.where(AlertRow.id < _read_cursor(cursor))
    rows = list(session.scalars(query.order_by(AlertRow.id.desc()).limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    return AlertPage(
        items=views.summaries(session, person, rows, links=links),
        next_cursor=_write_cursor(rows[-1].id) if more else None,
    )


def alert_summary(session: Session, person: Person, alert_id: int, *, links: MediaLinks) -> AlertSummary:
    """One line of the feed.

    Raises:
        NotFound: there is no such alert in the person's scope.
    """
    row = visible_alert(session, person, alert_id)
    return views.summaries(session, person, [row], links=links)[0]


def alert_detail(
    session: Session, person: Person, alert_id: int, *, links: MediaLinks, store: EvidenceStore
) -> AlertDetail:
    """Everything about one alert.

    Raises:
        NotFound: there is no such alert in the person's scope.
    """
    row = visible_alert(session, person, alert_id)
    return views.detail(session, person, row, links=links, store=store)


def visible_alert(session: Session, person: Person, alert_id: int) -> AlertRow:
    """The alert, if this person may see it.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(AlertRow).where(AlertRow.id == alert_id, person.scope.owned(AlertRow.premises_id))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no alert {alert_id} that you may see.")
    return row


def alert_counts(session: Session, person: Person, *, now: datetime, time_zone: str) -> AlertCounts:
    """Figures for the head of a page; "today" begins at midnight of ``time_zone``.

    Raises:
        InvalidRequest: there is no such time zone.
    """
    if time_zone not in _time_zones():
        raise InvalidRequest("There is no time zone of this name. Give one such as Asia/Shanghai.")
    mine = person.scope.owned(AlertRow.premises_id)
    by_tier = session.execute(
        select(AlertRow.tier, func.count())
        .where(mine, AlertRow.ended_at.is_(None), AlertRow.state.not_in(FINISHED))
        .group_by(AlertRow.tier)
    ).all()
    midnight = now.astimezone(ZoneInfo(time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    today = session.scalar(select(func.count()).where(mine, AlertRow.found_at >= midnight))
    counts = dict.fromkeys((1, 2, 3), 0) | dict(by_tier)
    return AlertCounts(open_by_tier=counts, found_today=today or 0)


@cache
def _time_zones() -> frozenset[str]:
    # Asking for them one by one opens files: a folder's name, or one too long, is an error of the system.
    return frozenset(available_timezones())


def _conditions(filters: AlertFilters | None) -> list[ColumnElement[bool]]:
    if filters is None:
        return []
    wanted: list[ColumnElement[bool]] = []
    for column, values in (
        (AlertRow.tier, filters.tiers),
        (AlertRow.code, filters.codes),
        (AlertRow.state, filters.states),
    ):
        if values:
            wanted.append(column.in_(values))
    if filters.premises_id is not None:
        wanted.append(AlertRow.premises_id == filters.premises_id)
    if filters.camera_id is not None:
        wanted.append(AlertRow.camera_id == filters.camera_id)
    if filters.node_id is not None:
        wanted.append(AlertRow.node_id.in_(subtree_ids(filters.node_id)))
    if filters.ongoing is not None:
        wanted.append(AlertRow.ended_at.is_(None) if filters.ongoing else AlertRow.ended_at.is_not(None))
    if filters.found_from is not None:
        wanted.append(AlertRow.found_at >= filters.found_from)
    if filters.found_to is not None:
        wanted.append(AlertRow.found_at < filters.found_to)
    return wanted


def _write_cursor(alert_id: int) -> str:
    return base64.urlsafe_b64encode(f"a{alert_id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        if not text.startswith("a"):
            raise ValueError
        alert_id = int(text[1:])
        if not 0 <= alert_id <= MAX_ID:
            raise ValueError
        return alert_id
    except (ValueError, binascii.Error):
        raise InvalidRequest("The cursor is not one that this service gave. Begin without one.") from None
