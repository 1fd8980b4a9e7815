"""How much time each step of an alert's life has, as an operator may set it."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from kitchen_watch.config import Settings

_Duration = Annotated[timedelta, Field(gt=timedelta(0))]
_Share = Annotated[float, Field(gt=0, lt=1)]


class TierClocks(Settings):
    """The clocks of one tier; a step without a clock has no deadline of its own."""

    verify: _Duration | None = Field(default=None, description="from found to verified or refused")
    accept: _Duration | None = Field(default=None, description="from assigned to accepted by the premises")
    fix: _Duration | None = Field(
        default=None, description="from verified to closed; empty: the end of the local day"
    )
    same_day: bool = Field(default=True, description="no deadline reaches past the end of the local day")
    reminded: bool = Field(
        default=True, description="single reminders before the deadline; without, the daily digest names it"
    )

    @model_validator(mode="after")
    def _ends_some_time(self) -> TierClocks:
        if self.fix is None and not self.same_day:
            raise ValueError("without the same-day rule a tier needs a fix clock, or nothing is ever due")
        return self


class DeadlinePolicy(Settings):
    """Clocks of the three tiers, the same-day rule, reminders and supervision."""

    tier_1: TierClocks = Field(
        default=TierClocks(
            verify=timedelta(minutes=10), accept=timedelta(minutes=15), fix=timedelta(hours=2)
        ),
        description="clocks of tier 1 (at once)",
    )
    tier_2: TierClocks = Field(
        default=TierClocks(verify=timedelta(minutes=30), accept=timedelta(hours=1)),
        description="clocks of tier 2 (fix the same day)",
    )
    tier_3: TierClocks = Field(
        default=TierClocks(
            verify=timedelta(hours=24), fix=timedelta(hours=24), same_day=False, reminded=False
        ),
        description="clocks of tier 3 (daily guidance)",
    )
    late_from: time = Field(
        default=time(20), description="local time from which something found need not be closed the same day"
    )
    late_closed_by: time = Field(
        default=time(10), description="local time of the next day by which it must be closed then"
    )
    remind_at: tuple[_Share, ...] = Field(
        default=(0.5, 0.8), description="shares of the clock after which a reminder is sent"
    )
    level_up_every: timedelta = Field(
        default=timedelta(hours=24),
        gt=timedelta(0),
        description="supervision goes up a level after so long",
    )
    highest_level: Annotated[int, Field(ge=1)] = Field(default=4, description="the last level of supervision")

    @field_validator("remind_at")
    @classmethod
    def _in_order(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if list(value) != sorted(set(value)):
            raise ValueError("must grow, for example 0.5, 0.8")
        return value

    @field_validator("late_from", "late_closed_by")
    @classmethod
    def _local(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("is the local time of the premises; give it without a time zone")
        if value > time(23, 59, 59):
            raise ValueError("must not be later than 23:59:59")
        return value

    def clocks(self, tier: int) -> TierClocks:
        """The clocks of a tier."""
        return {1: self.tier_1, 2: self.tier_2}.get(tier, self.tier_3)
