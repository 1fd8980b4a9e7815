"""What coverage is aimed at, and which zones a kind of business must show."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kitchen_watch.config import Settings


class PresenceSettings(Settings):
    """The target line, and required zones by business type."""

    target: Annotated[float, Field(ge=0, le=1, description="share of premises to be covered")] = 1 / 3
    required_zones: dict[str, tuple[str, ...]] = Field(
        default={
            "restaurant": ("cooking", "washing"),
            "canteen": ("cooking", "washing", "cold_room"),
            "central_kitchen": ("cooking", "washing", "cold_room"),
        },
        description="zone types that each business type must have a camera in",
    )
