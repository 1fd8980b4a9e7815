"""A file of zeros that is thrown overboard when the disk is full, so that events still fit."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1024 * 1024
SIZE = 16 * 1024 * 1024
"""Room for several thousand events."""
ROOM = 4 * SIZE
"""It is taken aboard again only where this much is free beside it."""


class Ballast:
    """Keeps ``SIZE`` bytes of the disk for the worst moment."""

    def __init__(self, path: Path, *, size: int = SIZE) -> None:
        self._path = path
        self._size = size

    def take(self) -> bool:
        """Reserve the space unless it is reserved or the disk too full for it; whether it is aboard."""
        if self._path.exists():
            return True
        status = os.statvfs(self._path.parent)
        if status.f_bavail * status.f_frsize < self._size + ROOM:
            return False
        try:
            with self._path.open("wb") as file:
                _reserve(file, self._size)
                os.fsync(file.fileno())
        except OSError:
            self.drop()
            return False
        return True

    def drop(self) -> bool:
        """Give the space free; whether there was any to give."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
            return True
        return False


def _reserve(file: BinaryIO, size: int) -> None:
    """Take ``size`` bytes of the disk: a file that is only long would be sparse and reserve nothing."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    for _ in range(0, size, _BLOCK):  # macOS
        file.write(bytes(_BLOCK))
