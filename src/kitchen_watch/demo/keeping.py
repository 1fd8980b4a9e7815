"""Tells whole kept films from damaged ones: beside every film lies its hash, written when it was whole."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

_SUFFIX = ".sha256"


def seal(film: Path) -> None:
    """Write down what the film, which has just been finished, consists of."""
    _seal_of(film).write_text(_digest(film) + "\n", encoding="ascii")


def is_whole(film: Path) -> bool:
    """Whether the film is what it was when it was sealed.

    Without a seal it is not: its maker was stopped between the two, or something else put it there.
    """
    try:
        return _seal_of(film).read_text(encoding="ascii").strip() == _digest(film)
    except (OSError, UnicodeDecodeError):
        return False


def sweep(directory: Path) -> None:
    """Remove what makers that were killed left half done; nobody may be making films there."""
    for left in directory.glob(".*.mp4.*"):
        with suppress(OSError):
            left.unlink()


def _seal_of(film: Path) -> Path:
    return film.with_name(film.name + _SUFFIX)


def _digest(film: Path) -> str:
    with film.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
