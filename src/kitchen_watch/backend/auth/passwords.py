"""Passwords: Argon2id hashes, what is good enough, and one-time passwords that can be read out."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kitchen_watch.errors import InvalidRequest

MIN_LENGTH = 10
MAX_LENGTH = 256
MIN_SYMBOLS = 5
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex(16))


def hash_password(password: str) -> str:
    """Argon2id with the library's parameters (RFC 9106, second recommendation)."""
    return _HASHER.hash(password)


def password_matches(password: str, password_hash: str | None) -> bool:
    """Whether it is the password; takes the same time when there is no such login (``None``)."""
    try:
        matches = _HASHER.verify(password_hash or _NOBODY, password[:MAX_LENGTH])
    except (VerificationError, InvalidHashError):
        return False
    return matches and password_hash is not None


def check_new_password(password: str, *, username: str, old: str | None = None) -> None:
    """Return if ``password`` may be used.

    Raises:
        InvalidRequest: why not, in one sentence.
    """
    if len(password) < MIN_LENGTH:
        raise InvalidRequest(f"The new password is too short: it needs at least {MIN_LENGTH} characters.")
    if len(password) > MAX_LENGTH:
        raise InvalidRequest(f"The new password is too long: at most {MAX_LENGTH} characters.")
    if len(set(password)) < MIN_SYMBOLS:
        raise InvalidRequest("The new password repeats too few different characters. Take another one.")
    if username.lower() in password.lower():
        raise InvalidRequest("The new password contains the login name. Take another one.")
    if old is not None and password == old:
        raise InvalidRequest("The new password is the old one. Take another one.")


def one_time_password() -> str:
    """Twelve characters in three groups that nobody mistakes when reading them out (59 bits)."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(3))
