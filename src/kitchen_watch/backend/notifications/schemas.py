"""What is asked of and told about notifications."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.notifications.rules import Occasion, Subject

_Time = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
_Mail = Annotated[
    str, Field(max_length=254, pattern=r"^$|^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
]


class NotificationView(BaseModel):
    """One notification; ``facts`` say what the words are made of."""

    id: int
    occasion: Occasion
    alert_id: int | None
    letter_id: int | None
    subject_kind: Subject = Field(description="what it is about")
    subject_id: int | None = Field(description="id of that; of a self-check the premises'")
    tier: int
    suspected: bool
    facts: dict[str, object]
    at: AwareDatetime
    read_at: AwareDatetime | None
    subject: str
    text: str


class NotificationPage(BaseModel):
    """Your notifications, newest first."""

    items: list[NotificationView]
    unread: int
    next_cursor: str | None


class Unread(BaseModel):
    """How many you have not read, and the number of the newest."""

    unread: int
    newest: int


class ReadBody(BaseModel):
    """Everything up to this notification has been read."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"up_to": 12}]})

    up_to: int = Field(ge=0, le=MAX_ID)


class Preferences(BaseModel):
    """How you want to be told outside of the application. Tier 1 heeds neither quiet hours nor muting."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "email": "wang@example.cn",
                    "by_email": True,
                    "quiet_from": "22:00",
                    "quiet_to": "07:00",
                    "muted": ["closed"],
                }
            ]
        },
    )

    email: _Mail = ""
    by_email: bool = False
    quiet_from: _Time = "22:00"
    quiet_to: _Time = "07:00"
    muted: list[Occasion] = Field(default_factory=list, max_length=40)
