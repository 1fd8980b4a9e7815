"""The conditions of a rule, in words."""

from __future__ import annotations

import pytest

from kitchen_watch.backend.pages import wording
from kitchen_watch.backend.pages.languages import choose
from kitchen_watch.backend.pages.rule_words import rule_sentences
from kitchen_watch.edge.rules.rule_set import RuleSet
from kitchen_watch.resources import shipped

CATALOGUE = dict(RuleSet.load(shipped("configs/rules.yaml")).items())


@pytest.mark.parametrize("code", sorted(CATALOGUE))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_condition_of_the_shipped_rules_has_a_sentence(code: str, language: str) -> None:
    parameters = CATALOGUE[code].model_dump(mode="json")
    sentences = rule_sentences(parameters, choose(language), zone_id=None)
    assert sentences
    assert not [text for text in sentences if text.startswith(("Parameter ", "参数 "))]
    assert not [text for text in sentences if "%(" in text]


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_shipped_rule_has_a_name_on_the_pages(code: str) -> None:
    assert code in wording.CODES


def test_an_absence_of_a_hat_in_words() -> None:
    parameters = {"labels": ["no_hat"], "held_s": 10, "fraction": 0.7, "cooldown_s": 600}
    assert rule_sentences(parameters, choose("zh"), zone_id="灶台") == [
        "模型须识别到：no_hat。",
        "在 10 秒内，至少 70% 的分析帧须出现该情况。",
        "适用区域：“灶台”。",
        "结束后 10 分钟内再次出现，仍归入同一条预警。",
    ]


def test_a_condition_that_a_newer_edge_brings_is_not_hidden() -> None:
    sentences = rule_sentences({"steam_below": 0.4, "off": False}, choose("en"), zone_id=None)
    assert sentences == ["Parameter steam_below: 0.4."]


def test_values_of_a_wrong_kind_are_shown_as_they_are() -> None:
    assert rule_sentences({"cooldown_s": "soon"}, choose("en"), zone_id=None) == [
        "Parameter cooldown_s: soon."
    ]
