"""Statistics over the API: figures with their denominators, precision of rules, cameras and models."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import Moment, PlaceId
from kitchen_watch.backend.organisations.sheets import MEDIA_TYPES, Format, write_rows
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.statistics.schemas import PrecisionView, StatisticsView
from kitchen_watch.backend.statistics.service import precision, question_of, statistics
from kitchen_watch.backend.statistics.sheet import table
from kitchen_watch.errors import InvalidRequest

router = APIRouter(prefix="/api/v1/statistics", tags=["statistics"])

USUAL = timedelta(days=30)


class Source(StrEnum):
    """Whose precision is asked for."""

    RULE = "rule"
    CAMERA = "camera"
    MODEL = "model"


class Asked(BaseModel):
    """Which alerts the figures are about."""

    since_at: Moment | None = Field(None, description="found from then on; else 30 days before until_at")
    until_at: Moment | None = Field(None, description="found before then; else now")
    grid_id: PlaceId | None = Field(None, description="a node of the tree; its whole subtree")
    code: list[Annotated[str, Field(max_length=40)]] = Field([], max_length=50)
    tier: list[Annotated[int, Field(ge=1, le=3)]] = Field([], max_length=3)
    business_type: list[Annotated[str, Field(max_length=64)]] = Field([], max_length=50)

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """Both ends.

        Raises:
            InvalidRequest: the span reaches beyond the calendar.
        """
        until = self.until_at or now
        try:
            return self.since_at or until - USUAL, until
        except OverflowError:
            raise InvalidRequest("This span lies before the beginning of the calendar.") from None


_AskedFor = Annotated[Asked, Query()]


@router.get("", summary="Figures of a subtree and a span")
def get_statistics(person: Regulator, parts: PartsOf, asked: _AskedFor) -> StatisticsView:
    """Sums and rates with their denominators; children add up to the total; local days and hours (UTC+8)."""
    return answer(parts, person, asked)


@router.get(
    "/table",
    summary="The same as a table",
    response_class=Response,
    responses={200: {"content": {name: {} for name in MEDIA_TYPES.values()}, "description": "a file"}},
)
def get_statistics_table(
    person: Regulator,
    parts: PartsOf,
    visitor: VisitorOf,
    asked: _AskedFor,
    *,
    form: Annotated[Format, Query(description="CSV or a workbook")] = "csv",
) -> Response:
    """One line per child node and the total; who took it is written down."""
    found = answer(parts, person, asked)
    now = parts.clock.now()
    with parts.database.write() as session:
        record(
            session,
            Actor(person.id, visitor.address),
            "statistics_exported",
            at=now,
            about=("node", str(asked.grid_id or "")),
            since_at=found.since_at.isoformat(),
            until_at=found.until_at.isoformat(),
        )
    return Response(
        write_rows(table(found), form, title="statistics"),
        media_type=MEDIA_TYPES[form],
        headers={"content-disposition": f'attachment; filename="statistics-{now:%Y%m%d}.{form}"'},
    )


@router.get("/precision", summary="How often rules, cameras and models were right")
def get_precision(
    person: Regulator, parts: PartsOf, asked: _AskedFor, *, by: Source = Source.RULE
) -> list[PrecisionView]:
    """Of what people judged, the most false alarms first; with the threshold that would have helped."""
    since_at, until_at = asked.span(parts.clock.now())
    with parts.database.read() as session:
        question = question_of(
            session, person, since_at=since_at, until_at=until_at, node_id=asked.grid_id,
            codes=tuple(asked.code), tiers=tuple(asked.tier), business_types=tuple(asked.business_type),
        )  # fmt: skip
        return precision(session, question, by.value)


def answer(parts: Parts, person: Person, asked: Asked) -> StatisticsView:
    """The figures that ``person`` asked for, for the route and the page."""
    now = parts.clock.now()
    since_at, until_at = asked.span(now)
    with parts.database.read() as session:
        question = question_of(
            session, person, since_at=since_at, until_at=until_at, node_id=asked.grid_id,
            codes=tuple(asked.code), tiers=tuple(asked.tier), business_types=tuple(asked.business_type),
        )  # fmt: skip
        return statistics(session, question, now=now, node_id=asked.grid_id)
