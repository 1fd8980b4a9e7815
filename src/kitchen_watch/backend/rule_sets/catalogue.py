"""The rules there are and what may be set in them, from the shipped catalogue that edges have, too.

The backend does not know how a rule works. It checks names and kinds of values, so that a slip of
the pen is told at once; the last word has the edge, which refuses what it cannot put in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from kitchen_watch.errors import InvalidRequest
from kitchen_watch.resources import shipped

_FIXED = frozenset({"name", "labels", "unless_labels", "veto_labels"})
"""What belongs to a model or a language, not to a place."""
_FRACTIONS = frozenset({"fraction", "min_confidence"})
_WHOLE = frozenset({"tier", "hits", "max_persons"})
MAX_ZONES = 20
LONGEST_S = 86_400


@cache
def catalogue() -> Mapping[str, Mapping[str, Any]]:
    """Default parameters by rule."""
    values = yaml.safe_load(shipped("configs/rules.yaml").read_text(encoding="utf-8"))
    rules: dict[str, dict[str, Any]] = values["rules"]
    for code, parameters in rules.items():
        parameters.setdefault("enabled", True)
        if "labels" in parameters:
            parameters.setdefault("zones", [])
        if "held_s" in parameters and code != "CAM_OFFLINE":
            parameters.setdefault("fraction", 0.7)
    return rules


def settable(code: str) -> tuple[str, ...]:
    """The parameters of a rule that may be set."""
    return tuple(name for name in catalogue()[code] if name not in _FIXED)


def check_rules(rules: Mapping[str, Mapping[str, Any]]) -> None:
    """Return if every rule and parameter exists and every value is of its kind.

    Raises:
        InvalidRequest: what is wrong, and what could stand there.
    """
    for code, parameters in rules.items():
        if code not in catalogue():
            raise InvalidRequest(f"{code} is no rule. Rules: {', '.join(catalogue())}.")
        for name, value in parameters.items():
            if name not in settable(code):
                raise InvalidRequest(f"{code} has no {name} to set. It has: {', '.join(settable(code))}.")
            wrong = _wrong(name, value, catalogue()[code][name])
            if wrong:
                raise InvalidRequest(f"{code}.{name} {wrong}.")


def _wrong(name: str, value: Any, default: Any) -> str:
    if name == "zones":
        good = isinstance(value, list) and len(value) <= MAX_ZONES
        return (
            ""
            if good and all(isinstance(item, str) and 0 < len(item) <= 64 for item in value)
            else ("must be a list of zone ids")
        )
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "must be true or false"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if name == "tier":
        return "" if value in {1, 2, 3} else "must be 1, 2 or 3"
    if name in _WHOLE and value != int(value):
        return "must be a whole number"
    if name in _FRACTIONS:
        return "" if 0 <= value <= 1 else "must lie between 0 and 1"
    return "" if 0 <= value <= LONGEST_S else f"must lie between 0 and {LONGEST_S}"
