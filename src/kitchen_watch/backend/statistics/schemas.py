"""Statistics over the API."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.statistics.figures import AlertFigures, Share


class ShareView(BaseModel):
    """A rate with what it is a rate of."""

    model_config = ConfigDict(from_attributes=True)

    part: int
    whole: int
    rate: float | None = Field(description="part / whole; empty where whole is 0")


class FiguresView(BaseModel):
    """The figures of section "statistics": plain sums, and rates made of them."""

    model_config = ConfigDict(from_attributes=True)

    found: int
    tier_1: int
    tier_2: int
    tier_3: int
    pending: int
    false_alarms: int
    merged: int
    believed: int = Field(description="verified by somebody, neither taken back nor merged")
    pushed: int = Field(description="assigned to a restaurant")
    transferred: int
    closed: int
    open: int
    overdue: int
    overdue_hours: int
    reminders: int
    supervised: int
    appeals: int
    verify_timeliness: ShareView
    false_alarm_rate: ShareView
    same_day_rate: ShareView
    on_time_rate: ShareView
    rectification_rate: ShareView
    return_rate: ShareView
    repeat_rate_7_days: ShareView
    repeat_rate_30_days: ShareView
    appeals_won_rate: ShareView
    mean_hours_to_rectify: float | None


class NodeFigures(BaseModel):
    """One child of the node asked about (or the node itself), with its figures."""

    node_id: int
    name: str
    name_en: str
    figures: FiguresView


class CodeFigures(BaseModel):
    """What was found of one code."""

    code: str
    found: int
    believed: int
    false_alarms: int
    cumulative_share: float = Field(description="believed alerts of this and all more frequent codes, 0..1")


class DayCount(BaseModel):
    """Alerts of one local day, false ones left out."""

    day: date
    count: int


class PremisesCount(BaseModel):
    """One of the premises with most believed alerts."""

    premises_id: int
    name: str
    name_en: str
    business_type: str
    count: int


class StatisticsView(BaseModel):
    """Everything about the alerts of a subtree and a span."""

    since_at: AwareDatetime
    until_at: AwareDatetime
    node_id: int | None
    total: FiguresView
    children: list[NodeFigures] = Field(description="they add up to the total")
    codes: list[CodeFigures] = Field(description="most frequent first")
    days: list[DayCount]
    hours: list[list[int]] = Field(description="7 weekdays from Monday, 24 hours each, local time")
    premises: list[PremisesCount]


class PrecisionView(BaseModel):
    """How often a rule, camera or model was right, of what people judged."""

    code: str
    source: str
    judged: int
    false_alarms: int
    precision: float
    enough: bool = Field(description="whether so few cases say anything (at least 20)")
    threshold: float | None = Field(
        description="the lowest confidence from which 9 of 10 were right; empty if none is known"
    )
    kept: float | None = Field(description="share of the right ones that this threshold would keep")


def share_view(share: Share) -> ShareView:
    """The share with its rate."""
    return ShareView(part=share.part, whole=share.whole, rate=share.rate)


def figures_view(figures: AlertFigures) -> FiguresView:
    """The figures with their rates."""
    return FiguresView.model_validate(figures)
