"""Which model looks along, how often, and how much of what it sees differently is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from kitchen_watch.config import Settings


class ShadowSettings(Settings):
    """A new model beside the one in force: compared on the same frames, raising nothing."""

    model: Path | None = Field(
        default=None, description="model file with its card beside it; default: nothing looks along"
    )
    every_s: Annotated[
        float, Field(ge=0.2, le=3600, description="seconds between two compared frames, all cameras together")
    ] = 5.0
    keep: Annotated[int, Field(ge=1, le=5000, description="differences kept; the oldest go first")] = 300
