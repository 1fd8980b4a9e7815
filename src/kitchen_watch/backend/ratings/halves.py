"""Half-years of local calendars: 2026H1 is January to June where the premises lies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

HALF = re.compile(r"(\d{4})H([12])")


@dataclass(frozen=True, slots=True)
class Half:
    """One half-year. ``number`` is 1 or 2."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """As it is stored and typed: ``2026H1``."""
        return f"{self.year:04d}H{self.number}"

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Its first instant and the first one after it (aware UTC)."""
        following = Half(self.year, 2) if self.number == 1 else Half(self.year + 1, 1)
        return self._begin(zone), following._begin(zone)

    def _begin(self, zone: ZoneInfo) -> datetime:
        return datetime(self.year, 1 if self.number == 1 else 7, 1, tzinfo=zone).astimezone(UTC)


def half_before(now: datetime, zone: ZoneInfo) -> Half:
    """The newest half-year that is over at ``now``."""
    local = now.astimezone(zone)
    return Half(local.year, 1) if local.month > 6 else Half(local.year - 1, 2)
