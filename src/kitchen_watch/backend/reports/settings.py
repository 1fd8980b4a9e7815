"""What the operator may set for reports."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from kitchen_watch.config import Settings


class ReportSettings(Settings):
    """Reports of the nodes, and bulletins."""

    cut_off: time = Field(
        default=time(20, 30),
        description="local time at which a day's report is closed and issued; the next day begins there",
    )
    time_zone: str = Field(
        default="Asia/Shanghai",
        description="whose local time; one for the whole tree, or its reports could not be added up",
    )
    appeal_window: timedelta = Field(
        default=timedelta(days=3),
        gt=timedelta(0),
        description="after its assignment an alert is not named in a bulletin for so long",
    )
    look_every_s: Annotated[float, Field(gt=0)] = Field(
        default=20.0, description="how often a process looks whether a report is due"
    )
    remind_every: timedelta = Field(
        default=timedelta(hours=24),
        gt=timedelta(0),
        description="who has not confirmed a published report is reminded so often",
    )
    begin_with_yesterday: bool = Field(
        default=False,
        description="a new node is reported at once for the day that has ended (to try it out); "
        "else at its first cut-off",
    )
    top: Annotated[int, Field(ge=1, le=100)] = Field(
        default=10, description="how many premises and lines the lists of a report name"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("must be a time zone such as Asia/Shanghai")
        return value

    @field_validator("cut_off")
    @classmethod
    def _local(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("must be a local time such as 20:30")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.time_zone)
