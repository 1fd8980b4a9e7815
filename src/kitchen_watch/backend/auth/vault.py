"""The shared secrets of edges, encrypted at rest.

An HMAC needs the secret itself, so it cannot be hashed like a password. A copy of the database (a
backup, a dump) must not let anybody sign as an edge; the key stays outside of it, in the
backend's secret key. Fernet (AES-128-CBC with HMAC-SHA256) is the ``cryptography`` library's.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from kitchen_watch.backend.secret_key import derive
from kitchen_watch.errors import ConfigError


class Vault:
    """Seals and opens secrets with a key derived from the backend's secret key."""

    def __init__(self, secret_key: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(derive(secret_key, "edge-secrets")))

    def seal(self, secret: SecretStr) -> str:
        """Text for the database."""
        return self._fernet.encrypt(secret.get_secret_value().encode()).decode()

    def open(self, sealed: str) -> SecretStr:
        """The secret again.

        Raises:
            ConfigError: it was sealed with another secret key.
        """
        try:
            return SecretStr(self._fernet.decrypt(sealed.encode()).decode())
        except InvalidToken:
            raise ConfigError(
                "The edges' secrets were stored under another secret key. Restore the old secret.key, "
                "or give every edge a new secret."
            ) from None
