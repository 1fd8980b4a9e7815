from __future__ import annotations

from pathlib import Path

import pytest
from tests.edge.rules.scenario import CATALOGUE, catalogue

from kitchen_watch.edge.rules.parameters import rule_version
from kitchen_watch.edge.rules.rule_set import CameraRules, RuleSet
from kitchen_watch.errors import ConfigError

DOMAIN = {
    # code: (Chinese name, tier, held seconds, cooldown minutes)
    "NO_HAT": ("未戴厨师帽", 2, 10, 10),
    "NO_MASK": ("未戴口罩", 3, 10, 10),
    "RODENT": ("老鼠", 1, None, 30),
    "COCKROACH": ("蟑螂", 1, None, 30),
    "SMOKING": ("抽烟", 2, 4, 15),
    "PHONE_USE": ("玩手机", 3, 10, 15),
    "PET_ANIMAL": ("宠物", 2, 4, 30),
    "NO_UNIFORM": ("未穿工作服", 3, 10, 15),
    "NO_GLOVE": ("徒手接触", 3, 10, 15),
    "BIN_UNCOVERED": ("垃圾桶未盖", 2, 180, 60),
    "FIRE_UNATTENDED": ("动火离人", 1, 60, 15),
    "FLOOR_WATER": ("积水", 3, 60, 60),
    "NIGHT_INTRUSION": ("非营业时间有人", 1, 3, 15),
    "ZONE_INTRUSION": ("区域闯入/超员", 2, 5, 10),
    "CAM_OFFLINE": ("离线", 2, 120, 0),
    "CAM_COVERED": ("黑屏/遮挡", 2, 15, 0),
    "CAM_FROZEN": ("画面冻结", 2, 30, 0),
    "CAM_MOVED": ("移位", 2, 20, 0),
    "CAM_BLURRED": ("模糊/油污", 3, 300, 0),
}


def test_the_shipped_catalogue_is_the_fields() -> None:
    shipped = {
        code: (
            parameters.name.zh,
            parameters.tier,
            getattr(parameters, "held_s", None),
            parameters.cooldown_s / 60,
        )
        for code, parameters in catalogue().items()
    }
    assert shipped == DOMAIN


def test_rules_without_eyes_are_switched_off_with_a_reason() -> None:
    check = catalogue("NO_MASK.enabled=false").check_labels(["person", "hat", "no_hat", "mask", "no_mask"])
    reasons = {entry.code: entry.reason for entry in check.switched_off}
    assert reasons["RODENT"] == "the model has no label 'rat'"
    assert reasons["SMOKING"] == "the model has no label 'smoking' or 'cigarette'"
    assert reasons["NO_MASK"] == "switched off in the configuration"
    assert "NO_HAT" not in reasons
    assert check.usable
    assert check.rule_set.rules.RODENT is not None
    assert not check.rule_set.rules.RODENT.enabled


def test_a_model_for_street_traffic_serves_no_rule_at_all() -> None:
    assert not catalogue().check_labels(["car", "bus"]).usable


def test_an_override_changes_one_parameter_and_the_version_of_its_rule() -> None:
    before, after = catalogue(), catalogue("NO_HAT.held_s=1.0", "NO_HAT.zones=[]", "RODENT.moving=false")
    assert before.rules.NO_HAT is not None
    assert after.rules.NO_HAT is not None
    assert after.rules.NO_HAT.held_s == 1.0
    assert after.rules.RODENT is not None
    assert not after.rules.RODENT.moving
    versions = {
        rule_version(rules.model_dump(mode="json")) for rules in (before.rules.NO_HAT, after.rules.NO_HAT)
    }
    assert len(versions) == 2
    assert all(len(version) == 12 for version in versions)


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("NO_HATT.held_s=1", "NO_HATT is not a rule of this rule set. Its rules: NO_HAT, NO_MASK,"),
        ("NO_HAT.hold=1", "NO_HAT has no parameter 'hold'. It has: name, tier,"),
        ("NO_HAT.held_s=-1", "rules.NO_HAT.held_s: Input should be greater than 0"),
        ("NO_HAT.held_s=soon", "rules.NO_HAT.held_s: Input should be a valid number"),
        ("NO_HAT.tier=4", "less than or equal to 3"),
        ("NO_HAT.held_s", "Write CODE.parameter=value, for example NO_HAT.held_s=1.0"),
        ("held_s=1", "Write CODE.parameter=value"),
        ("NO_HAT.held_s=2026-13-45", "the value cannot be read"),
        ("NO_HAT.held_s=" + "[" * 1200, "the value cannot be read"),
        ("NO_HAT.zones=[a", "the value cannot be read"),
    ],
)
def test_an_override_that_cannot_be_meant_is_refused(assignment: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        catalogue(assignment)
    assert complaint in str(error.value)
    assert str(error.value).startswith((assignment, repr(assignment)))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("  NO_HAT:", "  NO_CAP:", "rules.NO_CAP: is not a known key"),
        ("held_s: 10", "held: 10", "rules.NO_HAT.held: is not a known key"),
        ("held_s: 10", "held_s: -10", "rules.NO_HAT.held_s: Input should be greater than 0"),
        ("cooldown_s: 600", "cooldown_s: .inf", "rules.NO_HAT.cooldown_s"),
        ("    tier: 2\n", "", "rules.NO_HAT.tier: is required and missing"),
        ("labels: [no_hat]", "labels: []", "rules.NO_HAT.labels"),
        ("zh: 未戴厨师帽, ", "", "rules.NO_HAT.name.zh: is required and missing"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(CATALOGUE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        RuleSet.load(path)
    assert complaint in str(error.value)
    assert "rules.yaml, line " in str(error.value)


def test_a_camera_may_not_name_a_zone_it_does_not_have() -> None:
    camera = CameraRules(rules={"NO_HAT": {"zones": ["stove"]}})
    with pytest.raises(ConfigError, match=r"cameras\.k1: NO_HAT\.zones: there is no zone 'stove'"):
        catalogue().for_camera(camera, where="cameras.k1")


def test_an_own_rule_may_not_hide_one_of_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    own = (
        "own:\n  NO_HAT: {name: {zh: 帽, en: Hat}, tier: 3, labels: [x], "
        "held_s: 1, absent_s: 1, cooldown_s: 0}\n"
    )
    path.write_text(CATALOGUE.read_text(encoding="utf-8") + own, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own\.NO_HAT: belongs to the catalogue"):
        RuleSet.load(path)
