"""Zones and privacy masks: what may be drawn on a camera's picture. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kitchen_watch.events import Identifier

SMALLEST_AREA = 1e-4
"""Of the picture: a slip of the finger, not an area. Edges take smaller ones."""
MAX_CORNERS = 60
MAX_AREAS = 40

Coordinate = Annotated[float, Field(ge=0.0, le=1.0)]
Point = tuple[Coordinate, Coordinate]


class AreaKind(StrEnum):
    """A zone is what rules may be bound to; a mask is burnt out of everything."""

    ZONE = "zone"
    MASK = "mask"


class Area(BaseModel):
    """One polygon in 0..1 of the picture's width and height."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    zone_id: Identifier
    kind: AreaKind
    name: str = Field(default="", max_length=60)
    polygon: list[Point] = Field(min_length=3, max_length=MAX_CORNERS)

    @model_validator(mode="after")
    def _is_an_area(self) -> Self:
        if abs(signed_area(self.polygon)) < SMALLEST_AREA:
            raise ValueError(f"{self.zone_id} has no area; draw it larger")
        if crosses_itself(self.polygon):
            raise ValueError(f"the outline of {self.zone_id} crosses itself; draw it in one turn")
        return self


def signed_area(polygon: list[Point]) -> float:
    """Area in shares of the picture, negative for the other direction."""
    pairs = zip(polygon, [*polygon[1:], polygon[0]], strict=True)
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs) / 2


def crosses_itself(polygon: list[Point]) -> bool:
    """Whether two sides that are no neighbours meet."""
    sides = list(zip(polygon, [*polygon[1:], polygon[0]], strict=True))
    last = len(sides) - 1
    return any(
        _meet(*sides[one], *sides[other])
        for one in range(len(sides))
        for other in range(one + 2, len(sides))
        if (one, other) != (0, last)
    )


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
