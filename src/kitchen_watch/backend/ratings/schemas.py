"""What is asked of and told about ratings and honours."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.alerts.schemas import PremisesBrief
from kitchen_watch.backend.ratings.formula import Line
from kitchen_watch.backend.ratings.tables import MAX_REASON, HonourKind

_Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON, pattern=r"^[^\x00-\x1f]*$")]


class HonourBody(BaseModel):
    """An honour or an admonition, with its reason."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={"examples": [{"kind": "model_shop", "reason": "后厨整洁，全年无一级告警"}]},
    )

    kind: HonourKind
    reason: _Reason


class WithdrawalBody(BaseModel):
    """Why an honour or admonition no longer holds."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={"examples": [{"reason": "复查不合格"}]},
    )

    reason: _Reason


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class HonourView(_View):
    """One honour or admonition, withdrawn or not."""

    id: int
    premises_id: int
    kind: HonourKind
    positive: bool
    reason: str
    awarded_by: str
    awarded_at: AwareDatetime
    withdrawn_by: str | None
    withdrawn_at: AwareDatetime | None
    withdrawal: str


class SnapshotBrief(_View):
    """A frozen half-year."""

    half: str = Field(examples=["2026H1"])
    score: float
    formula_version: str
    frozen_at: AwareDatetime
    sha256: str


class RatingLine(_View):
    """A place in the ranking. Equal scores share a rank."""

    rank: int
    premises: PremisesBrief
    score: float
    alerts: int = Field(description="verified alerts that count")
    honours: list[HonourKind] = Field(description="in force")


class RatingPage(_View):
    """The ranking of a subtree, the best first."""

    since_at: AwareDatetime
    until_at: AwareDatetime
    half: str | None = Field(description="set where frozen scores are ranked; empty: the running score")
    formula_version: str | None
    count: int
    items: list[RatingLine]


class RatingDetail(_View):
    """The running score of one premises, line by line. A decision aid; no official grade."""

    premises: PremisesBrief
    since_at: AwareDatetime
    until_at: AwareDatetime
    score: float
    formula_version: str
    lines: list[Line]
    honours: list[HonourView]
    snapshots: list[SnapshotBrief]
    may_award: bool


class SnapshotDetail(SnapshotBrief):
    """A frozen half-year with everything that it was made of."""

    premises: PremisesBrief
    since_at: AwareDatetime
    until_at: AwareDatetime
    lines: list[Line]
    inputs: dict[str, Any]
    formula: dict[str, Any]
    intact: bool = Field(description="whether the seal (SHA-256 over inputs, formula and result) still fits")
    reproduced: bool = Field(description="whether inputs and formula give the same score and lines again")
