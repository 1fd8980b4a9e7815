"""Packets that wait undecoded until somebody wants a picture, because most pictures nobody looks at.

Of 25 pictures a second 5 are analysed. The others must be decoded only because later ones depend on them,
so they wait until one is due, and are then decoded in one go. What a keyframe makes superfluous is never
decoded. The pictures that come out for analysis are the same.
"""

from __future__ import annotations

from kitchen_watch.edge.streams.connection import VideoPacket
from kitchen_watch.edge.streams.parameter_sets import starts_afresh

MOST_PACKETS = 128
"""A picture that is due never waits for more of them to be decoded."""
ASLEEP_PACKETS, ASLEEP_BYTES = 1500, 12 * 1024 * 1024
"""Since the last keyframe, while no picture at all is wanted; a longer group begins with the next one."""


class Backlog:
    """The undecoded packets of one connection, in decode order. Not thread-safe."""

    def __init__(self) -> None:
        self._waiting: list[VideoPacket] = []
        self._bytes = 0
        self._awaited: int | None = None
        self._newest: int | None = None
        self._reordered = False
        self._broken = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, packet: VideoPacket, codec: str, data: bytes, *, due: bool) -> list[VideoPacket]:
        """Take the next packet, which has its time stamp; gives what is to be decoded now.

        ``data`` is the content of a keyframe (of other packets it is not asked for); ``due`` says that
        the packet's picture is wanted.
        """
        self._take(packet, codec, data)
        if self._broken:
            return []
        if due:
            self._awaited = packet.pts
        if self._awaited is None and len(self._waiting) < MOST_PACKETS:
            return []
        return self.take()

    def keep(self, packet: VideoPacket, codec: str, data: bytes) -> None:
        """Take the next packet while nobody wants pictures: what lies before its keyframe goes."""
        if packet.is_keyframe:
            self.take()
            self._awaited = None
        self._take(packet, codec, data)
        if self._bytes > ASLEEP_BYTES or len(self._waiting) > ASLEEP_PACKETS:
            self.lose()

    def take(self) -> list[VideoPacket]:
        """Everything that waits, to be decoded."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        return waiting

    def shown(self, pts: int | None) -> None:
        """A picture came out of the decoder. Until the wanted one does, nothing waits any more."""
        if self._awaited is not None and (pts is None or pts >= self._awaited):
            self._awaited = None

    def lose(self) -> None:
        """What waits is not decoded any more; nor can what comes be, up to the next keyframe."""
        self.take()
        self._awaited, self._broken = None, True

    def _take(self, packet: VideoPacket, codec: str, data: bytes) -> None:
        if packet.pts is not None:
            self._reordered = self._reordered or (self._newest is not None and packet.pts < self._newest)
            self._newest = packet.pts if self._newest is None else max(self._newest, packet.pts)
        if packet.is_keyframe:
            self._broken = False
            if not self._reordered and self._awaited is None and starts_afresh(codec, data):
                self.take()
        if not self._broken:
            self._waiting.append(packet)
            self._bytes += packet.size
