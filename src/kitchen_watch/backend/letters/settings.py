"""What the operator may set for letters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kitchen_watch.config import Settings


class LetterSettings(Settings):
    """Letters."""

    automatic: tuple[Literal["reminder", "supervision"], ...] = Field(
        default=("supervision",),
        description="what is put into a letter by itself when it is issued; others are written by hand",
    )
