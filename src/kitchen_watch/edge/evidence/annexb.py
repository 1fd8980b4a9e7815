"""H.264 and H.265 from MP4's length-prefixed form to Annex B, the one form that clips are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kitchen_watch.edge.streams.packets import VideoInfo
from kitchen_watch.edge.streams.parameter_sets import parameter_sets

START = b"\x00\x00\x00\x01"
CODECS = {"h264", "hevc"}


@dataclass(frozen=True, slots=True)
class AnnexB:
    """How to read one stream's packets. ``prefix`` is 0 for packets that are Annex B already,
    otherwise the bytes of each unit's length; ``sets`` are the parameter sets told at opening."""

    codec: str
    prefix: int
    sets: bytes

    @classmethod
    def of(cls, info: VideoInfo) -> AnnexB:
        """Read the form from the stream's extradata (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).

        Raises:
            ValueError: the extradata is cut short.
        """
        extradata = info.extradata or b""
        if info.codec not in CODECS or extradata[:1] != b"\x01":
            return cls(info.codec, 0, parameter_sets(info.codec, extradata) or b"")
        try:
            if info.codec == "h264":
                return cls(info.codec, (extradata[4] & 3) + 1, _joined(_avcc_units(extradata)))
            return cls(info.codec, (extradata[21] & 3) + 1, _joined(_hvcc_units(extradata)))
        except IndexError:
            raise ValueError("the stream's codec parameters are cut short") from None

    def packet(self, data: bytes) -> bytes:
        """One packet as Annex B.

        Raises:
            ValueError: its lengths do not add up.
        """
        return _joined(_prefixed_units(data, self.prefix)) if self.prefix else data

    def first(self, data: bytes) -> bytes:
        """A keyframe as Annex B with parameter sets before it, so that decoding can start here."""
        data = self.packet(data)
        return data if parameter_sets(self.codec, data) else self.sets + data


def _joined(units: Iterator[bytes]) -> bytes:
    return b"".join(START + unit for unit in units)


def _prefixed_units(data: bytes, prefix: int) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        begin = position + prefix
        position = begin + int.from_bytes(data[position:begin], "big")
        if position > len(data):
            raise ValueError("a packet's unit is longer than the packet")
        yield data[begin:position]


def _avcc_units(data: bytes) -> Iterator[bytes]:
    position = 5
    for mask in (0x1F, 0xFF):  # SPS, then PPS
        number = data[position] & mask
        position += 1
        for _ in range(number):
            unit, position = _counted_unit(data, position)
            yield unit


def _hvcc_units(data: bytes) -> Iterator[bytes]:
    position = 23
    for _ in range(data[22]):
        number = int.from_bytes(data[position + 1 : position + 3], "big")
        position += 3
        for _ in range(number):
            unit, position = _counted_unit(data, position)
            yield unit


def _counted_unit(data: bytes, position: int) -> tuple[bytes, int]:
    size = data[position] << 8 | data[position + 1]
    end = position + 2 + size
    if end > len(data):
        raise IndexError
    return data[position + 2 : end], end
