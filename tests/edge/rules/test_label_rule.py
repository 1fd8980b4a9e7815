from __future__ import annotations

from tests.edge.rules.scenario import CATALOGUE, NOON, Camera, catalogue, seen

from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.rules.observation import Observation
from kitchen_watch.edge.rules.parameters import LabelParameters, Name
from kitchen_watch.edge.rules.rule_set import RuleSet
from kitchen_watch.edge.rules.violation import ViolationChange

OUR_LABELS = ("person", "hat", "no_hat", "mask", "no_mask", "rat", "cockroach")


def test_smoking_is_judged_as_soon_as_a_model_can_see_it() -> None:
    ours = catalogue().check_labels(OUR_LABELS)
    theirs = catalogue().check_labels((*OUR_LABELS, "cigarette"))
    assert "SMOKING" in {entry.code for entry in ours.switched_off}
    assert "SMOKING" not in {entry.code for entry in theirs.switched_off}
    camera = Camera()
    camera.show([seen("cigarette")], seconds=5)
    assert camera.open() == ["SMOKING"]


def test_a_fire_with_a_person_near_is_attended() -> None:
    camera = Camera("FIRE_UNATTENDED.held_s=10")
    camera.show([seen("fire"), seen("person", 2, height=0.5)], seconds=60)
    assert camera.changes == []
    camera.show([seen("fire")], seconds=12)
    assert camera.open() == ["FIRE_UNATTENDED"]


def test_a_users_own_label_can_have_its_own_rule() -> None:
    own = LabelParameters(
        name=Name(zh="穿拖鞋", en="Slippers"),
        tier=3,
        labels=("slippers",),
        held_s=1,
        absent_s=5,
        cooldown_s=60,
    )
    rule_set = RuleSet(rules=RuleSet.load(CATALOGUE).rules, own={"SLIPPERS": own}).override(
        "SLIPPERS.held_s=0.4"
    )
    book = RuleBook("c", rule_set)
    changes: list[ViolationChange] = []
    for n in range(10):
        at = NOON.replace(second=n)
        changes += book.judge(Observation(at=at, tracks=(seen("slippers"),)))
    assert changes[0].violation.code == "SLIPPERS"
