"""What the first units of an Annex B keyframe say: its parameter sets, and whether it starts afresh."""

from __future__ import annotations

_START = b"\x00\x00\x01"
_H264 = {7, 8}
_HEVC = {32, 33, 34}
_HEVC_IDR = {19, 20}


def parameter_sets(codec: str, data: bytes) -> bytes | None:
    """VPS, SPS and PPS of ``data`` with their start codes, or ``None`` if it carries none.

    Only Annex B streams (RTSP) are read; length-prefixed ones (MP4 files) give ``None``. Looks at
    the units before the first picture slice only, so it costs nothing on large keyframes.
    """
    kinds = {"h264": _H264, "hevc": _HEVC}.get(codec)
    if kinds is None or not data.startswith((_START, b"\x00" + _START)):
        return None
    found: list[bytes] = []
    begin = data.index(_START) + 3
    while begin < len(data):
        kind = data[begin] & 0x1F if codec == "h264" else (data[begin] >> 1) & 0x3F
        is_slice = kind in range(1, 6) if codec == "h264" else kind < 32
        if is_slice:
            break
        following = data.find(_START, begin)
        end = len(data) if following < 0 else following
        if kind in kinds:
            unit = b"\x00" + _START + data[begin:end].rstrip(b"\x00")
            if unit not in found:
                found.append(unit)
        if following < 0:
            break
        begin = following + 3
    return b"".join(found) or None


def starts_afresh(codec: str, data: bytes) -> bool:
    """Whether nothing that follows the keyframe ``data`` can depend on what came before it.

    True of IDR pictures of H.264 and H.265 in Annex B, and of Motion JPEG. Other keyframes may be no more
    than a good place to begin.
    """
    if codec == "mjpeg":
        return True
    if codec not in {"h264", "hevc"} or not data.startswith((_START, b"\x00" + _START)):
        return False
    begin = data.index(_START) + 3
    while begin < len(data):
        kind = data[begin] & 0x1F if codec == "h264" else (data[begin] >> 1) & 0x3F
        if kind in range(1, 6) if codec == "h264" else kind < 32:
            return kind in ({5} if codec == "h264" else _HEVC_IDR)
        following = data.find(_START, begin)
        if following < 0:
            return False
        begin = following + 3
    return False
