"""A camera's recorded segments on disk: what is there, what may stay, and what must go.

Every segment is a whole fragmented MP4 that begins with a keyframe, so that any of them plays alone.
Its name says when it begins and how long it is; the directory is all there is of an index. A segment
appears under its name only when it is complete, so that a power cut leaves none that is torn.
"""

from __future__ import annotations

import re
import shutil
import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from kitchen_watch.errors import NotFound

NAME = re.compile(r"(?P<begin>\d{8}T\d{6}\d{3})Z-(?P<length>\d{1,7})")
_FORM = "%Y%m%dT%H%M%S%f"
PART = ".part"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One recorded piece; ``segment_id`` is also its file's name. Times are the device's clock."""

    begins_at: datetime
    segment_id: str
    seconds: float
    size: int

    @property
    def ends_at(self) -> datetime:
        """When its last picture ends."""
        return self.begins_at + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long and how much; the oldest goes first. ``floor`` bytes of the disk are left to evidence."""

    time: timedelta
    most_bytes: int
    floor: int


class SegmentStore:
    """Segments of one camera in a directory of its own. Usable from several threads."""

    def __init__(self, directory: Path, keeping: Keeping) -> None:
        self._directory = directory
        self._keeping = keeping
        self._lock = threading.Lock()
        self._segments: list[Segment] = []
        self._size = 0

    def open(self, now: datetime) -> None:
        """Find what an earlier process left; pieces that it did not finish are removed.

        Raises:
            OSError: the directory cannot be used.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        found = []
        for path in self._directory.glob("*/*"):
            if path.suffix == PART:
                path.unlink(missing_ok=True)
            elif (segment := _segment_of(path)) is not None:
                found.append(segment)
        with self._lock:
            self._segments = sorted(found)
            self._size = sum(segment.size for segment in found)
        self.tidy(now)

    def add(self, content: bytes, *, begins_at: datetime, seconds: float) -> Segment | None:
        """Keep a whole segment; ``None`` where the disk has no room even without older ones.

        Raises:
            OSError: the disk does not take it.
        """
        self.tidy(begins_at + timedelta(seconds=seconds), room_for=len(content))
        if self._free() < self._keeping.floor + len(content):
            return None
        begin = begins_at.astimezone(UTC)
        name = f"{begin:%Y%m%dT%H%M%S}{begin.microsecond // 1000:03}Z-{round(seconds * 1000)}"
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(PART)
        try:
            part.write_bytes(content)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        segment = _segment_of(path)
        assert segment is not None
        with self._lock:
            # Usually the last; not after the clock was set back.
            self._segments.insert(bisect_left(self._segments, segment), segment)
            self._size += segment.size
        return segment

    def between(self, since: datetime, until: datetime, *, most: int) -> tuple[Segment, ...]:
        """Segments that show any moment of the span, the oldest first, at most ``most``."""
        with self._lock:
            return tuple(
                segment for segment in self._segments if segment.begins_at < until and segment.ends_at > since
            )[:most]

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest segment begins."""
        with self._lock:
            return self._segments[0].begins_at if self._segments else None

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return self._size

    def read(self, segment_id: str) -> bytes:
        """A segment's whole content.

        Raises:
            NotFound: there is none of that id, or no longer.
        """
        with self._lock:
            known = any(segment.segment_id == segment_id for segment in self._segments)
        try:
            if known:
                return self._path(segment_id).read_bytes()
        except OSError as error:
            log.warning("a recorded segment cannot be read", segment=segment_id, reason=str(error))
        raise NotFound("This piece of the recording is no longer kept.")

    def tidy(self, now: datetime, *, room_for: int = 0) -> None:
        """Remove what is older than may be kept, and the oldest while there is too much."""
        keeping = self._keeping
        with self._lock:
            going: list[Segment] = []
            rest = list(self._segments)
            size = self._size
            free = self._free()
            while rest and (
                rest[0].ends_at < now - keeping.time
                or size + room_for > keeping.most_bytes
                or free < keeping.floor + room_for
            ):
                oldest = rest.pop(0)
                size -= oldest.size
                free += oldest.size
                going.append(oldest)
            self._segments, self._size = rest, size
        self._remove(going)

    def _remove(self, segments: Sequence[Segment]) -> None:
        for segment in segments:
            path = self._path(segment.segment_id)
            try:
                path.unlink(missing_ok=True)
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()
            except OSError as error:
                log.warning("a recorded segment cannot be removed", path=str(path), reason=str(error))

    def _path(self, segment_id: str) -> Path:
        return self._directory / segment_id[:8] / f"{segment_id}.mp4"

    def _free(self) -> int:
        return shutil.disk_usage(self._directory).free


def _segment_of(path: Path) -> Segment | None:
    """The segment that a file's name tells of; ``None`` for other files."""
    match = NAME.fullmatch(path.stem)
    if match is None or path.suffix != ".mp4":
        return None
    begins_at = datetime.strptime(match["begin"], _FORM).replace(tzinfo=UTC)
    return Segment(begins_at, path.stem, int(match["length"]) / 1000, path.stat().st_size)
