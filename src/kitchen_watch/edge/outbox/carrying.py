"""Small files that follow an edge from machine to machine: the configuration that it accepted, with its
privacy masks, and what the backend has asked it to hold. They go through the cluster's database.
"""

from __future__ import annotations

import os
from pathlib import Path

from kitchen_watch.edge.outbox.appending import put_meta
from kitchen_watch.edge.outbox.database import Connection
from kitchen_watch.errors import EvidenceError

_KEY = "file:"


def carry(connection: Connection, data_dir: Path, name: str) -> None:
    """Take the file as it is on this machine.

    Raises:
        EvidenceError: it cannot be read.
    """
    try:
        content = (data_dir / name).read_text(encoding="utf-8")
    except OSError as error:
        raise EvidenceError(f"{data_dir / name}: cannot be read: {error.strerror}.") from error
    put_meta(connection, _KEY + name, content)


def bring(connection: Connection, data_dir: Path) -> None:
    """Put every file that the edge had on its last machine onto this one, whole or not at all.

    Raises:
        EvidenceError: the disk does not take it.
    """
    for row in connection.execute("SELECT key, value FROM meta WHERE key LIKE 'file:%'").fetchall():
        target = data_dir / row["key"].removeprefix(_KEY)
        draft = target.with_suffix(".brought")
        try:
            with open(draft, "w", encoding="utf-8", opener=_private) as file:
                file.write(row["value"])
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        except OSError as error:
            raise EvidenceError(f"{target}: cannot be written: {error.strerror}.") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
