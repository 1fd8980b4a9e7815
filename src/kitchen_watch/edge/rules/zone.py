"""A zone: a named polygon in 0..1 of the picture, tested at an anchor point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, field_validator

from kitchen_watch.config import Settings
from kitchen_watch.edge.tracks import Track
from kitchen_watch.events import Identifier

Point = tuple[float, float]
Coordinate = Annotated[float, Field(ge=0.0, le=1.0)]

_SMALLEST_AREA = 1e-6


class Zone(Settings):
    """A polygon of at least three corners; x and y in 0..1 of the picture's width and height."""

    zone_id: Identifier
    name: str = ""
    polygon: tuple[tuple[Coordinate, Coordinate], ...]

    @field_validator("polygon")
    @classmethod
    def _has_an_area(cls, polygon: tuple[Point, ...]) -> tuple[Point, ...]:
        if len(polygon) < 3:
            raise ValueError(
                f"has {len(polygon)} corner(s); a zone needs at least three, as [[x, y], [x, y], [x, y]]"
            )
        if abs(_signed_area(polygon)) < _SMALLEST_AREA:
            raise ValueError("has no area; give corners that do not lie on one line")
        return polygon

    def contains(self, point: Point) -> bool:
        """Whether the point lies inside, by the even-odd rule."""
        return inside(point, self.polygon)


def inside(point: Point, polygon: Sequence[Point]) -> bool:
    """Even-odd test: a ray to the right crosses the outline an odd number of times."""
    x, y = point
    within = False
    previous_x, previous_y = polygon[-1]
    for corner_x, corner_y in polygon:
        if (corner_y > y) != (previous_y > y):
            crossing = corner_x + (y - corner_y) * (previous_x - corner_x) / (previous_y - corner_y)
            if x < crossing:
                within = not within
        previous_x, previous_y = corner_x, corner_y
    return within


def anchor(track: Track) -> Point:
    """Where an object counts as being: a person where it stands, everything else at its centre."""
    return track.box.bottom_centre if track.group == "person" else track.box.centre


def _signed_area(polygon: Sequence[Point]) -> float:
    pairs = zip(polygon, (*polygon[1:], polygon[0]), strict=True)
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs) / 2
