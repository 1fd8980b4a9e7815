"""Evidence packages on disk: one folder per violation, every file written whole or not at all.

Layout: ``<data_dir>/evidence/YYYY/MM/DD/<violation_id>/`` with snapshots, clips and one
``manifest-<chain_index>.json`` per manifest; the day is the local one of the violation's start.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath
from uuid import UUID

from kitchen_watch.edge.evidence.manifest import manifest_bytes, manifest_name
from kitchen_watch.errors import EvidenceError
from kitchen_watch.events import EvidenceFile, EvidenceKind, EvidenceManifest

ROOT = "evidence"
PART = ".part"
"""Suffix of files that are being written; whatever carries it after a crash is worth nothing."""
REMOVED_NAME = "removed.json"
"""Says which files of a package were deleted, by whom and when; their manifests stay."""
RESERVE_BYTES = 64 * 1024 * 1024
"""No picture is written into the last of the disk: it belongs to the events themselves."""

_STEMS = {EvidenceKind.CLEAN: "clean", EvidenceKind.ANNOTATED: "annotated", EvidenceKind.CLIP: "clip"}
_ENDINGS = {"image/jpeg": ".jpg", "video/mp4": ".mp4"}
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class PackageFiles:
    """Files that lie on disk and wait for their manifest. ``folder`` is relative to the data directory."""

    folder: str
    files: tuple[EvidenceFile, ...]


class Packages:
    """Writes and names the files of all packages of one edge. Safe to use from several threads,
    as long as each violation's files are written by one at a time.
    """

    def __init__(self, data_dir: Path, *, zone: tzinfo, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._data_dir = data_dir
        self._zone = zone
        self._reserve = reserve_bytes

    @property
    def data_dir(self) -> Path:
        """The directory that relative paths start from."""
        return self._data_dir

    def folder(self, violation_id: UUID, started_at: datetime) -> str:
        """The violation's folder, relative to the data directory."""
        day = started_at.astimezone(self._zone)
        return str(PurePosixPath(ROOT, f"{day:%Y}", f"{day:%m}", f"{day:%d}", str(violation_id)))

    def put(self, folder: str, kind: EvidenceKind, content: bytes, *, at: datetime) -> EvidenceFile:
        """Write a picture (JPEG) that was taken at ``at``; durable on return.

        Raises:
            EvidenceError: the disk is full or cannot be written; nothing is left behind.
        """
        directory = self._directory(folder, needed=len(content))
        name = _free_name(directory, kind, at, _ENDINGS["image/jpeg"])
        self._write(directory / name, content)
        return EvidenceFile(
            name=name,
            kind=kind,
            media_type="image/jpeg",
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            starts_at=at,
        )

    def part(self, folder: str, name: str) -> Path:
        """A path in ``folder`` to write a clip to, before :meth:`adopt` gives it its name.

        Raises:
            EvidenceError: the disk is full or cannot be written.
        """
        return self._directory(folder, needed=0) / f"{name}{PART}"

    def adopt(self, folder: str, part: Path, *, starts_at: datetime, ends_at: datetime) -> EvidenceFile:
        """Take over a finished clip (MP4) from :meth:`part`; durable on return.

        Raises:
            EvidenceError: it cannot be kept; the part is removed.
        """
        directory = self._data_dir / folder
        name = _free_name(directory, EvidenceKind.CLIP, starts_at, _ENDINGS["video/mp4"])
        with _translated(directory, discard=part):
            with part.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.seek(0, os.SEEK_END)
                os.fsync(file.fileno())
            part.rename(directory / name)
            _sync_directory(directory)
        return EvidenceFile(
            name=name,
            kind=EvidenceKind.CLIP,
            media_type="video/mp4",
            size_bytes=size,
            sha256=digest,
            starts_at=starts_at,
            ends_at=ends_at,
        )

    def write_manifest(self, folder: str, manifest: EvidenceManifest) -> None:
        """Write a sealed manifest beside the files it names; durable on return.

        Raises:
            EvidenceError: the disk is full or cannot be written.
        """
        directory = self._directory(folder, needed=None)
        self._write(directory / manifest_name(manifest.chain_index), manifest_bytes(manifest))

    def write_note(self, folder: str, name: str, content: bytes) -> None:
        """Write a small file of ours that is not evidence, such as a note of what was removed.

        Raises:
            EvidenceError: the disk is full or cannot be written.
        """
        self._write(self._directory(folder, needed=None) / name, content)

    def discard(self, package: PackageFiles) -> None:
        """Take back files whose manifest was never sealed."""
        for file in package.files:
            (self._data_dir / package.folder / file.name).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove what a crash left half written; the number of files removed."""
        parts = list((self._data_dir / ROOT).glob(f"*/*/*/*/*{PART}"))
        for part in parts:
            part.unlink(missing_ok=True)
        return len(parts)

    def free_bytes(self) -> int:
        """Free space where evidence is kept."""
        return free_bytes(self._data_dir)

    def _directory(self, folder: str, *, needed: int | None) -> Path:
        """The folder, made if need be. ``needed`` bytes must fit beside the reserve (None: no check)."""
        directory = self._data_dir / folder
        with _translated(directory):
            _make_directory(directory)
            free = free_bytes(directory)
        if needed is not None and free - needed < self._reserve:
            raise _full(directory, f"{free // 1_000_000} MB are left, and the last of them is for events")
        return directory

    def _write(self, path: Path, content: bytes) -> None:
        part = path.with_name(path.name + PART)
        with _translated(path.parent, discard=part):
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            _sync_directory(path.parent)


def free_bytes(directory: Path) -> int:
    """Bytes that this process may still write to the file system of ``directory``.

    Raises:
        OSError: there is no such directory.
    """
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize


@contextmanager
def _translated(place: Path, *, discard: Path | None = None) -> Iterator[None]:
    """The one place where an error of the file system becomes ours."""
    try:
        yield
    except OSError as error:
        if discard is not None:
            discard.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise _full(place, "nothing more can be written") from error
        raise EvidenceError(
            f"{place}: evidence cannot be written: {error.strerror or error}. "
            "Check that the directory exists and belongs to the edge's user."
        ) from error


def _full(place: Path, why: str) -> EvidenceError:
    return EvidenceError(
        f"{place}: the disk is full ({why}), so this evidence is not kept; what is recorded already stays. "
        "Free space there, or give the edge a larger disk."
    )


def _free_name(directory: Path, kind: EvidenceKind, at: datetime, ending: str) -> str:
    """Kind and UTC time to the millisecond; a number follows where that is taken."""
    moment = at.astimezone(UTC)
    stem = f"{_STEMS[kind]}-{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z"
    name, number = stem + ending, 1
    while (directory / name).exists():
        number += 1
        name = f"{stem}-{number}{ending}"
    return name


def _make_directory(directory: Path) -> None:
    """``mkdir -p`` whose new directories survive a power cut."""
    missing = []
    while not directory.exists():
        missing.append(directory)
        directory = directory.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
