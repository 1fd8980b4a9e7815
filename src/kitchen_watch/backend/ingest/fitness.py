"""Events that are well formed but that no database can hold: refused one by one, not with their batch."""

from __future__ import annotations

from typing import Any

from kitchen_watch.events import Event

MAX_INT32 = 2**31 - 1
MAX_INT64 = 2**63 - 1
YEARS = range(2000, 2200)
MAX_OFFSET_MS = 10 * 366 * 24 * 3600 * 1000
"""Ten years: a clock that was never set, and more than any clock that was."""


def may_hold_nul(body: bytes) -> bool:
    """Whether a text in this JSON could contain NUL, which JSON can only write escaped.

    One look at the bytes spares looking into every value of nearly every batch.
    """
    return b"\\u0000" in body


def unstorable(event: Event, raw: Any, *, look_for_nul: bool = True) -> str | None:
    """Why an event cannot be stored, or ``None``."""
    if look_for_nul and _has_nul(raw):
        return "A text contains the character NUL."
    manifest = event.evidence
    times = [event.occurred_at, event.started_at, event.last_seen_at, event.ended_at]
    large = [(event.sequence, MAX_INT32), (abs(event.server_offset_ms or 0), MAX_OFFSET_MS)]
    if manifest is not None:
        times += [manifest.created_at]
        times += [at for file in manifest.files for at in (file.starts_at, file.ends_at)]
        large += [
            (manifest.chain_index, MAX_INT64),
            *((file.size_bytes, MAX_INT64) for file in manifest.files),
        ]
    if any(at is not None and at.year not in YEARS for at in times):
        return f"A time lies outside of the years {YEARS.start} to {YEARS.stop - 1}."
    if any(value > limit for value, limit in large):
        return "A number is too large."
    return None


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(_has_nul(item) for item in value)
    return False
