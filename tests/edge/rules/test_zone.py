from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.rules.scenario import seen

from kitchen_watch.config import validate
from kitchen_watch.edge.rules.rule_set import CameraRules
from kitchen_watch.edge.rules.zone import Zone, anchor, inside
from kitchen_watch.errors import ConfigError

L_SHAPE = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.4), (0.4, 0.4), (0.4, 0.9), (0.1, 0.9))


def test_the_inner_corner_of_an_l_is_outside() -> None:
    zone = Zone(zone_id="counter", polygon=L_SHAPE)
    assert zone.contains((0.2, 0.8))
    assert zone.contains((0.8, 0.2))
    assert not zone.contains((0.7, 0.7))


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_rectangle_holds_what_lies_between_its_sides(x: float, y: float) -> None:
    rectangle = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
    if 0.25 < x < 0.75 and 0.25 < y < 0.75:
        assert inside((x, y), rectangle)
    if not (0.25 <= x <= 0.75 and 0.25 <= y <= 0.75):
        assert not inside((x, y), rectangle)


def test_people_are_where_they_stand_and_heads_where_they_are() -> None:
    assert anchor(seen("person", x=0.5, y=0.5, height=0.4)) == pytest.approx((0.5, 0.7))
    assert anchor(seen("no_hat", x=0.5, y=0.5)) == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(
    ("zones", "complaint"),
    [
        ([{"zone_id": "a", "polygon": [[0, 0], [1, 1]]}], "has 2 corner\\(s\\); a zone needs at least three"),
        ([{"zone_id": "a", "polygon": [[0, 0], [0.5, 0.5], [1, 1]]}], "has no area"),
        ([{"zone_id": "a", "polygon": [[0, 0], [640, 0], [640, 360]]}], "less than or equal to 1"),
        ([{"zone_id": "a", "polygon": L_SHAPE}] * 2, "two zones are called 'a'"),
        ([{"zone": "a", "polygon": L_SHAPE}], "zones.0.zone_id: is required and missing"),
    ],
)
def test_a_zone_that_cannot_be_meant_is_refused(zones: object, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        validate({"zones": zones}, CameraRules, where="cameras.yaml")
