"""How long what is kept, as an operator may set it."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from kitchen_watch.config import Settings

_Duration = Annotated[timedelta, Field(gt=timedelta(0))]
YEAR = timedelta(days=365)


class RetentionSettings(Settings):
    """What is deleted by policy. An open case and a hold always win; letters and records always stay."""

    run_at: time = Field(default=time(3, 30), description="local time from which the nightly run begins")
    time_zone: str = Field(default="Asia/Shanghai", description="of that local time")
    look_every_s: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="how often a process looks whether a run is due or the disk is short"
    )
    evidence: _Duration = Field(
        default=YEAR, description="evidence files stay so long after their case is finished"
    )
    evidence_of_tier: dict[int, _Duration] = Field(
        default_factory=dict, description="another time for single tiers, such as 3: P90D"
    )
    evidence_of_code: dict[str, _Duration] = Field(
        default_factory=dict, description="another time for single codes; it goes before that of the tier"
    )
    evidence_of_false_alarms: _Duration | None = Field(
        default=None, description="another time for false alarms; it goes before tier and code"
    )
    evidence_of_transferred: _Duration = Field(
        default=5 * YEAR, description="evidence of cases handed to enforcement, from that day on"
    )
    evidence_minimum: _Duration = Field(
        default=timedelta(days=90),
        description="even when the disk is short evidence stays so long after its case is finished",
    )
    photos: _Duration = Field(
        default=2 * YEAR, description="photos of rectifications stay so long after their case is finished"
    )
    task_files: _Duration = Field(
        default=3 * YEAR, description="files of reports stay so long after their unit was done with its task"
    )
    check_photos: _Duration = Field(
        default=2 * YEAR, description="photos of self-checks stay so long after these were handed in"
    )
    patrol_pictures: _Duration = Field(
        default=2 * YEAR,
        description="pictures of checks, and photos of the answers to what these found, stay so long after "
        "the check is finished and everything found is settled",
    )
    audit: _Duration = Field(default=6 * YEAR, description="entries of the audit log; longest of all")
    batch: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=100, description="cases that one transaction looks at"
    )
    disk_floor_bytes: Annotated[int, Field(ge=0)] = Field(
        default=5_000_000_000,
        description="with less space left, evidence goes as early as evidence_minimum allows; 0: never",
    )

    @field_validator("evidence_of_tier")
    @classmethod
    def _tiers(cls, value: dict[int, timedelta]) -> dict[int, timedelta]:
        if set(value) - {1, 2, 3}:
            raise ValueError("there are the tiers 1, 2 and 3")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> RetentionSettings:
        times = (
            self.evidence, self.evidence_of_transferred, self.photos, *self.evidence_of_tier.values(),
            *self.evidence_of_code.values(), self.evidence_of_false_alarms or self.evidence,
        )  # fmt: skip
        if self.audit < max(*times, self.task_files, self.check_photos, self.patrol_pictures):
            raise ValueError("audit: the audit log must stay at least as long as everything it tells of")
        if self.evidence_minimum > min(times):
            raise ValueError("evidence_minimum must not be longer than any of the usual times")
        return self
