"""The backend's one secret: where it comes from, and the separate keys derived from it.

Order: ``secret_key`` of the settings, the environment variable ``KITCHEN_WATCH_SECRET_KEY``, a file
``secret.key`` in the data directory that is generated once and readable by its owner only.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kitchen_watch.backend.settings import BackendSettings, check_secret
from kitchen_watch.errors import ConfigError

VARIABLE = "KITCHEN_WATCH_SECRET_KEY"
FILE_NAME = "secret.key"


def load_secret_key(settings: BackendSettings, environment: Mapping[str, str] | None = None) -> bytes:
    """The secret in force; generates the file where nothing else is given.

    Raises:
        ConfigError: the environment's value is too weak, or the file can be read by others.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    given = (os.environ if environment is None else environment).get(VARIABLE)
    if given is not None:
        try:
            check_secret(given)
        except ValueError as error:
            raise ConfigError(f"{VARIABLE}: {error}.") from None
        return given.encode()
    return _from_file(settings.data_dir / FILE_NAME)


def derive(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose (HKDF-SHA256, RFC 5869), so that no key serves two."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"kitchen_watch/" + purpose.encode()).derive(
        secret
    )


def _from_file(path: Path) -> bytes:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _generate(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the secret key cannot be read or made: {error}.") from error
    if mode & 0o077:
        raise ConfigError(
            f"{path}: other users of this machine may read the secret key. Say: chmod 600 {path}"
        )
    try:
        check_secret(text)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}.") from None
    return text.encode()


def _generate(path: Path) -> None:
    # Written beside and linked into place: of two processes that start at once, one file wins whole.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
