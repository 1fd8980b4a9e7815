"""Values of requests that every database can hold and compare: row ids and points in time.

A larger number is a fault in the request, not in the service: SQLite and PostgreSQL refuse it with
errors that nobody could act on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

MAX_ID = 2**63 - 1

RowId = Annotated[int, Field(ge=0, le=MAX_ID)]
"""Ids of alerts, feed entries, audit entries and photos."""
PlaceId = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""Ids of premises and nodes, which are kept in 32 bit."""


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("this time does not exist in UTC") from None


def _in_every_zone(at: datetime) -> datetime:
    if not FIRST_AT <= at < END_AT:
        raise ValueError("this time lies outside of every calendar; name one before the year 9999")
    return at


FIRST_AT = datetime(2, 1, 1, tzinfo=UTC)
END_AT = datetime(9999, 1, 1, tzinfo=UTC)

Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A point in time with its offset, in UTC; the ends of the calendar do not exist in every zone."""

KeptMoment = Annotated[Moment, AfterValidator(_in_every_zone)]
"""The same for what is stored: it is shown in every zone, and moved by minutes and days."""
