"""Evidence in an object store: a second place that outlives the machine, and the one place where the
library's errors become ours.

Keys are ``<edge_id>/<path below the data directory>``, so that edges can share a bucket. Every call
blocks, for a bounded time; call them in a thread. Safe to use from several.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from kitchen_watch.edge.evidence.package import PART
from kitchen_watch.errors import ConfigError, EvidenceError, EvidenceMissing, EvidenceTampered
from kitchen_watch.redact import redact

CLIENT = {"connect_timeout": "3s", "timeout": "60s"}
RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object below an edge's part of the store; ``path`` as in its data directory."""

    path: str
    modified_at: datetime


class RemoteEvidence:
    """One edge's evidence in an object store. Build with :func:`open_remote`."""

    def __init__(self, store: Any, *, edge_id: str, shown: str) -> None:
        self._store = store
        self._edge_id = edge_id
        self._shown = shown

    def put(self, path: str, file: Path) -> None:
        """Store a file that lies on disk; durable on return. Another of the same path is replaced.

        Raises:
            EvidenceError: the store does not take it, or the file is not there.
        """
        with self._translated(path):
            _library().put(self._store, self._key(path), file)

    def has(self, path: str) -> bool:
        """Whether it is there.

        Raises:
            EvidenceError: the store does not answer.
        """
        try:
            with self._translated(path):
                _library().head(self._store, self._key(path))
        except EvidenceMissing:
            return False
        return True

    def fetch(self, path: str, target: Path, *, sha256: str) -> None:
        """Bring a file back to disk, whole and with this hash or not at all; durable on return.

        Raises:
            EvidenceMissing: it is not there.
            EvidenceTampered: it is not what its manifest says.
            EvidenceError: the store or the disk does not answer.
        """
        part = target.with_name(target.name + PART)
        digest = hashlib.sha256()
        try:
            with self._translated(path):
                target.parent.mkdir(parents=True, exist_ok=True)
                with part.open("wb") as file:
                    for chunk in _library().get(self._store, self._key(path)).stream():
                        digest.update(chunk)
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                if digest.hexdigest() != sha256:
                    raise EvidenceTampered(f"{self._shown}: {path} is not what its manifest says.")
                part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def remove(self, path: str) -> None:
        """Delete it; nothing happens if it is not there.

        Raises:
            EvidenceError: the store does not answer.
        """
        try:
            with self._translated(path):
                _library().delete(self._store, self._key(path))
        except EvidenceMissing:
            return

    def below(self, folder: str) -> list[StoredObject]:
        """Every object below a folder.

        Raises:
            EvidenceError: the store does not answer.
        """
        own = f"{self._edge_id}/"
        with self._translated(folder):
            return [
                StoredObject(item["path"].removeprefix(own), item["last_modified"])
                for some in _library().list(self._store, self._key(folder))
                for item in some
            ]

    def _key(self, path: str) -> str:
        return f"{self._edge_id}/{path}"

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise EvidenceMissing(f"{self._shown}: {path} is not there.") from error
        except (_library().exceptions.BaseError, OSError) as error:
            why = redact(str(error).split("\n", 1)[0])
            raise EvidenceError(
                f"{self._shown}: evidence cannot be stored or read: {why}. Check the store and the network."
            ) from error


def open_remote(url: str, options: Mapping[str, SecretStr], *, edge_id: str) -> RemoteEvidence:
    """The edge's part of the store at ``url`` (s3://bucket/prefix, gs://, az://, file:///folder).

    What ``options`` do not say (keys, region, endpoint) is taken from the environment. Nothing is asked
    of the store yet.

    Raises:
        ConfigError: the address or an option cannot be used, or the extra is not installed.
    """
    obstore = _library()
    config: dict[str, Any] = {name: value.get_secret_value() for name, value in options.items()}
    parts = urlsplit(url)
    try:
        if parts.scheme == "file":
            Path(unquote(parts.path)).mkdir(parents=True, exist_ok=True)
            store = _from_url()(url)
        elif parts.scheme == "memory":
            store = _from_url()(url)
        else:
            plain = config.get("endpoint", "").startswith("http://")
            client = {**CLIENT, "allow_http": True} if plain else CLIENT
            store = _from_url()(url, config=config or None, client_options=client, retry_config=RETRIES)
    except (obstore.exceptions.BaseError, OSError, ValueError, TypeError) as error:
        why = redact(str(error).split("\n", 1)[0])
        for secret in config.values():
            why = why.replace(str(secret), "***") if secret else why
        raise ConfigError(
            f"evidence.store: {redact(url)} cannot be used: {why}. Write it as s3://bucket/prefix or file:///folder."
        ) from error
    return RemoteEvidence(store, edge_id=edge_id, shown=redact(url))


def _library() -> Any:
    try:
        import obstore  # noqa: PLC0415 - an extra
        import obstore.exceptions  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "evidence.store: the library is not installed. Say: pip install 'kitchen-watch[cluster]'"
        ) from error
    return obstore


def _from_url() -> Callable[..., Any]:
    from obstore.store import from_url  # noqa: PLC0415 - an extra

    return from_url
