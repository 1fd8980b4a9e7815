"""Which H.264 an offer is answered with: the stream's own profile if the browser names it, else another.

aiortc only knows the two Baseline profiles, because that is what its encoder makes. We send what
the camera sends, so Main and High are added to its list. A browser that names only Baseline still
decodes Main and High (its decoder reads the stream's parameters), so that is the second choice.
"""

from __future__ import annotations

from aiortc import RTCRtpSender
from aiortc.codecs import CODECS
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecCapability,
    RTCRtpCodecParameters,
)

from kitchen_watch.live.fitness import H264Parameters

MAIN, HIGH = "4d001f", "64001f"
BASELINE, CONSTRAINED_BASELINE = "42001f", "42e01f"
_PAYLOAD_TYPES = {MAIN: 120, HIGH: 122}
"""Used only in offers of our own, which we never make; an answer takes the offer's numbers."""


def preferred_codecs(stream: H264Parameters | None) -> list[RTCRtpCodecCapability]:
    """H.264 and its retransmission format, the profile of ``stream`` first; nothing else is ever sent."""
    _teach()
    order = [CONSTRAINED_BASELINE, BASELINE, MAIN, HIGH]
    own = {66: BASELINE, 77: MAIN, 100: HIGH}.get(stream.profile) if stream is not None else None
    if own == BASELINE and stream is not None and stream.constraints & 0x40:
        own = CONSTRAINED_BASELINE
    if own is not None:
        order.sort(key=lambda name: name != own)
    known = RTCRtpSender.getCapabilities("video").codecs
    h264 = {
        str(codec.parameters.get("profile-level-id")): codec
        for codec in known
        if codec.mimeType == "video/H264"
    }
    return [h264[name] for name in order] + [codec for codec in known if codec.mimeType == "video/rtx"]


def _teach() -> None:
    known = {str(codec.parameters.get("profile-level-id")) for codec in CODECS["video"]}
    for name, payload_type in _PAYLOAD_TYPES.items():
        if name in known:
            continue
        CODECS["video"] += [
            RTCRtpCodecParameters(
                mimeType="video/H264",
                clockRate=90_000,
                payloadType=payload_type,
                rtcpFeedback=[
                    RTCRtcpFeedback(type="nack"),
                    RTCRtcpFeedback(type="nack", parameter="pli"),
                    RTCRtcpFeedback(type="goog-remb"),
                ],
                parameters={
                    "level-asymmetry-allowed": "1",
                    "packetization-mode": "1",
                    "profile-level-id": name,
                },
            ),
            RTCRtpCodecParameters(
                mimeType="video/rtx",
                clockRate=90_000,
                payloadType=payload_type + 1,
                parameters={"apt": payload_type},
            ),
        ]
