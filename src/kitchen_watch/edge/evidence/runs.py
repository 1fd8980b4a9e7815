"""What the packet ring is made of: groups of pictures, in runs of one codec configuration each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo


@dataclass(slots=True)
class Group:
    """A keyframe and the packets that depend on it, in decode order."""

    packets: list[StreamPacket]
    size: int


@dataclass(slots=True)
class Run:
    """What came between one opening of the stream and its end: one codec configuration."""

    info: VideoInfo
    groups: deque[Group] = field(default_factory=deque)
    ended: bool = False

    def packets(self) -> Iterator[StreamPacket]:
        """Every packet that is still here, in decode order."""
        for group in self.groups:
            yield from group.packets

    @property
    def first(self) -> StreamPacket | None:
        """The oldest packet still here."""
        return self.groups[0].packets[0] if self.groups else None

    @property
    def last(self) -> StreamPacket | None:
        """The newest packet."""
        return self.groups[-1].packets[-1] if self.groups else None
