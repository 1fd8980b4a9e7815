"""Whether cameras take turns, and within which bounds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kitchen_watch.config import Settings

TurnMode = Literal["off", "automatic", "always"]


class TurnSettings(Settings):
    """Patrol mode (轮巡): more cameras than this machine can look at take turns. Those that wait are
    received, recorded and shown live; nothing is decoded or analysed of them, and pages say so.
    """

    mode: TurnMode = Field(
        default="off",
        description="off: all cameras all the time; automatic: once the machine cannot keep up; always:"
        " at_once of them",
    )
    at_once: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="cameras looked at at the same time, for always"
    )
    watch_s: Annotated[
        float,
        Field(ge=5, le=3600, description="a turn lasts so long, seconds; longer where a rule needs it"),
    ] = 30.0
    longest_revisit_s: Annotated[
        float,
        Field(ge=10, le=86_400, description="no camera should go without a look for longer, seconds"),
    ] = 300.0
    overloaded_below: Annotated[
        float,
        Field(
            ge=0.1, le=0.95, description="automatic: turns begin where less of the due frames is looked at"
        ),
    ] = 0.6

    @model_validator(mode="after")
    def _always_says_how_many(self) -> Self:
        if self.mode == "always" and self.at_once is None:
            raise ValueError("mode always needs at_once: how many cameras are looked at at the same time")
        return self
