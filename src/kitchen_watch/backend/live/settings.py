"""What the operator may set for live view."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from kitchen_watch.config import Settings


class LiveSettings(Settings):
    """Live view. Without STUN and TURN servers browsers and edges must reach each other directly."""

    stun_urls: tuple[str, ...] = Field(default=(), description="such as stun:turn.example.cn:3478")
    turn_urls: tuple[str, ...] = Field(default=(), description="such as turn:turn.example.cn:3478")
    turn_secret: SecretStr | None = Field(
        default=None, description="coturn's static-auth-secret; credentials are minted from it for one view"
    )
    turn_lifetime: timedelta = Field(
        default=timedelta(hours=2), gt=timedelta(0), description="how long minted credentials are good for"
    )
    views_per_person: Annotated[int, Field(ge=1)] = Field(
        default=32, description="views that one person may have open at a time"
    )
    ask_purpose: bool = Field(
        default=False,
        description="ask supervision staff why they watch, once per window; kept with every view",
    )
    check_every_s: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.5, description="how often running views are checked against the rights in force"
    )
    answer_timeout_s: Annotated[float, Field(gt=0)] = Field(
        default=5.0, description="how long an edge's answer to a viewer is waited for"
    )

    @model_validator(mode="after")
    def _turn_is_whole(self) -> LiveSettings:
        if bool(self.turn_urls) != (self.turn_secret is not None):
            raise ValueError("turn_urls and turn_secret belong together; give both or neither")
        for url in (*self.stun_urls, *self.turn_urls):
            if url.partition(":")[0] not in {"stun", "stuns", "turn", "turns"}:
                raise ValueError(f"{url} is no address of a STUN or TURN server (stun:, turn:, turns:)")
        return self
