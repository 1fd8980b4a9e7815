"""How often every premises is looked at, and what officers can be counted on for."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from kitchen_watch.config import Settings

GRADES = ("A", "B", "C", "D")
"""Risk grades (风险等级), from low to high."""

_Looks = Annotated[int, Field(ge=1, le=31)]


class PatrolSettings(Settings):
    """The sweep; a node of the tree may have a period and numbers of its own."""

    period_days: Annotated[int, Field(ge=1, le=732)] = Field(
        default=90, description="every premises is looked at at least once in so many days"
    )
    looks: dict[str, _Looks] = Field(
        default={"A": 1, "B": 1, "C": 2, "D": 3},
        description="looks per period by risk grade; a premises without a grade counts as B",
    )
    reserve_days: Annotated[int, Field(ge=0, le=30)] = Field(
        default=7, description="days before its limit from which a premises ought to be looked at"
    )
    looks_per_day: Annotated[int, Field(ge=1, le=200)] = Field(
        default=8, description="premises that one officer can look at on a working day"
    )
    workdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = Field(
        default=(0, 1, 2, 3, 4), min_length=1, description="days on which officers patrol; 0 is Monday"
    )
    silent_days: Annotated[int, Field(ge=1, le=30)] = Field(
        default=3, description="an officer who did nothing for so many days of waiting work is not counted on"
    )
    claim: timedelta = Field(
        default=timedelta(hours=2),
        gt=timedelta(0),
        description="a premises that was taken is given back then",
    )
    finding_days: Annotated[int, Field(ge=0, le=365)] = Field(
        default=7, description="days that the premises has to mend a finding where nobody says otherwise"
    )
    look_every_s: Annotated[float, Field(gt=0)] = Field(
        default=3600.0, description="how often a process looks whether the day's forecast is made"
    )

    @field_validator("looks")
    @classmethod
    def _every_grade(cls, value: dict[str, int]) -> dict[str, int]:
        if set(value) != set(GRADES):
            raise ValueError("name the grades A, B, C and D, each once")
        return value

    @model_validator(mode="after")
    def _warns_in_time(self) -> PatrolSettings:
        if max(self.looks.values()) > self.period_days:
            raise ValueError("more than one look a day cannot be promised; lengthen period_days")
        return self
