"""What is asked of and told about receivers and messages to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.webhooks.tables import Channel, MessageState, ReceiverKind

MessageType = Literal["alert.opened", "alert.changed", "alert.ended", "notification"]
_Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Z0-9_]+$")]
_Theirs = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]


class ReceiverBody(BaseModel):
    """A receiver. Without a secret one is made; it is told once, in the answer."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={
            "examples": [
                {
                    "name": "市局平台",
                    "kind": "webhook",
                    "url": "https://events.example.cn/kitchen",
                    "types": ["alert.opened", "alert.changed"],
                    "codes": {"NO_HAT": "605", "NO_MASK": "606"},
                    "only_codes": False,
                    "node_id": None,
                }
            ]
        },
    )

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$", description="as people know it")
    kind: ReceiverKind = ReceiverKind.WEBHOOK
    url: str = Field(
        min_length=8, max_length=2000, description="https address; for a robot the one DingTalk gives"
    )
    secret: str | None = Field(
        default=None,
        min_length=8,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="whsec_... of Standard Webhooks, or the robot's signing secret (SEC...)",
    )
    types: list[MessageType] = Field(
        default=["alert.opened", "alert.changed", "alert.ended"],
        min_length=1,
        max_length=4,
        description="what it wants to be told",
    )
    codes: dict[_Code, _Theirs] = Field(
        default_factory=dict, max_length=100, description="our codes and what the receiver calls them"
    )
    only_codes: bool = Field(default=False, description="tell it only of codes in the list")
    node_id: PlaceId | None = Field(default=None, description="only what happens below this node")


class ReceiverChange(BaseModel):
    """What is to change; whatever is left out stays. ``node_id`` null: everything from now on."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={
            "examples": [{"enabled": False}, {"name": "市局新平台", "url": "https://events.example.cn/v2"}]
        },
    )

    name: str | None = Field(default=None, min_length=1, max_length=100, pattern=r"^[^\x00]+$")
    url: str | None = Field(default=None, min_length=8, max_length=2000)
    types: list[MessageType] | None = Field(default=None, min_length=1, max_length=4)
    codes: dict[_Code, _Theirs] | None = Field(default=None, max_length=100)
    only_codes: bool | None = None
    node_id: PlaceId | None = None
    enabled: bool | None = Field(default=None, description="what happens while it is off is not told later")


class SecretBody(BaseModel):
    """A new secret; without one, one is made. The old one stays valid for the overlap."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"overlap_hours": 24}]})

    secret: str | None = Field(default=None, min_length=8, max_length=200, pattern=r"^[\x21-\x7e]+$")
    overlap_hours: int = Field(
        default=24, ge=0, le=168, description="so long messages carry a signature by the old secret too"
    )


class ReceiverTried(BaseModel):
    """What came of a test message."""

    message_id: str
    delivered: bool
    status: int | None
    problem: str
    duration_ms: int


class ReceiverView(BaseModel):
    """A receiver; address and secret are not told again (tokens are cut off)."""

    id: int
    name: str
    kind: ReceiverKind
    shown_url: str
    node_id: int | None
    types: list[str]
    codes: dict[str, str]
    only_codes: bool
    enabled: bool
    created_at: AwareDatetime
    old_secret_until: AwareDatetime | None = Field(description="until then the secret before signs as well")
    pending: int
    dead: int


class ReceiverMade(ReceiverView):
    """A receiver with its new secret, which is told this once."""

    secret: str


class ReceiverPage(BaseModel):
    """Receivers, and the mapping to begin with for the EventSort codes of GA/T 1400."""

    items: list[ReceiverView]
    next_cursor: str | None
    event_sort: dict[str, str]


class AttemptView(BaseModel):
    """One attempt to deliver."""

    at: AwareDatetime
    duration_ms: int
    delivered: bool
    status: int | None
    problem: str


class MessageView(BaseModel):
    """A message on its way, delivered or given up."""

    id: int
    message_id: str
    channel: Channel
    receiver_id: int | None
    receiver: str
    type: str
    state: MessageState
    created_at: AwareDatetime
    next_at: AwareDatetime
    attempts: int
    requeued: int
    finished_at: AwareDatetime | None
    problem: str


class MessageDetail(MessageView):
    """A message with what it says and every attempt."""

    payload: dict[str, object]
    deliveries: list[AttemptView]


class MessagePage(BaseModel):
    """Messages, newest first."""

    items: list[MessageView]
    next_cursor: str | None
