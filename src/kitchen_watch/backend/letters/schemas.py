"""What is asked of and told about letters."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.bounds import MAX_ID, KeptMoment
from kitchen_watch.backend.letters.content import LetterContent
from kitchen_watch.backend.letters.tables import MAX_TEXT, LetterKind

_Text = Annotated[str, Field(max_length=MAX_TEXT, pattern=r"^[^\x00]*$")]


class LetterBody(BaseModel):
    """A letter by hand: about alerts of one premises, to the restaurant or to the territory side."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={
            "examples": [
                {
                    "kind": "reminder",
                    "alert_ids": [1],
                    "premises_side": True,
                    "deadline_at": "2026-12-31T10:00:00+08:00",
                    "text": "请立即更换防鼠板。",
                }
            ]
        },
    )

    kind: LetterKind
    alert_ids: list[Annotated[int, Field(ge=1, le=MAX_ID)]] = Field(min_length=1, max_length=20)
    premises_side: bool = Field(default=True, description="to the restaurant; false: to its grid")
    deadline_at: KeptMoment | None = None
    text: _Text = Field(default="", description="what else is to stand in it")


class AcknowledgeBody(BaseModel):
    """The letter has arrived."""

    model_config = ConfigDict(
        extra="forbid", str_strip_whitespace=True, json_schema_extra={"examples": [{"note": "已收到"}]}
    )

    note: _Text = ""


class ReceiptView(BaseModel):
    """Who has confirmed it, and when."""

    person: str
    at: AwareDatetime
    note: str


class LetterView(BaseModel):
    """A letter in a list."""

    id: int
    kind: LetterKind
    reference: str
    premises_id: int
    premises: str
    addressee: str
    premises_side: bool
    alert_ids: list[int]
    deadline_at: AwareDatetime | None
    issued_by: str | None
    """The officer's name; empty where a deadline was the cause."""
    issued_at: AwareDatetime
    receipt: ReceiptView | None
    can_acknowledge: bool


class LetterDetail(LetterView):
    """A letter with what stands in it; ``intact`` tells whether that is what was sealed."""

    content: LetterContent
    content_sha256: str
    intact: bool
    pdf_sha256: str | None


class LetterPage(BaseModel):
    """Letters, newest first."""

    items: list[LetterView]
    next_cursor: str | None
