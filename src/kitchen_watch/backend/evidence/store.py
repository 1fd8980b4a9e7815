"""Evidence files on disk: resumable uploads, and finished files under the name of their hash.

``<directory>/ab/cd/<sha256>`` holds finished files; ``<directory>/partial/<edge>/<sha256>`` what an
edge has uploaded so far. The size of a partial file is the truth about how far an upload got, so
nothing is lost or doubled when the process dies between two chunks. A file is given its final
name only after its whole content was hashed again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MAX_CHUNK = 4 * 1024 * 1024
_BLOCK = 1024 * 1024


class Progress(StrEnum):
    """What became of one chunk."""

    GROWING = "growing"
    WHOLE = "whole"
    WRONG_OFFSET = "wrong_offset"
    """The upload stands elsewhere, or the chunk goes beyond the promised size. Nothing was written."""
    WRONG_CONTENT = "wrong_content"
    """All bytes were here, but are not what the hash says; they are thrown away."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Where an upload stands after a chunk."""

    progress: Progress
    received_bytes: int


class EvidenceStore:
    """All evidence files of one backend; several processes may share the directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, sha256: str) -> Path:
        """Where the finished file lies or will lie."""
        return self._directory / sha256[:2] / sha256[2:4] / sha256

    def received(self, edge_id: str, sha256: str) -> int:
        """How many bytes of an unfinished upload are here."""
        try:
            return self._partial(edge_id, sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, edge_id: str, sha256: str, *, offset: int, chunk: bytes, size: int) -> Upload:
        """Write ``chunk`` at ``offset``; when ``size`` bytes are here, verify and publish the file.

        An empty chunk at the end finishes an upload whose last answer was lost.
        """
        partial = self._partial(edge_id, sha256)
        partial.parent.mkdir(parents=True, exist_ok=True)
        with self._locked(partial) as descriptor:
            received = os.fstat(descriptor).st_size
            if offset != received or received + len(chunk) > size:
                return Upload(Progress.WRONG_OFFSET, received)
            _write_all(descriptor, chunk)
            received += len(chunk)
            if received < size:
                return Upload(Progress.GROWING, received)
            os.fsync(descriptor)
            if _hash(partial) != sha256:
                os.ftruncate(descriptor, 0)
                return Upload(Progress.WRONG_CONTENT, 0)
            self._publish(partial, self.path(sha256))
            return Upload(Progress.WHOLE, received)

    def publish(self, edge_id: str, sha256: str) -> None:
        """The verified upload as the finished file, unless that is there."""
        partial = self._partial(edge_id, sha256)
        if partial.exists():  # else a process that was faster has finished this upload
            self._publish(partial, self.path(sha256))

    def remove(self, sha256: str) -> None:
        """The finished file is no longer kept."""
        self.path(sha256).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """What the disk that holds the files has left."""
        present = next(path for path in (self._directory, *self._directory.parents) if path.exists())
        return shutil.disk_usage(present).free

    def discard_partial(self, edge_id: str, sha256: str) -> None:
        """Forget the upload's own copy, once the database knows that the file is complete."""
        self._partial(edge_id, sha256).unlink(missing_ok=True)

    def _partial(self, edge_id: str, sha256: str) -> Path:
        # An edge id may hold colons, but by its pattern neither slashes nor a leading dot.
        return self._directory / "partial" / edge_id / sha256

    @contextmanager
    def _locked(self, path: Path) -> Iterator[int]:
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if _same_file(descriptor, path):  # not unlinked while we waited for the lock
                    yield descriptor
                    return
            finally:
                os.close(descriptor)

    def _publish(self, partial: Path, final: Path) -> None:
        # A hard link, not a move: until the database knows, the partial file still proves the upload.
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(partial, final)
        except FileExistsError:
            return
        for directory in (final.parent, final.parent.parent, self._directory):
            _sync_directory(directory)


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
