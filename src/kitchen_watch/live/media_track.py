"""A relay's packets as the media track that aiortc sends: handed on as they are, never decoded."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import cast

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.frame import Frame
from av.packet import Packet
from av.video.stream import VideoStream

from kitchen_watch.live.relay import Relay, Subscription

TICK = Fraction(1, 90_000)


class RelayTrack(MediaStreamTrack):
    """Subscribes when the first packet is asked for, which is when the viewer's transport stands."""

    kind = "video"

    def __init__(self, relay: Relay) -> None:
        super().__init__()
        self._relay = relay
        self._viewers_loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._subscription: Subscription | None = None

    @property
    def dropped(self) -> int:
        """Packets that this viewer lost by being slow."""
        return self._subscription.dropped if self._subscription is not None else 0

    async def recv(self) -> Frame | Packet[VideoStream]:
        """The next packet; waits while the camera is away.

        Raises:
            MediaStreamError: the viewer has left, or the camera is no longer relayed.
        """
        if self.readyState != "live":
            raise MediaStreamError
        if self._subscription is None:
            self._subscription = self._relay.subscribe(self._wake)
        while (taken := self._subscription.take()) is None:
            if self._subscription.ended:
                self.stop()
                raise MediaStreamError
            self._woken.clear()
            if self._subscription.pending == 0 and not self._subscription.ended:
                await self._woken.wait()
        packet = cast("Packet[VideoStream]", av.Packet(taken.data))
        packet.pts = round(taken.seconds / TICK)
        packet.time_base = TICK
        return packet

    def stop(self) -> None:
        """Leave the relay. Once is enough."""
        super().stop()
        if self._subscription is not None:
            self._subscription.close()

    def _wake(self) -> None:
        if not self._viewers_loop.is_closed():
            self._viewers_loop.call_soon_threadsafe(self._woken.set)
