"""Words that people search for: taken literally, in small and capital letters alike."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.orm import InstrumentedAttribute


def holds_words(words: str, *columns: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether one of the columns holds ``words``; ``%``, ``_`` and ``\\`` are letters like any other.

    No words are held by everything.
    """
    if not words:
        return true()
    return or_(*(column.icontains(words, autoescape=True) for column in columns))
