"""What the operator may set for ratings: the formula's points, and when half-years are frozen."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.config import Settings

RULES_VERSION = 1
"""Counts the changes of :mod:`.formula` itself; its points are in the settings."""

Points = Annotated[float, Field(ge=0, le=100)]


class RatingFormula(Settings):
    """Points that are taken from 100, and what is given back."""

    tier_1: Points = Field(default=8.0, description="points for a verified alert of tier 1")
    tier_2: Points = Field(default=3.0, description="points for a verified alert of tier 2")
    tier_3: Points = Field(default=1.0, description="points for a verified alert of tier 3")
    codes: dict[str, Points] = Field(
        default={"RODENT": 10.0, "COCKROACH": 8.0, "CAM_OFFLINE": 1.0, "CAM_BLURRED": 0.5},
        description="points by code, in the place of those of its tier",
    )
    most_per_code: Points = Field(default=30.0, description="no code takes more than this in a period")
    repeat: Points = Field(default=1.0, description="more for an alert of the same code soon after another")
    repeat_within: timedelta = Field(
        default=timedelta(days=30), gt=timedelta(0), description="what counts as soon after"
    )
    late: Points = Field(default=2.0, description="for every deadline that the restaurant missed")
    returned: Points = Field(default=1.0, description="for every rectification that was returned")
    unrectified: Points = Field(default=4.0, description="for an alert that is overdue and not closed")
    rectified_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.25, description="share of an alert's own points given back when it was closed in time"
    )
    unseen: Points = Field(
        default=10.0, description="for cameras that were never online while open; less in proportion"
    )
    unseen_from_minutes: Annotated[int, Field(ge=0)] = Field(
        default=1440, description="fewer camera minutes during opening hours than this say nothing yet"
    )
    finding: Points = Field(default=1.0, description="for every finding of a patrol or check")
    most_findings: Points = Field(default=20.0, description="findings of checks take no more than this")
    self_check: Points = Field(
        default=0.5, description="for every self-check that is missing; 0: self-checks do not count"
    )
    self_check_kinds: tuple[FormKind, ...] = Field(
        default=(FormKind.DAILY, FormKind.WEEKLY, FormKind.MONTHLY), description="which self-checks count"
    )
    most_self_checks: Points = Field(default=10.0, description="missing self-checks take no more than this")

    @property
    def version(self) -> str:
        """Names rules and points together: two formulas with one name are the same."""
        # Sorted: a database gives the keys of an object back in an order of its own.
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"{RULES_VERSION}.{digest[:8]}"


class RatingSettings(Settings):
    """Ratings."""

    formula: RatingFormula = RatingFormula()
    period: timedelta = Field(
        default=timedelta(days=180),
        ge=timedelta(days=1),
        le=timedelta(days=1000),
        description="the running score looks back so far",
    )
    freeze_after: timedelta = Field(
        default=timedelta(days=10),
        ge=timedelta(days=1),
        description="a half-year is frozen so long after its end, when appeals are decided",
    )
    look_every_s: Annotated[float, Field(gt=0)] = Field(
        default=600.0, description="how often a process looks whether a half-year is to be frozen"
    )
