"""Opening hours: is a kitchen open at this moment, by its own local time?"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator, model_validator

from kitchen_watch.config import Settings

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_DAY = 24 * 60


class OpeningHours(Settings):
    """Open spans per weekday, as ``"08:00-14:00"`` in local time; none on a day means closed.

    A span whose end is not after its start runs past midnight and belongs to the day on which it
    starts. ``every_day`` serves weekdays that are not given. The words ``open`` and ``closed``
    instead of a mapping mean always. Moments are compared by the local wall clock, so that a
    kitchen opens at 08:00 on its wall also when daylight saving begins or ends.
    """

    time_zone: str = "Asia/Shanghai"
    every_day: tuple[str, ...] = ()
    monday: tuple[str, ...] | None = None
    tuesday: tuple[str, ...] | None = None
    wednesday: tuple[str, ...] | None = None
    thursday: tuple[str, ...] | None = None
    friday: tuple[str, ...] | None = None
    saturday: tuple[str, ...] | None = None
    sunday: tuple[str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _always(cls, value: Any) -> Any:
        if value == "open":
            return {"every_day": ["00:00-24:00"]}
        if value == "closed":
            return {"every_day": []}
        if isinstance(value, str):
            raise ValueError(f"{value!r} is neither 'open', 'closed' nor a mapping of weekdays to spans")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name!r} is not a time zone; write one like Asia/Shanghai") from None
        return name

    @field_validator("every_day", *WEEKDAYS)
    @classmethod
    def _spans(cls, spans: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for span in spans or ():
            minutes(span)
        return spans

    @classmethod
    def always_open(cls) -> Self:
        """Never closed: the default where nobody told the hours, since it accuses nobody."""
        return cls(every_day=("00:00-24:00",))

    @classmethod
    def always_closed(cls) -> Self:
        """Never open."""
        return cls(every_day=())

    def is_open(self, at: datetime) -> bool:
        """Whether the kitchen is open at the aware moment ``at``."""
        local = at.astimezone(UTC).astimezone(ZoneInfo(self.time_zone))
        minute = local.hour * 60 + local.minute
        today = self._day(local.weekday())
        yesterday = self._day((local.weekday() - 1) % 7)
        return any(start <= minute < end for start, end in today) or any(
            minute < end - _DAY for _, end in yesterday
        )

    def _day(self, weekday: int) -> list[tuple[int, int]]:
        own: tuple[str, ...] | None = getattr(self, WEEKDAYS[weekday])
        return [minutes(span) for span in (self.every_day if own is None else own)]


def minutes(span: str) -> tuple[int, int]:
    """Start and end of ``"HH:MM-HH:MM"`` in minutes from midnight; the end may lie past 24:00.

    Raises:
        ValueError: not such a span.
    """
    match = _SPAN.fullmatch(span.strip())
    if match is None:
        raise ValueError(f"{span!r} is not a span of time; write one like '08:00-22:00'")
    start_hour, start_minute, end_hour, end_minute = (int(part) for part in match.groups())
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if start_minute > 59 or end_minute > 59 or start >= _DAY or end > _DAY:
        raise ValueError(f"{span!r} names no time of day; hours run from 00:00 to 24:00")
    if start == end:
        raise ValueError(f"{span!r} is empty; for the whole day write '00:00-24:00'")
    return start, end if end > start else end + _DAY
