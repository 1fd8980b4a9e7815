"""What the operator may set for archives of premises."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from kitchen_watch.config import Settings


class ArchiveSettings(Settings):
    """Archives of premises."""

    longest: timedelta = Field(
        default=timedelta(days=366), gt=timedelta(0), description="the longest period of one archive"
    )
    most_alerts: Annotated[int, Field(ge=1)] = Field(
        default=2000, description="an archive with more alerts is asked for in parts"
    )
