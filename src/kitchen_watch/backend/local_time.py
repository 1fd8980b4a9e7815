"""The time zone in which days are cut where no single premises is meant: figures, reports, terms.

It is a setting of the whole service (``time_zone``). The database carries it, so that whatever counts
days in it does so by the same; a premises may lie in another, which then counts for its own clocks.
Nothing here assumes that a day has 24 hours or an offset stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import BigInteger, ColumnElement, Engine, case, cast, func
from sqlalchemy.engine.interfaces import ExecutionContext
from sqlalchemy.orm import Session

DEFAULT_ZONE = "Asia/Shanghai"
OPTION = "kitchen_watch_time_zone"
"""The engine's option that holds the name."""
_STEP = timedelta(days=7)
"""No zone changes its offset twice within a week."""
_EXACT = timedelta(minutes=1)


def checked_zone(name: str) -> str:
    """The name, if there is such a zone.

    Raises:
        ValueError: there is none.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write one like Asia/Shanghai") from None
    return name


def zone_in(session: Session) -> ZoneInfo:
    """The service's zone."""
    return ZoneInfo(session.get_bind().get_execution_options().get(OPTION, DEFAULT_ZONE))


def with_zone(engine: Engine, name: str) -> Engine:
    """The same engine, counting days in this zone."""
    return engine.execution_options(**{OPTION: name})


def default_zone(context: ExecutionContext) -> str:
    """For a column that holds a premises' zone where nothing else was said."""
    options: dict[str, Any] = dict(context.execution_options)
    return str(options.get(OPTION, DEFAULT_ZONE))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def offsets(zone: ZoneInfo, since_at: datetime, until_at: datetime) -> list[tuple[datetime, timedelta]]:
    """From when on which offset holds, over a span; one entry where the clocks never change."""
    found = [(since_at, _offset(zone, since_at))]
    at = since_at
    while at < until_at:
        following = min(at + _STEP, until_at)
        if _offset(zone, following) != _offset(zone, at):
            change = _change(zone, at, following)
            found.append((change, _offset(zone, change)))
        at = following
    return found


def whole_hours(zone: ZoneInfo, since_at: datetime, until_at: datetime) -> bool:
    """Whether local hours begin with those of UTC throughout the span."""
    return all(not offset % timedelta(hours=1) for _, offset in offsets(zone, since_at, until_at))


def local_day(
    session: Session, at: Any, zone: ZoneInfo, since_at: datetime, until_at: datetime
) -> ColumnElement[Any]:
    """An SQL expression that is the same for moments of one local day; moments lie within the span.

    Computed from the offsets that hold: neither the database's own zones nor a session's matter.
    """
    sqlite = session.get_bind().dialect.name == "sqlite"
    by_offset: Callable[[timedelta], ColumnElement[Any]]
    if sqlite:
        by_offset = lambda offset: func.date(at, f"{offset // _EXACT:+d} minutes")  # noqa: E731
    else:  # whole days since 1970, in whole numbers
        seconds = cast(func.extract("epoch", at), BigInteger)
        by_offset = lambda offset: (seconds + int(offset.total_seconds())) // 86_400  # noqa: E731
    spans = offsets(zone, since_at, until_at)
    last = by_offset(spans[-1][1])
    if len(spans) == 1:
        return last
    ends = [begin for begin, _ in spans[1:]]
    branches = [(at < end, by_offset(offset)) for end, (_, offset) in zip(ends, spans, strict=False)]
    return case(*branches, else_=last)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first minute with the offset of ``after``."""
    old = _offset(zone, before)
    while after - before > _EXACT:
        middle = before + (after - before) / 2
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after.replace(second=0, microsecond=0)
