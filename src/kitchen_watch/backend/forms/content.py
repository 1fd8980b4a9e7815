"""What a check form consists of: sections of fixed items, each with the answers it takes. Plain data."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

MAX_SECTIONS = 20
MAX_ITEMS = 60
MAX_CHOICES = 12
MAX_TEXT = 1000
"""Characters of a text answer or of a remark."""

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["hats"])]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
NameEn = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f]*$")]


class FormKind(StrEnum):
    """What a form is filled for: by officers, or by the premises itself."""

    PATROL = "patrol"
    """网上巡查: an officer looks through the cameras."""
    ON_SITE = "on_site"
    """现场检查: an officer stands in the kitchen."""
    DAILY = "daily"
    """日管控."""
    WEEKLY = "weekly"
    """周排查."""
    MONTHLY = "monthly"
    """月调度."""


OFFICERS_KINDS = frozenset({FormKind.PATROL, FormKind.ON_SITE})
"""Kinds that supervision staff fill; the others are the premises' own."""


class ItemKind(StrEnum):
    """How an item is answered."""

    YES_NO = "yes_no"
    """``yes``, ``no`` or ``na`` (does not apply here)."""
    CHOICE = "choice"
    NUMBER = "number"
    """A measured value: rapid tests (快检), samples (抽检), temperatures."""
    TEXT = "text"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Choice(_Part):
    """One of the answers of a choice item."""

    key: Key
    name: Name
    name_en: NameEn = ""
    good: bool = Field(default=True, description="False: this answer is a finding")


class Item(_Part):
    """One line of a form.

    A finding is: the answer that is not ``good`` (yes/no), a choice that is not good, a number
    outside of ``minimum`` and ``maximum``. A text is never a finding.
    """

    key: Key
    name: Name
    name_en: NameEn = ""
    kind: ItemKind = ItemKind.YES_NO
    required: bool = Field(default=True, description="a form without it is not complete")
    photo_if_bad: bool = Field(default=False, description="a finding needs a photo or snapshot")
    hint: NameEn = ""
    hint_en: NameEn = ""
    good: Annotated[str, Field(pattern="^(yes|no)$")] = Field(
        default="yes", description="yes/no items: the answer that is in order"
    )
    choices: tuple[Choice, ...] = Field(default=(), max_length=MAX_CHOICES)
    unit: Annotated[str, Field(max_length=20)] = Field(default="", examples=["°C"])
    minimum: FiniteFloat | None = Field(default=None, description="numbers: below it is a finding")
    maximum: FiniteFloat | None = Field(default=None, description="numbers: above it is a finding")

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.kind is ItemKind.CHOICE:
            if len(self.choices) < 2 or len({one.key for one in self.choices}) < len(self.choices):
                raise ValueError(f"{self.key}: a choice item needs two or more choices with different keys")
        elif self.choices:
            raise ValueError(f"{self.key}: only a choice item has choices")
        if self.kind is not ItemKind.NUMBER and (
            self.unit or self.minimum is not None or self.maximum is not None
        ):
            raise ValueError(f"{self.key}: only a number has a unit and limits")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"{self.key}: its lower limit lies above the upper one")
        if self.kind is ItemKind.TEXT and self.photo_if_bad:
            raise ValueError(f"{self.key}: a text is never a finding, so it cannot need a photo")
        return self


class Section(_Part):
    """Items that belong together."""

    key: Key
    name: Name
    name_en: NameEn = ""
    items: tuple[Item, ...] = Field(min_length=1, max_length=MAX_ITEMS)


class FormContent(_Part):
    """Everything that a version of a form fixes."""

    name: Name
    name_en: NameEn = ""
    sections: tuple[Section, ...] = Field(min_length=1, max_length=MAX_SECTIONS)

    @model_validator(mode="after")
    def _keys_are_unique(self) -> Self:
        keys = [item.key for item in self.all_items()]
        if len(keys) > MAX_ITEMS:
            raise ValueError(f"a form has at most {MAX_ITEMS} items; nobody fills a longer one with care")
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"two items are called {twice[0]}; every item needs a key of its own")
        return self

    def all_items(self) -> Iterator[Item]:
        """The items of all sections in order."""
        for section in self.sections:
            yield from section.items
