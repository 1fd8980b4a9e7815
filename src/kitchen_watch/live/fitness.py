"""What browsers can play as it is: decided from a stream's own parameters, as a pure value.

WebRTC and MSE in today's browsers decode 8-bit 4:2:0 H.264 in the profiles Baseline, Main and High;
WebRTC has no way to tell them of pictures that are shown in another order than they come (B-frames).
Everything else is transcoded. Layout of the SPS: ITU-T H.264, 7.3.2.1.1.
"""

from __future__ import annotations

from dataclasses import dataclass

PASSED_THROUGH = {"h264", "hevc"}
"""Codecs whose packets are brought to Annex B; others are handed on as they are, to be decoded."""
_PROFILES = {66: "Baseline", 77: "Main", 100: "High"}
_SPS = 7
_START = b"\x00\x00\x01"


@dataclass(frozen=True, slots=True)
class H264Parameters:
    """The first three bytes of a sequence parameter set."""

    profile: int
    constraints: int
    level: int

    @property
    def hexadecimal(self) -> str:
        """As SDP's ``profile-level-id`` and the ``codecs`` parameter of MP4 write it."""
        return f"{self.profile:02x}{self.constraints:02x}{self.level:02x}"

    @property
    def codec_string(self) -> str:
        """As ``MediaSource.isTypeSupported`` wants it (RFC 6381)."""
        return f"avc1.{self.hexadecimal}"


def h264_parameters(keyframe: bytes) -> H264Parameters | None:
    """Profile and level from the SPS before a keyframe (Annex B); ``None`` without one."""
    begin = keyframe.find(_START)
    while begin >= 0:
        unit = begin + len(_START)
        if len(keyframe) >= unit + 4 and keyframe[unit] & 0x1F == _SPS:
            return H264Parameters(keyframe[unit + 1], keyframe[unit + 2], keyframe[unit + 3])
        begin = keyframe.find(_START, unit)
    return None


def why_not_as_it_is(codec: str, keyframe: bytes | None, *, reordered: bool) -> str | None:
    """Why browsers cannot take the stream as it comes; ``None`` if they can."""
    if codec != "h264":
        return f"the camera sends {codec.upper()}, which browsers do not take"
    if reordered:
        return "the camera sends B-frames, which WebRTC does not take"
    if keyframe is None:
        return None
    parameters = h264_parameters(keyframe)
    if parameters is None:
        return "the camera does not say its H.264 parameters"
    if parameters.profile not in _PROFILES:
        return f"the camera sends an H.264 profile ({parameters.profile}) that browsers do not take"
    return None
