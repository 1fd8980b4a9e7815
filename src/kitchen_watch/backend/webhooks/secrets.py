"""Secrets of receivers: which ones can sign, and which are in force."""

from __future__ import annotations

from datetime import datetime

from standardwebhooks.webhooks import Webhook

from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.webhooks.tables import ReceiverKind, ReceiverRow
from kitchen_watch.errors import InvalidRequest
from kitchen_watch.signing import SECRET_PREFIX, new_secret


def checked_secret(kind: ReceiverKind, given: str | None) -> str:
    """The secret that was given, or a new one where none was.

    Raises:
        InvalidRequest: it cannot sign, or a robot's was left out.
    """
    if kind is ReceiverKind.DINGTALK:
        if given is None:
            raise InvalidRequest("Give the robot's signing secret (SEC...), as DingTalk shows it.")
        return given
    secret = given or new_secret()
    try:
        Webhook(secret)
    except (ValueError, RuntimeError):
        secret = ""
    if not secret.startswith(SECRET_PREFIX) or len(secret) < len(SECRET_PREFIX) + 32:
        raise InvalidRequest(
            "The secret must be whsec_ and the base64 of at least 24 bytes; or leave it out."
        )
    return secret


def secrets_of(row: ReceiverRow, vault: Vault, *, now: datetime) -> tuple[str, ...]:
    """The secrets that sign a message now, the present one first."""
    sealed = [row.sealed_secret]
    if row.sealed_old_secret is not None and row.old_secret_until is not None and now < row.old_secret_until:
        sealed.append(row.sealed_old_secret)
    return tuple(vault.open(one).get_secret_value() for one in sealed)
