"""Credentials out of anything a person or a log will read: one place, used by all.

Covers user and password inside URLs, query parameters that carry secrets, and the header forms
that libraries like to print.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASK = "***"

_USERINFO = re.compile(r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@'\"<>]*(?:@[^\s/@'\"<>]*)*@")
_QUERY = re.compile(
    r"(?P<key>[?&;](?:password|passwd|pwd|pass|token|secret|auth|key|signature|sig)=)[^&\s'\"<>]*",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?P<key>\b(?:authorization|cookie|set-cookie|x-api-key|webhook-signature)['\"]?\s*[:=]\s*)"
    r"[^\r\n]+",
    re.IGNORECASE,
)
_SECRET_FIELD = re.compile(r"password|passwd|secret|token|cookie|authorization", re.IGNORECASE)


def redact(text: str) -> str:
    """Return ``text`` with credentials in URLs, queries and headers replaced by ``***``."""
    text = _USERINFO.sub(rf"\g<scheme>{MASK}@", text)
    text = _QUERY.sub(rf"\g<key>{MASK}", text)
    return _HEADER.sub(rf"\g<key>{MASK}", text)


def redact_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Redact a mapping for logging: secret-sounding keys whole, strings by pattern, nested too."""
    return {key: _value(key, value) for key, value in values.items()}


def _value(key: str, value: object) -> object:
    if _SECRET_FIELD.search(key) and isinstance(value, str | bytes):
        return MASK
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return redact_values(value)
    if isinstance(value, list | tuple):
        return [_value(key, item) for item in value]
    if isinstance(value, BaseException):
        return redact(str(value))
    return value


def redact_log_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: the last one before rendering, so nothing gets past it."""
    return redact_values(event)
