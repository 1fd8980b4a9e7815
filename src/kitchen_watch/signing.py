"""How an edge proves who it is: Standard Webhooks signatures over a request.

The signed text is ``METHOD path?query`` and the SHA-256 of the body, so that a signature cannot
be moved to another route, and binary bodies need no text form. Where an edge's owner changes (a
cluster), its fencing token is a further line: it can be neither exchanged nor left out. Both sides
use this module; the cryptography is the ``standardwebhooks`` library's.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from kitchen_watch.errors import NotAuthenticated

EDGE_HEADER = "kw-edge-id"
FENCING_HEADER = "kw-fencing-token"
"""The number of the edge's present owner, which only grows; absent where an edge has one owner for ever."""
ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of the scheme, not a secret
MIN_SECRET_BYTES = 24
MAX_FENCING_TOKEN = 2**63 - 1
FENCED = "fenced"
"""The problem's code where an edge has a newer owner than the one that asks: it stops, and asks no more."""


def new_secret() -> str:
    """A fresh shared secret in the scheme's own notation (``whsec_`` + base64 of 32 bytes)."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(
    secret: str,
    *,
    edge_id: str,
    method: str,
    target: str,
    body: bytes,
    at: datetime,
    fencing_token: int | None = None,
) -> dict[str, str]:
    """Headers that sign one request. ``target`` is path and query as sent; ``at`` is UTC now."""
    request_id = f"msg_{secrets.token_hex(16)}"
    token = "" if fencing_token is None else str(fencing_token)
    signature = Webhook(secret).sign(request_id, at, _signed_text(edge_id, method, target, body, token))
    headers = {
        EDGE_HEADER: edge_id,
        ID_HEADER: request_id,
        TIMESTAMP_HEADER: str(int(at.timestamp())),
        SIGNATURE_HEADER: signature,
    }
    return {**headers, FENCING_HEADER: token} if token else headers


def verify(secret: str, *, headers: Mapping[str, str], method: str, target: str, body: bytes) -> None:
    """Return if the signature is right and within the scheme's five minutes of the real time.

    Raises:
        NotAuthenticated: missing headers, wrong signature, or a timestamp out of tolerance.
    """
    edge_id = headers.get(EDGE_HEADER, "")
    try:
        Webhook(secret).verify(
            _signed_text(edge_id, method, target, body, headers.get(FENCING_HEADER, "")),
            {
                "webhook-id": headers.get(ID_HEADER, ""),
                "webhook-timestamp": headers.get(TIMESTAMP_HEADER, ""),
                "webhook-signature": headers.get(SIGNATURE_HEADER, ""),
            },
            json_parse=False,
        )
    except (WebhookVerificationError, ValueError) as error:  # ValueError: malformed base64
        raise NotAuthenticated(f"The request's signature was not accepted: {error}.") from error


def signed_at(headers: Mapping[str, str]) -> datetime | None:
    """The time a request claims to have been signed at, or ``None`` where unreadable."""
    try:
        return datetime.fromtimestamp(int(headers.get(TIMESTAMP_HEADER, "")), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def fencing_token(headers: Mapping[str, str]) -> int | None:
    """The fencing token of a request, or ``None`` where it carries none.

    Raises:
        NotAuthenticated: it is no number from 1 on that a database can hold.
    """
    text = headers.get(FENCING_HEADER, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text[:20]) <= MAX_FENCING_TOKEN:
        raise NotAuthenticated(f"{FENCING_HEADER} is no fencing token. It is a whole number from 1 on.")
    return int(text)


def _signed_text(edge_id: str, method: str, target: str, body: bytes, token: str) -> str:
    text = f"{edge_id}\n{method.upper()} {target}\n{hashlib.sha256(body).hexdigest()}"
    return f"{text}\n{FENCING_HEADER}: {token}" if token else text
