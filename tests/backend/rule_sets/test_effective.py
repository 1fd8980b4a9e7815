"""Which of two rule sets is heard, and what a camera is told: tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from kitchen_watch.backend.rule_sets.areas import Area
from kitchen_watch.backend.rule_sets.catalogue import catalogue, check_rules, settable
from kitchen_watch.backend.rule_sets.compiling import CameraFacts, camera_settings
from kitchen_watch.backend.rule_sets.effective import Layer, Place, effective_rules, fitted
from kitchen_watch.edge.rules.rule_set import CameraRules, RuleSet
from kitchen_watch.errors import InvalidRequest
from kitchen_watch.resources import shipped

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
PLACE = Place("cam-a1", 1, "/1/2/4/", "canteen", "stove")


def layer(number: int, value: float, **more: Any) -> Layer:
    return Layer(number, 1, f"set {number}", {"NO_HAT": {"held_s": value}}, **more)


@pytest.mark.parametrize(
    ("general", "particular"),
    [
        ({}, {"node_path": "/1/2/"}),
        ({"node_path": "/1/"}, {"node_path": "/1/2/"}),
        ({}, {"business_type": "canteen"}),
        ({"node_path": "/1/2/4/"}, {"business_type": "canteen"}),
        ({"business_type": "canteen"}, {"area_type": "stove"}),
        ({"area_type": "stove"}, {"area_type": "stove", "business_type": "canteen"}),
        ({"area_type": "stove", "business_type": "canteen"}, {"premises_id": 1}),
        ({"premises_id": 1}, {"camera_id": "cam-a1"}),
        ({"camera_id": "cam-a1"}, {"starts_at": NOW - timedelta(days=1)}),
        ({"starts_at": NOW - timedelta(days=1)}, {"premises_id": 1, "ends_at": NOW + timedelta(days=1)}),
    ],
)
def test_the_more_particular_is_heard_in_whatever_order_they_were_made(
    general: dict[str, Any], particular: dict[str, Any]
) -> None:
    for numbers in ((1, 2), (2, 1)):
        layers = [layer(numbers[0], 5.0, **general), layer(numbers[1], 9.0, **particular)]
        found = effective_rules(layers, PLACE, NOW)
        assert found.rules == {"NO_HAT": {"held_s": 9.0}}
        assert found.origin == {"NO_HAT": {"held_s": numbers[1]}}


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"business_type": "restaurant"},
        {"area_type": "area"},
        {"premises_id": 2},
        {"camera_id": "cam-b1"},
        {"node_path": "/1/3/"},
        {"enabled": False},
        {"starts_at": NOW + timedelta(seconds=1)},
        {"ends_at": NOW},
    ],
)
def test_what_is_meant_for_elsewhere_or_another_time_is_not_heard(elsewhere: dict[str, Any]) -> None:
    assert effective_rules([layer(1, 5.0, **elsewhere)], PLACE, NOW).rules == {}


def test_parameters_of_one_rule_come_from_several_rule_sets() -> None:
    layers = [
        Layer(1, 4, "all", {"NO_MASK": {"tier": 2, "held_s": 10}}),
        Layer(2, 7, "camera", {"NO_MASK": {"held_s": 3}}, camera_id="cam-a1"),
    ]
    found = effective_rules(layers, PLACE, NOW)
    assert found.rules == {"NO_MASK": {"tier": 2, "held_s": 3}}
    assert found.origin == {"NO_MASK": {"tier": 1, "held_s": 2}}
    assert found.versions == {1: 4, 2: 7}


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        (("stove", "sink"), {"zones": ["stove", "sink"]}),
        (("sink",), {"zones": ["sink"]}),
        ((), {"enabled": False}),
    ],
)
def test_a_rule_for_zones_never_looks_everywhere_where_there_are_none(
    zones: tuple[str, ...], told: dict[str, Any]
) -> None:
    assert fitted({"NO_HAT": {"zones": ["stove", "sink"]}}, zones) == {"NO_HAT": told}


def test_a_camera_is_told_only_what_the_backend_has_a_word_on() -> None:
    settings, _ = camera_settings(CameraFacts(PLACE), [], NOW)
    assert settings == {}
    area = {"zone_id": "window", "kind": "mask", "name": "", "polygon": [[0, 0], [1, 0], [1, 1]]}
    facts = CameraFacts(PLACE, hours={"mon": ["10:00-22:00"]}, areas=[area], enabled=False)
    settings, _ = camera_settings(facts, [layer(1, 5.0)], NOW)
    assert settings["opening_hours"]["monday"] == ["10:00-22:00"]
    assert settings["opening_hours"]["sunday"] == [], "a day without hours is a closed day"
    assert [mask["zone_id"] for mask in settings["privacy"]] == ["window"]
    assert (settings["zones"], settings["enabled"]) == ([], False)


def test_whatever_may_be_set_is_known_to_the_edge() -> None:
    """The edge's own strict model takes every default that the catalogue offers to be changed."""
    everything = {code: {name: catalogue()[code][name] for name in settable(code)} for code in catalogue()}
    check_rules(everything)
    rule_set = RuleSet.load(shipped("configs/rules.yaml"))
    rule_set.for_camera(CameraRules(rules=everything))


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"NO_SUCH": {"tier": 1}}, "is no rule"),
        ({"NO_HAT": {"colour": 1}}, "has no colour"),
        ({"NO_HAT": {"labels": ["hat"]}}, "has no labels"),
        ({"NO_HAT": {"tier": 4}}, "1, 2 or 3"),
        ({"NO_HAT": {"tier": True}}, "number"),
        ({"NO_HAT": {"held_s": -1}}, "between"),
        ({"NO_HAT": {"fraction": 1.5}}, "between 0 and 1"),
        ({"NO_HAT": {"enabled": 1}}, "true or false"),
        ({"NO_HAT": {"zones": "stove"}}, "list"),
        ({"RODENT": {"hits": 1.5}}, "whole"),
    ],
)
def test_a_slip_of_the_pen_is_told_at_once(rules: dict[str, dict[str, Any]], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        check_rules(rules)


@pytest.mark.parametrize(
    ("polygon", "words"),
    [
        ([[0, 0], [1, 1]], "at least 3"),
        ([[0, 0], [0.5, 0.5], [1, 1]], "no area"),
        ([[0, 0], [1, 1], [1, 0], [0, 1]], "no area|crosses itself"),
        ([[0, 0], [0.9, 0.8], [0.9, 0], [0, 1], [0.1, 0.5]], "crosses itself"),
        ([[0, 0], [1.2, 0], [1, 1]], "less than or equal to 1"),
    ],
)
def test_what_is_no_area_cannot_be_drawn(polygon: list[list[float]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Area(zone_id="a", kind="mask", polygon=polygon)
