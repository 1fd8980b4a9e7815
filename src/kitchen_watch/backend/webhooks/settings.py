"""What the operator may set for everything that is sent out."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator

from kitchen_watch.config import Settings

_Wait = Annotated[timedelta, Field(gt=timedelta(0))]


class OutgoingSettings(Settings):
    """Sending to other systems. Without ``allowed_networks`` only public addresses over https are called."""

    send_here: bool = Field(
        default=True,
        description="whether this process sends; switch it off where only another one may leave the network",
    )
    look_every_s: Annotated[float, Field(gt=0)] = Field(
        default=2.0, description="how often a process looks whether something is to be sent"
    )
    timeout_s: Annotated[float, Field(gt=0, le=60)] = Field(
        default=10.0, description="how long a receiver may take to answer"
    )
    retry_waits: tuple[_Wait, ...] = Field(
        default=(
            timedelta(seconds=5),
            timedelta(seconds=30),
            timedelta(minutes=5),
            timedelta(minutes=30),
            timedelta(hours=2),
            timedelta(hours=6),
            timedelta(hours=12),
        ),
        description="pauses after the first, second, ... failure; after the last one it is a dead letter",
    )
    allowed_networks: tuple[str, ...] = Field(
        default=(),
        description="networks that are not public but may be called, also by http, such as 10.20.0.0/16",
    )

    @field_validator("allowed_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network)
        return value
