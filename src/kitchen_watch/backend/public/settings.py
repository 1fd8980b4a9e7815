"""What the operator may set for the public pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator

from kitchen_watch.config import Settings


class PublicSettings(Settings):
    """Public pages of premises, reached by the QR code at their door; no login."""

    requests_per_minute: Annotated[int, Field(ge=1)] = Field(
        default=600, description="public requests of one network address per minute, pictures included"
    )
    cached_for: timedelta = Field(
        default=timedelta(minutes=1),
        ge=timedelta(0),
        description="how long browsers and proxies may keep a public page",
    )
    embedded_by: tuple[str, ...] = Field(
        default=("*",),
        description="origins that may show a public page in a frame (https://www.example.cn); * is any",
    )
    picture_every: timedelta = Field(
        default=timedelta(seconds=5),
        ge=timedelta(seconds=1),
        description="how often a public page fetches its pictures anew; so long proxies may keep one",
    )

    @field_validator("embedded_by")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not (
                origin.startswith(("https://", "http://")) and set(origin).isdisjoint(" ;,'\"\r\n")
            ):
                raise ValueError(f"{origin} is no origin (https://host) and not *")
        return value
