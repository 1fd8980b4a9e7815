"""Instants and durations as people read them: local to the premises, human distances.

All functions are pure; ``now`` is handed in. Languages differ in order and words, never in meaning.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton, format_timedelta

from kitchen_watch.backend.pages.languages import Language

SMALLEST_CLOCK_DIFFERENCE = timedelta(seconds=2)
"""Network delay alone explains less; from here on both clocks are shown."""

LARGEST_CLOCK_DIFFERENCE = timedelta(days=36_525)
"""A hundred years; a larger difference is told as this one."""

JUST_NOW_S = 5
UNITS_S = (31_536_000, 2_592_000, 604_800, 86_400, 3_600, 60, 1)
"""Year, month, week, day, hour, minute, second, as Babel counts them."""


def seen_from(at: datetime, zone: ZoneInfo) -> datetime:
    """The instant in ``zone``; at the ends of the calendar, which some zones do not have, in UTC."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at.astimezone(UTC)


def local(at: datetime, zone: ZoneInfo, language: Language, *, now: datetime, seconds: bool = True) -> str:
    """Date and time of day in ``zone``; the date is left out for today, the year for this year."""
    there, today = seen_from(at, zone), now.astimezone(zone)
    clock = there.strftime("%H:%M:%S" if seconds else "%H:%M")
    if there.date() == today.date():
        return clock
    skeleton = "MMMd" if there.year == today.year else "yMMMd"
    return f"{format_skeleton(skeleton, there, locale=language.locale)} {clock}"


def day(at: datetime, zone: ZoneInfo, language: Language, *, now: datetime) -> str:
    """The calendar day in ``zone``; the year is left out for this year."""
    there, today = seen_from(at, zone), now.astimezone(zone)
    return format_skeleton("MMMd" if there.year == today.year else "yMMMd", there, locale=language.locale)


def full(at: datetime, zone: ZoneInfo, language: Language) -> str:
    """Date, time of day with milliseconds and offset from UTC: what a record needs."""
    there = seen_from(at, zone)
    day = format_skeleton("yMMMd", there, locale=language.locale)
    offset = there.strftime("%z")
    return f"{day} {there:%H:%M:%S}.{there.microsecond // 1000:03d} (UTC{offset[:3]}:{offset[3:]})"


def ago(at: datetime, language: Language, *, now: datetime) -> str:
    """How long ago, in one unit; what lies less than 5 s back (or ahead) is "just now".

    Truncated, never rounded up: the same rule as in ``times.js``, so that the words do not jump.
    """
    seconds = int((now - at).total_seconds())
    if seconds < JUST_NOW_S:
        return language.gettext("just now")
    size = next(size for size in UNITS_S if seconds >= size)
    return format_timedelta(
        -timedelta(seconds=seconds // size * size), threshold=1, add_direction=True, locale=language.locale
    )


def duration(length: timedelta, language: Language) -> str:
    """A length of time in its two largest units, or to a tenth below ten seconds."""
    seconds = length.total_seconds()
    if seconds < 10:
        text = f"{seconds:.1f}".removesuffix(".0")
        return language.gettext("%(seconds)s s") % {"seconds": text}
    whole = round(seconds)
    if whole < 60:
        return language.gettext("%(seconds)s s") % {"seconds": whole}
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        if not rest:
            return language.gettext("%(minutes)d min") % {"minutes": minutes}
        return language.gettext("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        if not minutes:
            return language.gettext("%(hours)d h") % {"hours": hours}
        return language.gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    days, hours = divmod(hours, 24)
    return language.gettext("%(days)d d %(hours)d h") % {"days": days, "hours": hours}


def clock_words(language: Language) -> dict[str, str]:
    """The words with which a script keeps :func:`remaining` true while a page is open."""
    gettext = language.gettext
    return {
        "left": gettext("%(length)s left"),
        "over": gettext("overdue by %(length)s"),
        "moment": gettext("less than a minute"),
        "m": gettext("%(minutes)d min"),
        "h": gettext("%(hours)d h"),
        "hm": gettext("%(hours)d h %(minutes)d min"),
        "dh": gettext("%(days)d d %(hours)d h"),
    }


def remaining(due_at: datetime, language: Language, *, now: datetime) -> str:
    """How long until a deadline, or how long past it, in whole minutes; the same rule as in ``times.js``."""
    words = clock_words(language)
    minutes = int(abs((due_at - now).total_seconds())) // 60
    hours, days = minutes // 60, minutes // 1440
    if minutes < 1:
        length = words["moment"]
    elif hours < 1:
        length = words["m"] % {"minutes": minutes}
    elif days < 1:
        key = "hm" if minutes % 60 else "h"
        length = words[key] % {"hours": hours, "minutes": minutes % 60}
    else:
        length = words["dh"] % {"days": days, "hours": hours % 24}
    return words["left" if due_at >= now else "over"] % {"length": length}


def clocks_differ(server_offset_ms: int | None) -> bool:
    """Whether device and server time have to be told apart."""
    if server_offset_ms is None:
        return False
    return abs(server_offset_ms) >= SMALLEST_CLOCK_DIFFERENCE // timedelta(milliseconds=1)


def offset_words(server_offset_ms: int, language: Language) -> str:
    """Which clock is ahead and by how much; ``server_offset_ms`` is server minus device."""
    # Stored is what an edge once said; a page must come whatever that was.
    shown_ms = min(abs(server_offset_ms), LARGEST_CLOCK_DIFFERENCE // timedelta(milliseconds=1))
    length = duration(timedelta(milliseconds=shown_ms), language)
    if server_offset_ms > 0:
        return language.gettext("device clock %(length)s behind the server") % {"length": length}
    return language.gettext("device clock %(length)s ahead of the server") % {"length": length}
