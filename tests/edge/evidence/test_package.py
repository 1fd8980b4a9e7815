"""Files of a package appear whole or not at all, under names without surprises."""

from __future__ import annotations

import errno
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from kitchen_watch.edge.evidence.package import RESERVE_BYTES, PackageFiles, Packages
from kitchen_watch.errors import EvidenceError
from kitchen_watch.events import EvidenceKind
from tests.edge.evidence.cameras import at

VIOLATION = UUID("12345678-1234-5678-1234-567812345678")


def packages(tmp_path: Path) -> Packages:
    return Packages(tmp_path, zone=ZoneInfo("Asia/Shanghai"), reserve_bytes=0)


def test_a_folder_carries_the_local_day_and_the_violation(tmp_path: Path) -> None:
    late = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)  # 01:30 of the next day in Shanghai
    folder = packages(tmp_path).folder(VIOLATION, late)
    assert folder == "evidence/2026/03/03/12345678-1234-5678-1234-567812345678"


def test_a_picture_is_kept_with_its_hash_and_no_traces_of_writing(tmp_path: Path) -> None:
    writer = packages(tmp_path)
    folder = writer.folder(VIOLATION, at(0))
    file = writer.put(folder, EvidenceKind.CLEAN, b"picture", at=at(1.5))
    assert file.name == "clean-20260302T040001500Z.jpg"
    assert file.sha256 == hashlib.sha256(b"picture").hexdigest()
    assert [path.name for path in (tmp_path / folder).iterdir()] == [file.name]


def test_two_pictures_of_one_moment_do_not_overwrite_each_other(tmp_path: Path) -> None:
    writer = packages(tmp_path)
    folder = writer.folder(VIOLATION, at(0))
    names = {writer.put(folder, EvidenceKind.CLEAN, b"%d" % n, at=at(0)).name for n in range(3)}
    assert len(names) == 3
    assert {(tmp_path / folder / name).read_bytes() for name in names} == {b"0", b"1", b"2"}


def test_a_clip_is_taken_over_when_it_is_finished(tmp_path: Path) -> None:
    writer = packages(tmp_path)
    folder = writer.folder(VIOLATION, at(0))
    part = writer.part(folder, "clip")
    part.write_bytes(b"a film")
    file = writer.adopt(folder, part, starts_at=at(0), ends_at=at(15))
    assert (file.size_bytes, file.sha256) == (6, hashlib.sha256(b"a film").hexdigest())
    assert (file.starts_at, file.ends_at) == (at(0), at(15))
    assert not part.exists()


def test_the_last_of_the_disk_is_not_for_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)
    blocks = (RESERVE_BYTES + 100) // real.f_frsize

    class Full:
        f_bavail, f_frsize = blocks, real.f_frsize

    monkeypatch.setattr(os, "statvfs", lambda _: Full)
    writer = Packages(tmp_path, zone=UTC)
    folder = writer.folder(VIOLATION, at(0))
    with pytest.raises(EvidenceError, match="the disk is full"):
        writer.put(folder, EvidenceKind.CLEAN, bytes(2 * real.f_frsize), at=at(0))
    assert list((tmp_path / folder).iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_while_writing_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    writer = packages(tmp_path)
    folder = writer.folder(VIOLATION, at(0))
    kept = writer.put(folder, EvidenceKind.CLEAN, b"before", at=at(0))

    def full(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EvidenceError, match=r"the disk is full .* what is recorded already stays"):
        writer.put(folder, EvidenceKind.CLEAN, b"after", at=at(1))
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / folder).iterdir()] == [kept.name]


def test_a_directory_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file in the way")
    writer = packages(tmp_path)
    with pytest.raises(EvidenceError, match="evidence cannot be written"):
        writer.put(writer.folder(VIOLATION, at(0)), EvidenceKind.CLEAN, b"x", at=at(0))


def test_what_a_crash_left_half_written_is_swept_away(tmp_path: Path) -> None:
    writer = packages(tmp_path)
    folder = writer.folder(VIOLATION, at(0))
    kept = writer.put(folder, EvidenceKind.CLEAN, b"whole", at=at(0))
    writer.part(folder, "clip-1").write_bytes(b"hal")
    assert writer.sweep() == 1
    assert [path.name for path in (tmp_path / folder).iterdir()] == [kept.name]


def test_files_whose_manifest_was_never_sealed_can_be_taken_back(tmp_path: Path) -> None:
    writer = packages(tmp_path)
    folder = writer.folder(VIOLATION, at(0))
    files = (writer.put(folder, EvidenceKind.CLEAN, b"1", at=at(0)),)
    writer.discard(PackageFiles(folder, files))
    assert list((tmp_path / folder).iterdir()) == []
