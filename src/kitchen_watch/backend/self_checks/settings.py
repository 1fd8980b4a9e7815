"""What the operator may set for self-checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.config import Settings


class SelfCheckSettings(Settings):
    """Self-checks."""

    kinds: tuple[FormKind, ...] = Field(
        default=(FormKind.DAILY, FormKind.WEEKLY, FormKind.MONTHLY),
        description="which self-checks are asked for: daily, weekly, monthly",
    )
    remind_before: timedelta = Field(
        default=timedelta(hours=3),
        gt=timedelta(0),
        le=timedelta(hours=23),
        description="the restaurant is reminded so long before the end of the day",
    )
    late_within: timedelta = Field(
        default=timedelta(days=7),
        ge=timedelta(0),
        description="a missed self-check can still be handed in for so long, and then counts as late",
    )
    look_every_s: Annotated[float, Field(gt=0)] = Field(
        default=300.0, description="how often a process looks whom to remind"
    )
