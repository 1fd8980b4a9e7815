"""Whether a premises is open at a local moment. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_open_at(hours: Mapping[str, Any], local: datetime) -> bool:
    """Spans may go over midnight (``18:00-02:00``); a premises without known hours counts as always open."""
    if not hours:
        return True
    clock = local.strftime("%H:%M")
    today = _spans(hours, local)
    yesterday = _spans(hours, local - timedelta(days=1))
    return any((start <= clock < end) if start < end else clock >= start for start, end in today) or any(
        start > end and clock < end for start, end in yesterday
    )


def _spans(hours: Mapping[str, Any], local: datetime) -> list[tuple[str, str]]:
    return [tuple(span.split("-", 1)) for span in hours.get(WEEKDAYS[local.weekday()], [])]
