"""What a filled form says: what is missing, what cannot be, what was found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kitchen_watch.backend.forms.answers import Answer, BadAnswer, ProblemCode, judge
from kitchen_watch.backend.forms.content import FormContent, FormKind, ItemKind
from kitchen_watch.backend.forms.starters import starters

FORM = FormContent.model_validate(
    {
        "name": "检查表",
        "sections": [
            {
                "key": "all",
                "name": "全部",
                "items": [
                    {"key": "hats", "name": "戴帽", "photo_if_bad": True},
                    {"key": "pests", "name": "有虫害", "good": "no", "required": False},
                    {
                        "key": "fridge", "name": "冷藏", "kind": "number", "unit": "°C",
                        "minimum": 0, "maximum": 8,
                    },
                    {
                        "key": "test", "name": "快检", "kind": "choice", "required": False,
                        "choices": [
                            {"key": "negative", "name": "阴性"},
                            {"key": "positive", "name": "阳性", "good": False},
                        ],
                    },
                    {"key": "remarks", "name": "备注", "kind": "text", "required": False},
                ],
            }
        ],
    }
)  # fmt: skip
GOOD = {"hats": "yes", "fridge": 4}


def answers(**values: Any) -> dict[str, Answer]:
    return {key: Answer(value=value) for key, value in (GOOD | values).items()}


def problems(given: dict[str, Answer], *photos: str) -> dict[str, ProblemCode]:
    return {one.item: one.code for one in judge(FORM, given, with_photo=photos).problems}


def test_a_form_in_order_is_complete_and_finds_nothing() -> None:
    judged = judge(FORM, answers(), with_photo=())
    assert judged.complete
    assert (judged.bad, judged.answered, judged.items) == ((), 2, 5)


@pytest.mark.parametrize(
    ("values", "item", "code"),
    [
        ({"hats": None}, "hats", ProblemCode.MISSING),
        ({"fridge": ""}, "fridge", ProblemCode.MISSING),
        ({"hats": "perhaps"}, "hats", ProblemCode.NOT_A_CHOICE),
        ({"hats": 1}, "hats", ProblemCode.NOT_A_CHOICE),
        ({"hats": "no"}, "hats", ProblemCode.PHOTO_MISSING),
        ({"test": "maybe"}, "test", ProblemCode.NOT_A_CHOICE),
        ({"fridge": "cold"}, "fridge", ProblemCode.NOT_A_NUMBER),
        ({"fridge": 1e12}, "fridge", ProblemCode.NOT_A_NUMBER),
        ({"fridge": float("nan")}, "fridge", ProblemCode.NOT_A_NUMBER),
        ({"remarks": 7}, "remarks", ProblemCode.NOT_A_TEXT),
        ({"colour": "red"}, "colour", ProblemCode.UNKNOWN_ITEM),
    ],
)
def test_what_cannot_stand_is_named_by_its_item(values: Any, item: str, code: ProblemCode) -> None:
    assert problems(answers(**values)) == {item: code}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"hats": "na"}, None),
        ({"hats": "no"}, "no"),
        ({"pests": "no"}, None),
        ({"pests": "yes"}, "yes"),
        ({"fridge": 0}, None),
        ({"fridge": 8}, None),
        ({"fridge": 8.5}, "8.5 °C"),
        ({"fridge": -1}, "-1 °C"),
        ({"test": "negative"}, None),
        ({"test": "positive"}, "positive"),
        ({"remarks": "nothing else"}, None),
    ],
)
def test_an_answer_out_of_order_is_a_finding(values: Any, found: str | None) -> None:
    judged = judge(FORM, answers(**values), with_photo=("hats",))
    assert judged.complete
    assert judged.bad == (() if found is None else (BadAnswer(next(iter(values)), found, ""),))


def test_a_draft_may_lack_answers_and_pictures_but_carries_no_nonsense() -> None:
    assert judge(FORM, {"hats": Answer(value="no")}, with_photo=()).as_draft == ()
    nonsense = judge(FORM, {"hats": Answer(value="perhaps")}, with_photo=()).as_draft
    assert [one.code for one in nonsense] == [ProblemCode.NOT_A_CHOICE]


@pytest.mark.parametrize(
    "item",
    [
        {"kind": "choice"},
        {"kind": "choice", "choices": [{"key": "a", "name": "甲"}, {"key": "a", "name": "乙"}]},
        {"choices": [{"key": "a", "name": "甲"}, {"key": "b", "name": "乙"}]},
        {"unit": "°C"},
        {"kind": "number", "minimum": 8, "maximum": 0},
        {"kind": "text", "photo_if_bad": True},
        {"key": "Hats!"},
    ],
)
def test_an_item_that_nobody_could_answer_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FormContent.model_validate(
            {
                "name": "表",
                "sections": [{"key": "s", "name": "节", "items": [{"key": "i", "name": "项"} | item]}],
            }
        )


def test_two_items_of_one_name_are_refused() -> None:
    sections = [{"key": key, "name": "节", "items": [{"key": "i", "name": "项"}]} for key in "ab"]
    with pytest.raises(ValidationError, match="a key of its own"):
        FormContent.model_validate({"name": "表", "sections": sections})


def test_one_form_of_each_kind_is_shipped_in_both_languages() -> None:
    assert {one.kind for one in starters()} == set(FormKind)
    for one in starters():
        named: list[Any] = [one.content, *one.content.sections, *one.content.all_items()]
        named += [choice for item in one.content.all_items() for choice in item.choices]
        assert all(thing.name_en and thing.name for thing in named), one.code


@given(
    st.dictionaries(
        st.sampled_from([item.key for item in FORM.all_items()] + ["nonsense"]),
        st.builds(
            Answer, value=st.none() | st.integers() | st.sampled_from(["yes", "no", "na", "positive", "x"])
        ),
    ),
    st.sets(st.sampled_from(["hats", "fridge"])),
)
def test_whatever_is_answered_every_item_is_counted_once(given: dict[str, Answer], photos: set[str]) -> None:
    judged = judge(FORM, given, with_photo=photos)
    spoilt = {
        one.item
        for one in judged.problems
        if one.code not in {ProblemCode.MISSING, ProblemCode.PHOTO_MISSING}
    }
    said = {key for key, one in given.items() if one.value is not None} - spoilt
    assert judged.answered == len(said)
    assert {one.item for one in judged.bad} <= said
    required = {item.key for item in FORM.all_items() if item.required}
    if judged.complete:
        assert required <= said
        assert all(key in photos for key in {one.item for one in judged.bad} if key == "hats")


def test_kinds_are_those_that_pages_know() -> None:
    assert {item.kind for one in starters() for item in one.content.all_items()} == set(ItemKind)
