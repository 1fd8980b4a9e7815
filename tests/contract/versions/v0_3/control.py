"""The control connection: one outbound WebSocket per edge, and what is said over it (version 1).

The edge opens ``/api/v1/edge/control`` with signed headers (see :mod:`kitchen_watch.signing`),
says :class:`Hello`, then sends :class:`Heartbeat` every ``HEARTBEAT_SECONDS``. The backend offers
configurations and commands; the edge answers each by its ``offer_id`` or ``command_id``.
Messages of an unknown ``type`` are ignored, so that both sides can be upgraded one at a time.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from tests.contract.versions.v0_3.events import MAX_TEXT, Identifier

HEARTBEAT_SECONDS = 5.0
MAX_SEGMENTS = 1000
"""Recorded pieces that one answer names."""
MAX_HELD = 10_000
"""Spans, or violations, that one edge can be told to hold."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
Sentence = Annotated[str, Field(max_length=MAX_TEXT)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class CameraState(StrEnum):
    """How a camera's stream is doing, as the edge sees it."""

    CONNECTING = "connecting"
    STREAMING = "streaming"
    STALLED = "stalled"
    OFFLINE = "offline"
    ENDED = "ended"
    PAUSED = "paused"


class CameraStatus(_Message):
    """One camera's line in a heartbeat."""

    camera_id: Identifier
    state: CameraState
    since: AwareDatetime
    reason: Sentence | None = Field(default=None, description="why it is not streaming, in words")
    frames_received: Count = 0
    frames_analysed: Count = 0
    frames_dropped: Count = 0
    frame_age_ms: Count | None = None
    width: Count | None = None
    height: Count | None = None
    codec: Sentence | None = None


class Hello(_Message):
    """First message of the edge."""

    type: Literal["hello"] = "hello"
    edge_id: Identifier
    software_version: str
    model_sha256: str | None = None
    configuration_version: str | None = Field(
        default=None, description="version of the last backend configuration that was accepted"
    )
    cameras: tuple[Identifier, ...] = ()


class Heartbeat(_Message):
    """What the edge says of itself, every ``HEARTBEAT_SECONDS``."""

    type: Literal["heartbeat"] = "heartbeat"
    sent_at: AwareDatetime = Field(description="device clock")
    cameras: tuple[CameraStatus, ...] = ()
    outbox_pending: Count = 0
    outbox_oldest_s: float | None = None
    dead_letters: Count = 0
    disk_free_bytes: Count | None = None
    warnings: Annotated[tuple[Sentence, ...], Field(max_length=50)] = ()


class Welcome(_Message):
    """The backend's answer to ``hello``; its time lets the edge know its clock's offset."""

    type: Literal["welcome"] = "welcome"
    server_time: AwareDatetime


class HeartbeatAck(_Message):
    """The backend's answer to a heartbeat."""

    type: Literal["heartbeat_ack"] = "heartbeat_ack"
    server_time: AwareDatetime


class ConfigurationOffer(_Message):
    """The backend's wish for the edge's cameras and rules; replaces the last accepted offer.

    ``cameras`` maps camera ids to the same keys that the edge's YAML has under ``cameras``
    (``None`` removes a camera that an earlier offer added); cameras of the local file that are
    not named stay as they are.
    """

    type: Literal["configuration_offer"] = "configuration_offer"
    offer_id: UUID
    version: str
    cameras: dict[str, dict[str, Any] | None]


class ConfigurationAnswer(_Message):
    """The edge's word on an offer. ``reason`` says what, where and what to do."""

    type: Literal["configuration_answer"] = "configuration_answer"
    offer_id: UUID
    version: str
    accepted: bool
    reason: str | None = None


class CameraCommand(_Message):
    """Something a person asked one camera for: ``reconnect``, ``snapshot`` or ``reference``.

    ``reference`` makes the present picture the new reference of the health checks.
    """

    type: Literal["camera_command"] = "camera_command"
    command_id: UUID
    camera_id: Identifier
    action: Literal["reconnect", "snapshot", "reference"]


class CommandAnswer(_Message):
    """The edge's word on a command. ``data`` is base64 JPEG for a snapshot."""

    type: Literal["command_answer"] = "command_answer"
    command_id: UUID
    accepted: bool
    reason: str | None = None
    data: str | None = None


class IceServer(_Message):
    """A STUN or TURN server; credentials are minted for one view and expire."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = Field(default=None, repr=False)


SegmentId = Annotated[str, Field(pattern=r"^[0-9A-Z-]{1,40}$")]
LiveQuality = Literal["main", "sub"]
LiveVariant = Literal["plain", "public"]
"""``public``: faces blurred, small and late, for people who are not logged in."""


class ViewerOffer(_Message):
    """A person may watch a camera: their browser's WebRTC offer, for the edge to answer."""

    type: Literal["viewer_offer"] = "viewer_offer"
    view_id: UUID
    camera_id: Identifier
    quality: LiveQuality = "sub"
    sdp: str = Field(repr=False)
    ice_servers: tuple[IceServer, ...] = ()


class ViewerCandidates(_Message):
    """ICE candidates that the browser found after its offer (trickle-ice-sdpfrag)."""

    type: Literal["viewer_candidates"] = "viewer_candidates"
    view_id: UUID
    sdp: str = Field(repr=False)


class ViewerClose(_Message):
    """The view is over: the person left, or may no longer watch."""

    type: Literal["viewer_close"] = "viewer_close"
    view_id: UUID


class PushRequest(_Message):
    """Somebody whom WebRTC does not reach watches: push the camera's media to the backend.

    The edge opens a signed WebSocket ``/api/v1/edge/live/{push_id}`` and sends until it is closed:
    first a text :class:`PushHeader`, then binary messages whose first byte says what follows
    (``PUSH_INIT``, ``PUSH_KEY``, ``PUSH_DELTA``: parts of a fragmented MP4; ``PUSH_PICTURE``: JPEG;
    ``PUSH_LINE``: one JSON line). Of a segment ``PUSH_DELTA`` carries part after part up to ``size``.
    """

    type: Literal["push_request"] = "push_request"
    push_id: UUID
    camera_id: Identifier
    quality: LiveQuality = "sub"
    kind: Literal["fmp4", "mjpeg", "tracks", "segment"] = Field(
        description="tracks: JSON lines, boxes of the present tracks; segment: one recorded piece, whole"
    )
    segment_id: SegmentId | None = Field(default=None, description="which piece, for kind segment")
    variant: LiveVariant = Field(default="plain", description="public: always at its own small size")


class PushHeader(_Message):
    """What a push will carry."""

    media_type: str = Field(max_length=100, examples=['video/mp4; codecs="avc1.42c01f"'])
    variant: LiveVariant = Field(
        default="plain", description="what is really sent; an edge that knows no variants sends none"
    )
    size: Count | None = Field(default=None, description="bytes of a segment")


WHOLLY_HIDDEN = b"\xff\xfe\x00\x0fwholly hidden"
"""JPEG comment right after the beginning of a public picture of which nothing can be shown."""
PUSH_INIT, PUSH_KEY, PUSH_DELTA, PUSH_PICTURE, PUSH_LINE = 0, 1, 2, 3, 4


class RecordingQuery(_Message):
    """Which recorded pieces of a camera show any moment of a span (device clock)?"""

    type: Literal["recording_query"] = "recording_query"
    query_id: UUID
    camera_id: Identifier
    since_at: AwareDatetime
    until_at: AwareDatetime


class SegmentFacts(_Message):
    """One recorded piece: a fragmented MP4 that plays alone."""

    segment_id: SegmentId
    begins_at: AwareDatetime = Field(description="device clock")
    seconds: Annotated[float, Field(ge=0)]
    size: Count = Field(description="bytes")


class RecordingAnswer(_Message):
    """The edge's word on a query; ``more`` says that the span holds more pieces than are named."""

    type: Literal["recording_answer"] = "recording_answer"
    query_id: UUID
    accepted: bool
    reason: Sentence | None = None
    segments: Annotated[tuple[SegmentFacts, ...], Field(max_length=MAX_SEGMENTS)] = ()
    more: bool = False
    oldest_at: AwareDatetime | None = None
    continuous: bool = Field(default=False, description="recorded for days, not only for time-shift")


class ViewerAnswer(_Message):
    """The edge's word on an offer (with its SDP answer) or on a push (without)."""

    type: Literal["viewer_answer"] = "viewer_answer"
    view_id: UUID
    accepted: bool
    reason: str | None = None
    sdp: str | None = Field(default=None, repr=False)


class ViewerEnded(_Message):
    """A view ended at the edge: its browser went away, or the camera is no longer there."""

    type: Literal["viewer_ended"] = "viewer_ended"
    view_id: UUID
    reason: str


class HeldSpan(_Message):
    """What one camera saw in a span (the backend's clock) must not be deleted."""

    camera_id: Identifier
    since_at: AwareDatetime
    until_at: AwareDatetime


class HeldSpans(_Message):
    """Everything this edge must hold now; replaces what it was told before, and an empty one lifts all.

    Recorded pieces and evidence in the spans, and evidence of the violations, are not deleted,
    whatever policy or the disk says. The edge answers with a :class:`HoldReport` of the version.
    """

    type: Literal["held_spans"] = "held_spans"
    version: Annotated[str, Field(max_length=64)]
    spans: Annotated[tuple[HeldSpan, ...], Field(max_length=MAX_HELD)] = ()
    violations: Annotated[tuple[UUID, ...], Field(max_length=MAX_HELD)] = ()


class HoldReport(_Message):
    """The edge holds that version now; how much of it is here."""

    type: Literal["hold_report"] = "hold_report"
    version: Annotated[str, Field(max_length=64)]
    segments: Count = Field(default=0, description="recorded pieces")
    size_bytes: Count = Field(default=0, description="of the recorded pieces")
    packages: Count = Field(default=0, description="evidence packages")


EdgeMessage = (
    Hello
    | Heartbeat
    | ConfigurationAnswer
    | CommandAnswer
    | ViewerAnswer
    | ViewerEnded
    | RecordingAnswer
    | HoldReport
)
LiveRequest = ViewerOffer | ViewerCandidates | ViewerClose | PushRequest | RecordingQuery
BackendMessage = Welcome | HeartbeatAck | ConfigurationOffer | CameraCommand | HeldSpans | LiveRequest

FromEdge = Annotated[EdgeMessage, Field(discriminator="type")]
FromBackend = Annotated[BackendMessage, Field(discriminator="type")]

from_edge: TypeAdapter[EdgeMessage] = TypeAdapter(FromEdge)
from_backend: TypeAdapter[BackendMessage] = TypeAdapter(FromBackend)
