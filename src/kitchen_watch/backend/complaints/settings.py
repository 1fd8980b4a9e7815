"""The clocks of complaints, as an operator may set them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from kitchen_watch.config import Settings

_Days = Annotated[int, Field(ge=1, le=365)]
_Share = Annotated[float, Field(gt=0, lt=1)]


class ComplaintSettings(Settings):
    """Complaints. All times are our own defaults; set those that your rules ask for.

    Read as: days begin the day after it was filed, a term ends with its last local day.
    """

    accept_working_days: _Days = Field(
        default=1, description="working days from filed to accepted or refused"
    )
    consultation_days: _Days = Field(default=7, description="days from filed to answered: consultations")
    complaint_days: _Days = Field(default=15, description="days from filed to answered: complaints")
    report_days: _Days = Field(default=15, description="days from filed to answered: reports of offences")
    holidays: tuple[date, ...] = Field(default=(), description="days off besides Saturdays and Sundays")
    extra_working_days: tuple[date, ...] = Field(
        default=(), description="Saturdays and Sundays on which work is done (调休)"
    )
    remind_at: tuple[_Share, ...] = Field(
        default=(0.5, 0.8), description="shares of a term after which the grid is reminded; and at its end"
    )
    hold_around: Annotated[timedelta, Field(ge=timedelta(0))] = Field(
        default=timedelta(hours=24), description="evidence before and after the time complained about is held"
    )
    time_zone: str = Field(default="Asia/Shanghai", description="of the days of the terms")
    look_every_s: Annotated[float, Field(gt=0)] = Field(
        default=30.0, description="how often a process looks whether a reminder is due"
    )
