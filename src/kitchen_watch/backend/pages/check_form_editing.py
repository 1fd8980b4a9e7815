"""A check form as the fields of a page, and back: sections and items by number, new ones where named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kitchen_watch.backend.forms.content import Choice, FormContent, ItemKind, Section

BAD = "!"
"""Begins the line of a choice that is a finding."""
ENGLISH = " / "
"""Stands between the Chinese and the English name of a choice."""
MOST_DIGITS = 4
"""Of the number of a section or an item on the page."""


def choice_lines(choices: tuple[Choice, ...]) -> str:
    """One choice a line, as it is typed."""
    return "\n".join(
        ("" if one.good else BAD) + one.name + (f"{ENGLISH}{one.name_en}" if one.name_en else "")
        for one in choices
    )


def content_of_fields(fields: Mapping[str, str], before: FormContent | None) -> FormContent:
    """What the page says. Keys stay with their items, whatever these are called now; new items get new ones.

    Raises:
        ValueError: it is no possible form; the words of the first thing that is wrong.
    """
    keys = Keys(before)
    sections = []
    for mark in _numbered(fields, ""):
        items = [_item(fields, one, keys, before) for one in _numbered(fields, f"{mark}-")]
        name = fields.get(f"{mark}-name", "").strip()
        if name and items:
            sections.append(
                {
                    "key": fields.get(f"{mark}-key") or keys.new("section"),
                    "name": name,
                    "name_en": fields.get(f"{mark}-name_en", ""),
                    "items": items,
                }
            )
    values = {"name": fields.get("name", ""), "name_en": fields.get("name_en", ""), "sections": sections}
    return FormContent.model_validate(values)


def rows_of(fields: Mapping[str, str]) -> list[int]:
    """How many lines of items each section of the page has, empty ones for new items among them."""
    rows: list[int] = []
    while f"{len(rows)}-name" in fields:
        rows.append(_count(fields, f"{len(rows)}-"))
    return rows


def moved(fields: Mapping[str, str], mark: str, by: int) -> tuple[dict[str, str], str]:
    """The fields with a section ("1") or an item ("0-2") in the place of its neighbour, and its new mark.

    Everything typed goes with it. What stands at an end, or is not there, stays where it is.
    """
    before, _, number = mark.rpartition("-")
    prefix = f"{before}-" if before else ""
    if not number.isdecimal() or f"{mark}-name" not in fields or len(number) > MOST_DIGITS:
        return dict(fields), mark
    other = f"{prefix}{int(number) + by}"
    if f"{other}-name" not in fields:
        return dict(fields), mark
    swapped = {}
    for key, value in fields.items():
        if key.startswith(f"{mark}-"):
            swapped[f"{other}-{key.removeprefix(f'{mark}-')}"] = value
        elif key.startswith(f"{other}-"):
            swapped[f"{mark}-{key.removeprefix(f'{other}-')}"] = value
        else:
            swapped[key] = value
    return swapped, other


class Keys:
    """Gives keys that no section or item of the form has had."""

    def __init__(self, before: FormContent | None) -> None:
        sections: tuple[Section, ...] = before.sections if before else ()
        self._taken = {key for one in sections for key in (one.key, *(item.key for item in one.items))}

    def new(self, kind: str) -> str:
        """The first free one of a kind."""
        number = 1
        while f"{kind}_{number}" in self._taken:
            number += 1
        self._taken.add(f"{kind}_{number}")
        return f"{kind}_{number}"


def _count(fields: Mapping[str, str], prefix: str) -> int:
    number = 0
    while f"{prefix}{number}-name" in fields:
        number += 1
    return number


def _numbered(fields: Mapping[str, str], prefix: str) -> Iterator[str]:
    """The marks of sections ("0", "1") or of a section's items ("0-0"), as long as they have a name."""
    for number in range(_count(fields, prefix)):
        mark = f"{prefix}{number}"
        if fields[f"{mark}-name"].strip() and f"{mark}-out" not in fields:
            yield mark


def _item(fields: Mapping[str, str], mark: str, keys: Keys, before: FormContent | None) -> dict[str, Any]:
    def text(name: str) -> str:
        return fields.get(f"{mark}-{name}", "").strip()

    kind = text("kind") or ItemKind.YES_NO.value
    key = text("key") or keys.new("item")
    item: dict[str, Any] = {
        "key": key,
        "name": text("name"),
        "name_en": text("name_en"),
        "kind": kind,
        "required": f"{mark}-required" in fields,
        "photo_if_bad": f"{mark}-photo" in fields and kind != ItemKind.TEXT,
        "hint": text("hint"),
        "hint_en": text("hint_en"),
        "good": text("good") or "yes",
    }
    if kind == ItemKind.NUMBER:
        item |= {
            "unit": text("unit"),
            "minimum": text("minimum") or None,
            "maximum": text("maximum") or None,
        }
    if kind == ItemKind.CHOICE:
        item["choices"] = _choices(text("choices"), _choices_before(before, key))
    return item


def _choices_before(before: FormContent | None, key: str) -> dict[str, str]:
    found = next((one for one in (before.all_items() if before else ()) if one.key == key), None)
    return {one.name: one.key for one in found.choices} if found else {}


def _choices(lines: str, known: dict[str, str]) -> list[dict[str, Any]]:
    choices: list[dict[str, Any]] = []
    taken = set(known.values())
    for line in filter(None, map(str.strip, lines.splitlines())):
        name, _, name_en = line.removeprefix(BAD).partition(ENGLISH)
        number = len(choices) + 1
        while f"choice_{number}" in taken:
            number += 1
        key = known.get(name.strip(), f"choice_{number}")
        taken.add(key)
        choices.append(
            {"key": key, "name": name.strip(), "name_en": name_en.strip(), "good": not line.startswith(BAD)}
        )
    return choices
