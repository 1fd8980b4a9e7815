"""A camera's recorded segments on disk: what is there, what may stay, and what must go.

Every segment is a whole fragmented MP4 that begins with a keyframe, so that any of them plays alone.
Its name says when it begins and how long it is; the directory is all there is of an index. A segment
appears under its name only when it is complete, so that a power cut leaves none that is torn.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import structlog

from kitchen_watch.errors import NotFound

NAME = re.compile(r"(?P<begin>\d{8}T\d{6}\d{3})Z-(?P<length>\d{1,7})")
_FORM = "%Y%m%dT%H%M%S%f"
PART = ".part"
MOST_STUCK = 8
"""Pieces that cannot be removed: after so many no other is tried at one time."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One recorded piece; ``segment_id`` is also its file's name. Times are the device's clock."""

    begins_at: datetime
    segment_id: str
    seconds: float
    size: int

    @property
    def length(self) -> timedelta:
        """How long it shows the camera."""
        return timedelta(seconds=self.seconds)

    @property
    def ends_at(self) -> datetime:
        """When its last picture ends."""
        return self.begins_at + self.length


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
        self.held: Callable[[datetime, datetime], bool] = lambda _since, _until: False
        """Whether any moment of a span must not be deleted."""
        self._segments: list[Segment] = []
        self._size = 0
        self._longest = timedelta(0)
        self._stuck = False

    def open(self, now: datetime) -> None:
        """Find what an earlier process left; pieces that it did not finish are removed.

        Raises:
            OSError: the directory cannot be used.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        found = []
        for path in self._directory.glob("*/*"):
            if path.suffix == PART:
                self._unlink(path)
            elif (segment := _segment_of(path)) is not None:
                found.append(segment)
        with self._lock:
            self._segments = sorted(found)
            self._size = sum(segment.size for segment in found)
            self._longest = max((segment.length for segment in found), default=timedelta(0))
        self.tidy(now)

    def add(self, content: bytes, *, begins_at: datetime, seconds: float) -> Segment | None:
        """Keep a whole segment; ``None`` where there is no room even without older ones.

        Raises:
            OSError: the disk does not take it.
        """
        self.tidy(begins_at + timedelta(seconds=seconds), room_for=len(content))
        keeping = self._keeping
        if self._free() < keeping.floor + len(content) or self._size + len(content) > keeping.most_bytes:
            return None
        begin = begins_at.astimezone(UTC)
        name = f"{begin:%Y%m%dT%H%M%S}{begin.microsecond // 1000:03}Z-{round(seconds * 1000)}"
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(PART)
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # else a power cut leaves the name without the content
            part.replace(path)
        except OSError:
            self._unlink(part)
            raise
        segment = Segment(_begin_of(name), name, round(seconds * 1000) / 1000, len(content))
        with self._lock:
            # Usually the last; not after the clock was set back, when one may take the place of another.
            place = bisect_left(self._segments, segment.begins_at, key=lambda one: one.begins_at)
            for same in self._segments[place:]:
                if same.segment_id != name:
                    break
                self._segments.remove(same)
                self._size -= same.size
            self._segments.insert(place, segment)
            self._size += segment.size
            self._longest = max(self._longest, segment.length)
        return segment

    def between(self, since: datetime, until: datetime, *, most: int) -> tuple[Segment, ...]:
        """Segments that show any moment of the span, the oldest first, at most ``most``."""
        with self._lock:
            try:
                earliest = since - self._longest
            except OverflowError:
                earliest = since
            first = bisect_left(self._segments, earliest, key=lambda one: one.begins_at)
            found: list[Segment] = []
            for segment in islice(self._segments, first, None):
                if segment.begins_at >= until or len(found) == most:
                    break
                if segment.ends_at > since:
                    found.append(segment)
        return tuple(found)

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
        """Remove what is older than may be kept, and the oldest while there is too much.

        What cannot be removed stays known and counted, and is tried again.
        """
        keeping = self._keeping
        with self._lock:
            stuck: list[Segment] = []
            held: list[Segment] = []
            gone = held_size = 0
            free = self._free()
            for oldest in self._segments:
                if len(stuck) == MOST_STUCK or not (
                    oldest.ends_at < now - keeping.time
                    or self._size - held_size + room_for > keeping.most_bytes
                    or free < keeping.floor + room_for
                ):
                    break
                gone += 1
                if self.held(oldest.begins_at, oldest.ends_at):
                    held.append(oldest)  # beside the room for recordings, and whatever the disk says
                    held_size += oldest.size
                elif self._unlink(self._path(oldest.segment_id)):
                    self._size -= oldest.size
                    free += oldest.size
                else:
                    stuck.append(oldest)
            self._segments[:gone] = sorted(stuck + held)
            self._stuck = bool(stuck)

    def held_now(self) -> tuple[Segment, ...]:
        """Segments that are held."""
        with self._lock:
            return tuple(piece for piece in self._segments if self.held(piece.begins_at, piece.ends_at))

    def _unlink(self, path: Path) -> bool:
        """Whether it is gone, and with it a day's directory that is left empty."""
        try:
            path.unlink(missing_ok=True)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        except FileNotFoundError:
            return True
        except OSError as error:
            if not self._stuck:  # said once, not with every segment
                log.warning("a recorded piece cannot be removed", path=str(path), reason=str(error))
            self._stuck = True
            return not path.exists()
        return True

    def _path(self, segment_id: str) -> Path:
        return self._directory / segment_id[:8] / f"{segment_id}.mp4"

    def _free(self) -> int:
        return shutil.disk_usage(self._directory).free


def _segment_of(path: Path) -> Segment | None:
    """The segment that a file's name tells of; ``None`` for other files."""
    match = NAME.fullmatch(path.stem)
    if match is None or path.suffix != ".mp4" or path.parent.name != path.stem[:8]:
        return None
    try:
        segment = Segment(_begin_of(path.stem), path.stem, int(match["length"]) / 1000, path.stat().st_size)
        _ = segment.ends_at
    except (ValueError, OverflowError, OSError):  # no time, or beyond the calendar; gone meanwhile
        return None
    return segment if path.is_file() else None


def _begin_of(name: str) -> datetime:
    return datetime.strptime(name.partition("Z")[0], _FORM).replace(tzinfo=UTC)
