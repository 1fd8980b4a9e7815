"""What the operator may set for tasks."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from pydantic import Field

from kitchen_watch.config import Settings


class TaskSettings(Settings):
    """Tasks."""

    remind_days_before: tuple[Annotated[int, Field(ge=-30, le=365)], ...] = Field(
        default=(7, 1, -1),
        description="days before the due day on which a unit is reminded; below 0 after it",
    )
    remind_at: time = Field(default=time(9), description="local time of reminders")
    time_zone: str = Field(default="Asia/Shanghai", description="of due days and reminders")
    look_every_s: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="how often a process looks whether a reminder is due"
    )
