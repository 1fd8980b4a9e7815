"""How long a turn must be for the rules of a camera, and which cameras matter more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.rule_set import RuleSet
from kitchen_watch.edge.turns.needs import WARM_UP_S, needs_of

RULES = RuleSet.load(Path(__file__).resolve().parents[3] / "configs" / "rules.yaml")
SHIPPED = RULES.check_labels(["person", "head", "no_hat", "no_mask", "rat", "cockroach"]).rule_set
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
NIGHT = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = OpeningHours(every_day=("08:00-22:00",))


def test_the_longest_rule_that_runs_decides() -> None:
    everything = needs_of(RULES, DAY)
    assert everything.shortest_s == 180 + WARM_UP_S, "a bin must be open for three minutes"
    assert needs_of(SHIPPED, DAY).shortest_s == 10 + WARM_UP_S, "the model sees no bins"
    slow = SHIPPED.override("NO_HAT.held_s=45")
    assert needs_of(slow, DAY).shortest_s == 45 + WARM_UP_S


def test_the_check_for_a_frozen_picture_fits_into_a_turn() -> None:
    assert needs_of(SHIPPED, DAY, frozen_after_s=20).shortest_s == 20 + WARM_UP_S


def test_tier_1_and_opening_hours_make_turns_longer() -> None:
    pests = needs_of(SHIPPED, DAY)
    assert (pests.weight(NOON), pests.weight(NIGHT)) == (2.0, 1.5)
    no_pests = SHIPPED.override("RODENT.enabled=false", "COCKROACH.enabled=false")
    burglars = needs_of(no_pests, DAY)
    assert (burglars.weight(NOON), burglars.weight(NIGHT)) == (1.5, 1.5)
    assert (burglars.urgent(NOON), burglars.urgent(NIGHT)) == (False, True)
    hats = needs_of(no_pests.override("NIGHT_INTRUSION.enabled=false"), DAY)
    assert (hats.weight(NOON), hats.weight(NIGHT)) == (1.5, 1.0)
