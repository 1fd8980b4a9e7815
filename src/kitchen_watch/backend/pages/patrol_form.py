"""From the fields of a page's form to the answers of a check form, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from kitchen_watch.backend.forms.answers import LARGEST, Answer
from kitchen_watch.backend.forms.content import MAX_TEXT, FormContent, Item, ItemKind
from kitchen_watch.backend.patrols.schemas import FindingBody
from kitchen_watch.errors import InvalidRequest


def read_answers(content: FormContent, fields: Mapping[str, str]) -> dict[str, Answer]:
    """Answers from fields ``a.<item>`` (the value) and ``n.<item>`` (a remark)."""
    found = {}
    for item in content.all_items():
        value = _value(item, clean(fields.get(f"a.{item.key}", "")))
        note = clean(fields.get(f"n.{item.key}", ""))
        if value is not None or note:
            found[item.key] = Answer(value=value, note=note)
    return found


def read_findings(fields: Mapping[str, str], bad: set[str]) -> list[FindingBody]:
    """Deadlines of the findings from fields ``d.<item>``, and one besides the items.

    Raises:
        InvalidRequest: a deadline that is no day.
    """
    found = [
        FindingBody(item=key, due_on=_day(fields[f"d.{key}"]))
        for key in sorted(bad)
        if fields.get(f"d.{key}")
    ]
    extra = clean(fields.get("extra_text", ""))
    if extra:
        found.append(FindingBody(text=extra, due_on=_day(fields.get("extra_due", ""))))
    return found


def clean(text: str) -> str:
    """Text as it can be kept: no control characters, one kind of line end, not too long."""
    text = text.replace("\r\n", "\n").strip()
    return "".join(one for one in text if one in "\n\t" or ord(one) >= 32)[:MAX_TEXT]


def _value(item: Item, text: str) -> str | float | None:
    if not text:
        return None
    if item.kind is not ItemKind.NUMBER:
        return text
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text  # judged as what it is: no number
    return number if abs(number) <= LARGEST else text


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRequest("A deadline is a day, such as 2026-03-05.") from None
