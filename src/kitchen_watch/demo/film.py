"""Reads the packets of a film without decoding them, from any second on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from kitchen_watch.errors import ConfigError

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class FilmPacket:
    """One coded picture. ``second`` is its place in the film, ``lasting_s`` how long it is shown."""

    data: bytes
    second: float
    lasting_s: float
    keyframe: bool


class FilmReader:
    """Hands out a film's packets in the order in which they are decoded."""

    def __init__(self, path: Path, *, start_s: float = 0.0) -> None:
        """Open ``path`` at the last keyframe before ``start_s``.

        Raises:
            ConfigError: the file cannot be opened or has no picture in it.
        """
        import av  # noqa: PLC0415 - the command line starts quickly without it

        try:
            self._container = av.open(str(path))
        except (av.FFmpegError, OSError) as error:
            raise ConfigError(f"{path}: is no video file that can be read ({error}).") from error
        if not self._container.streams.video:
            self._container.close()
            raise ConfigError(f"{path}: has no picture in it.")
        stream = self._container.streams.video[0]
        self.duration_s = self._length(stream)
        if start_s > 0:
            self._container.seek(int(start_s * MICROSECONDS), backward=True)
        self._rate = float(stream.average_rate or 25)
        self._packets = self._read(stream)
        # A viewer that leaves closes the reader while a thread may still be reading.
        self._turn = Lock()

    def read(self, count: int) -> list[FilmPacket]:
        """The next packets, at most ``count``; empty at the end of the film."""
        with self._turn:
            return list(islice(self._packets, count))

    def close(self) -> None:
        """Let go of the file, once a read that is under way has ended."""
        with self._turn:
            self._packets = iter(())
            self._container.close()

    def _read(self, stream: VideoStream) -> Iterator[FilmPacket]:
        for packet in self._container.demux(stream):
            time = packet.dts if packet.dts is not None else packet.pts
            if packet.size == 0 or time is None:
                continue
            yield FilmPacket(
                bytes(packet),
                float(time * packet.time_base),
                self._shown_for(packet),
                bool(packet.is_keyframe),
            )

    def _shown_for(self, packet: Packet[VideoStream]) -> float:
        if packet.duration:
            return float(packet.duration * packet.time_base)
        return 1 / self._rate

    def _length(self, stream: VideoStream) -> float:
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        if self._container.duration is not None:
            return float(self._container.duration) / MICROSECONDS
        return 0.0
