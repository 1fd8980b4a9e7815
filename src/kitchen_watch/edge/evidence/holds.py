"""What the backend has asked this edge to hold; kept on disk, so that a restart forgets nothing.

The backend's spans are in its own time. A device's clock may be off by what was measured when they
came, and a little more: they are widened by that, never narrowed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from pydantic import ValidationError

from kitchen_watch.control import HeldSpan, HeldSpans

FILE_NAME = "holds.json"
MARGIN = timedelta(minutes=1)
NOTHING = HeldSpans(version="", spans=(), violations=())

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Present:
    """One state of the holds, replaced as a whole: readers in other threads see one or the other."""

    told: HeldSpans
    spans: dict[str, tuple[tuple[datetime, datetime], ...]]
    violations: frozenset[UUID]


class Holds:
    """The holds in force at this edge."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME
        self._present = _present(_load(self._path))

    @property
    def version(self) -> str:
        """Which of the backend's states is in force; empty before the first."""
        return self._present.told.version

    def replace(self, told: HeldSpans, *, offset: timedelta | None) -> None:
        """Hold this from now on. ``offset``: the backend's clock minus this device's, where known.

        Raises:
            OSError: the disk does not take it; what was held before stays held.
        """
        widened = MARGIN + abs(offset or timedelta(0))
        kept = told.model_copy(
            update={
                "spans": tuple(
                    span.model_copy(
                        update={
                            "since_at": _moved(span.since_at, -widened),
                            "until_at": _moved(span.until_at, widened),
                        }
                    )
                    for span in told.spans
                )
            }
        )
        part = self._path.with_suffix(".part")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            file.write(kept.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)
        self._present = _present(kept)

    def keeps(self, camera_id: str, since: datetime, until: datetime) -> bool:
        """Whether any moment of the span of a camera (device clock) is held."""
        return any(begin <= until and since <= end for begin, end in self._present.spans.get(camera_id, ()))

    def keeps_violation(self, violation_id: UUID) -> bool:
        """Whether a violation is held as a whole."""
        return violation_id in self._present.violations


def _moved(at: datetime, by: timedelta) -> datetime:
    """The moment moved; at an end of the calendar it stays."""
    try:
        return at + by
    except OverflowError:
        return at


def _load(path: Path) -> HeldSpans:
    try:
        return HeldSpans.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return NOTHING
    except (OSError, ValidationError) as error:
        # The backend tells them anew with the next connection, because this version is not its own.
        log.error("the holds cannot be read", path=str(path), reason=str(error)[:200])
        return NOTHING


def _present(told: HeldSpans) -> _Present:
    spans: dict[str, list[HeldSpan]] = {}
    for span in told.spans:
        spans.setdefault(span.camera_id, []).append(span)
    return _Present(
        told,
        {camera: tuple((span.since_at, span.until_at) for span in some) for camera, some in spans.items()},
        frozenset(told.violations),
    )
