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

from tests.contract.versions.v0_1.events import Identifier

HEARTBEAT_SECONDS = 5.0


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
    reason: str | None = Field(default=None, description="why it is not streaming, in words")
    frames_received: int = 0
    frames_analysed: int = 0
    frames_dropped: int = 0
    frame_age_ms: int | None = None
    width: int | None = None
    height: int | None = None
    codec: str | None = None


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
    outbox_pending: int = 0
    outbox_oldest_s: float | None = None
    dead_letters: int = 0
    disk_free_bytes: int | None = None
    warnings: tuple[str, ...] = ()


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


FromEdge = Annotated[Hello | Heartbeat | ConfigurationAnswer | CommandAnswer, Field(discriminator="type")]
FromBackend = Annotated[
    Welcome | HeartbeatAck | ConfigurationOffer | CameraCommand, Field(discriminator="type")
]

from_edge: TypeAdapter[Hello | Heartbeat | ConfigurationAnswer | CommandAnswer] = TypeAdapter(FromEdge)
from_backend: TypeAdapter[Welcome | HeartbeatAck | ConfigurationOffer | CameraCommand] = TypeAdapter(
    FromBackend
)
