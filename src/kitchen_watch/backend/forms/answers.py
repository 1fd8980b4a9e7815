"""Judge a filled form: what is missing, what cannot be, and what was found. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt

from kitchen_watch.backend.forms.content import MAX_ITEMS, MAX_TEXT, FormContent, Item, ItemKind, Key
from kitchen_watch.errors import InvalidRequest

NOT_APPLICABLE = "na"
YES_NO = ("yes", "no", NOT_APPLICABLE)
LARGEST = 1e9
"""No unit makes a measured value larger; a slip of the keyboard does."""

_Text = Annotated[str, Field(max_length=MAX_TEXT, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")]


class Answer(BaseModel):
    """The answer to one item. ``value`` is empty while nothing was said."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    value: StrictInt | StrictFloat | _Text | None = Field(default=None, examples=["yes", 4.5])
    note: _Text = Field(default="", description="a remark, above all on what was found")


Answers = Annotated[dict[Key, Answer], Field(max_length=MAX_ITEMS)]


class ProblemCode(StrEnum):
    """Why an answer cannot stand."""

    MISSING = "missing"
    UNKNOWN_ITEM = "unknown_item"
    NOT_A_CHOICE = "not_a_choice"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_TEXT = "not_a_text"
    PHOTO_MISSING = "photo_missing"


OF_INCOMPLETE = frozenset({ProblemCode.MISSING, ProblemCode.PHOTO_MISSING})
"""Problems that a draft may have, and a form that is handed in may not."""


@dataclass(frozen=True, slots=True)
class AnswerProblem:
    """One item whose answer cannot stand, and a sentence that says why."""

    item: str
    code: ProblemCode
    sentence: str


@dataclass(frozen=True, slots=True)
class BadAnswer:
    """An answer that is not in order: a finding."""

    item: str
    value: str
    """As people read it: ``no``, the key of a choice, or the number with its unit."""
    note: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a filled form says."""

    problems: tuple[AnswerProblem, ...]
    bad: tuple[BadAnswer, ...]
    answered: int
    """Items with an answer; ``na`` is one."""
    items: int

    @property
    def complete(self) -> bool:
        """Whether it may be handed in."""
        return not self.problems

    @property
    def as_draft(self) -> tuple[AnswerProblem, ...]:
        """The problems that even a draft must not have."""
        return tuple(one for one in self.problems if one.code not in OF_INCOMPLETE)


def judge(content: FormContent, answers: Mapping[str, Answer], *, with_photo: Collection[str]) -> Judgement:
    """Judge ``answers`` (by item key) against the form; ``with_photo`` are the items that have a picture."""
    items = {item.key: item for item in content.all_items()}
    problems = [
        AnswerProblem(key, ProblemCode.UNKNOWN_ITEM, "This form has no such item.")
        for key in answers
        if key not in items
    ]
    bad: list[BadAnswer] = []
    answered = 0
    for key, item in items.items():
        answer = answers.get(key, Answer())
        if answer.value is None or answer.value == "":
            if item.required:
                problems.append(AnswerProblem(key, ProblemCode.MISSING, "This item must be answered."))
            continue
        problem = _wrong(item, answer.value)
        if problem is not None:
            problems.append(problem)
            continue
        answered += 1
        if is_bad(item, answer.value):
            bad.append(BadAnswer(key, shown(item, answer.value), answer.note))
            if item.photo_if_bad and key not in with_photo:
                problems.append(
                    AnswerProblem(key, ProblemCode.PHOTO_MISSING, "What is not in order needs a picture.")
                )
    return Judgement(tuple(problems), tuple(bad), answered, len(items))


def is_bad(item: Item, value: str | float) -> bool:
    """Whether an answer that can stand is a finding."""
    if item.kind is ItemKind.YES_NO:
        return value not in {item.good, NOT_APPLICABLE}
    if item.kind is ItemKind.CHOICE:
        return any(choice.key == value and not choice.good for choice in item.choices)
    if item.kind is ItemKind.NUMBER:
        number = float(value)
        below = item.minimum is not None and number < item.minimum
        return below or (item.maximum is not None and number > item.maximum)
    return False


def shown(item: Item, value: str | float) -> str:
    """The answer as a record keeps it: numbers with their unit."""
    if item.kind is ItemKind.NUMBER:
        return (
            f"{value:g} {item.unit}".rstrip() if isinstance(value, float) else f"{value} {item.unit}".rstrip()
        )
    return str(value)


def _wrong(item: Item, value: str | float) -> AnswerProblem | None:
    if item.kind is ItemKind.YES_NO and value not in YES_NO:
        return AnswerProblem(item.key, ProblemCode.NOT_A_CHOICE, "Answer yes, no, or does not apply.")
    if item.kind is ItemKind.CHOICE and value not in {choice.key for choice in item.choices}:
        return AnswerProblem(item.key, ProblemCode.NOT_A_CHOICE, "Choose one of the answers of the form.")
    if item.kind is ItemKind.NUMBER and (isinstance(value, str) or not abs(value) <= LARGEST):
        return AnswerProblem(item.key, ProblemCode.NOT_A_NUMBER, "Write a number, such as 4.5.")
    if item.kind is ItemKind.TEXT and not isinstance(value, str):
        return AnswerProblem(item.key, ProblemCode.NOT_A_TEXT, "Write a few words.")
    return None


def answers_of(stored: Mapping[str, Any]) -> dict[str, Answer]:
    """Answers as a row keeps them."""
    return {key: Answer.model_validate(value) for key, value in stored.items()}


def refuse(problems: Collection[AnswerProblem]) -> None:
    """Return if there are none.

    Raises:
        InvalidRequest: with a sentence for every item that cannot stand.
    """
    if problems:
        raise InvalidRequest(
            f"{len(problems)} items of the form are missing or cannot stand.",
            fields={f"answers.{one.item}": one.sentence for one in problems},
        )
