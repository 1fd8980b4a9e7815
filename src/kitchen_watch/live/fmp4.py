"""H.264 packets as fragmented MP4, one picture a fragment, for browsers that WebRTC does not reach.

The same packets as everywhere in live view, not transcoded. A player can begin with the
initialisation segment and any fragment that is a keyframe (ISO/IEC 14496-12, 8.8; MSE byte stream
format for ISO BMFF).
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
import av.error
from av.video.stream import VideoStream

from kitchen_watch.errors import Conflict
from kitchen_watch.live.fitness import h264_parameters
from kitchen_watch.live.relay import LivePacket

_TICK = Fraction(1, 90_000)
_OPTIONS = {
    "movflags": "+empty_moov+default_base_moof+frag_every_frame+skip_trailer",
    "flush_packets": "1",
    "video_track_timescale": "90000",
}


@dataclass(frozen=True, slots=True)
class Fragment:
    """One picture: a ``moof`` and its ``mdat``."""

    data: bytes = field(repr=False)
    keyframe: bool


class _Written:
    """What the muxer wrote and nobody has taken yet. It cannot be rewound, as a network cannot."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


class Fragmenter:
    """Muxes one opening of a stream. Begins with a keyframe; call ``close`` at the end.

    Raises:
        Conflict: the stream cannot be put into MP4.
    """

    def __init__(self, keyframe: LivePacket) -> None:
        parameters = h264_parameters(keyframe.data)
        if parameters is None:
            raise Conflict("The camera's stream has no H.264 parameters and cannot be shown as MP4.")
        self.media_type = f'video/mp4; codecs="{parameters.codec_string}"'
        self._written = _Written()
        self._keyframes: deque[bool] = deque()
        self._parts: list[bytes] = []
        self._first = keyframe.seconds
        self._last_ticks = -1
        try:
            with av.open(io.BytesIO(keyframe.data), "r", format="h264") as template:
                self._output = av.open(self._written, "w", format="mp4", options=_OPTIONS)
                self._stream = self._output.add_stream_from_template(template.streams.video[0])
                self._stream.time_base = _TICK
                self._output.start_encoding()
        except (av.error.FFmpegError, IndexError, ValueError) as error:
            raise Conflict(f"The camera's stream cannot be shown as MP4: {error}.") from error
        self.initialisation = b"".join(self._boxes())

    def add(self, packet: LivePacket) -> list[Fragment]:
        """The fragments that are complete with this packet: usually the one before it.

        Raises:
            Conflict: the packet cannot be muxed.
        """
        ticks = max(round((packet.seconds - self._first) / _TICK), self._last_ticks + 1)
        self._last_ticks = ticks
        out = cast("av.Packet[VideoStream]", av.Packet(packet.data))
        out.stream = self._stream
        out.time_base = _TICK
        out.pts = out.dts = ticks
        out.is_keyframe = packet.keyframe
        self._keyframes.append(packet.keyframe)
        try:
            self._output.mux(out)
        except (av.error.FFmpegError, ValueError) as error:
            raise Conflict(f"The camera's stream cannot be shown as MP4: {error}.") from error
        return self._complete()

    def finish(self) -> list[Fragment]:
        """Give the muxer back; the fragments that it still held."""
        self._output.close()
        return self._complete()

    def _complete(self) -> list[Fragment]:
        fragments = []
        for box in self._boxes():
            self._parts.append(box)
            if box[4:8] == b"mdat":
                fragments.append(Fragment(b"".join(self._parts), self._keyframes.popleft()))
                self._parts = []
        return fragments

    def close(self) -> None:
        """Give the muxer back."""
        self._output.close()

    def _boxes(self) -> Iterator[bytes]:
        """Take the complete boxes that were written."""
        written = self._written.data
        position = 0
        while len(written) >= position + 8:
            size = int.from_bytes(written[position : position + 4], "big")
            if len(written) < position + size:
                break
            yield bytes(written[position : position + size])
            position += size
        del written[:position]
