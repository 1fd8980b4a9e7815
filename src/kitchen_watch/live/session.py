"""One viewer's WebRTC session: an offer is answered, packets flow, and everything is given back.

The session ends by itself when no transport stands within a time limit, when the viewer goes away,
or when the camera is no longer relayed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.sdp import SessionDescription

from kitchen_watch.control import IceServer
from kitchen_watch.errors import InvalidRequest
from kitchen_watch.live.candidates import Candidates, Network
from kitchen_watch.live.fitness import h264_parameters
from kitchen_watch.live.media_track import RelayTrack
from kitchen_watch.live.profiles import preferred_codecs
from kitchen_watch.live.relay import Relay

MAX_OFFER_BYTES = 64 * 1024
CONNECT_LIMIT = timedelta(seconds=15)
CLOSE_LIMIT_S = 5.0
_OVER = {"failed", "closed", "disconnected"}
_UNREADABLE = (
    ValueError, AssertionError, LookupError, AttributeError, TypeError, RuntimeError, StopIteration,
    InvalidAccessError, InvalidStateError,
)  # fmt: skip
"""What the library raises at SDP that is cut off or contradicts itself."""

log = structlog.get_logger(__name__)


class ViewerSession:
    """Answers one offer with a relay's packets. ``on_end`` is called once, with the reason.

    ``networks`` are those in which a viewer's addresses are tried; none: see :mod:`.candidates`.
    """

    def __init__(
        self,
        relay: Relay,
        *,
        ice_servers: Sequence[IceServer] = (),
        networks: Sequence[Network] = (),
        on_end: Callable[[str], None] = lambda _: None,
        connect_limit: timedelta = CONNECT_LIMIT,
    ) -> None:
        self._relay = relay
        self._on_end = on_end
        self._connect_limit = connect_limit
        self._peer = RTCPeerConnection(
            RTCConfiguration(
                iceServers=[
                    RTCIceServer(list(server.urls), server.username, server.credential)
                    for server in ice_servers
                ]
            )
        )
        self._track = RelayTrack(relay)
        self._candidates = Candidates(networks)
        self._closing: asyncio.Task[None] | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._peer.on("connectionstatechange", self._changed)
        self._track.on("ended", self._camera_ended)

    @property
    def connected(self) -> bool:
        """Whether the viewer's transport stands."""
        return self._peer.connectionState == "connected"

    @property
    def dropped(self) -> int:
        """Packets that this viewer lost by being slow."""
        return self._track.dropped

    async def answer(self, offer: str) -> str:
        """The SDP answer, with all own ICE candidates in it.

        Raises:
            InvalidRequest: the offer cannot be used, and why. The session is then over.
        """
        try:
            sdp = await self._negotiate(offer)
        except BaseException:
            await self.close("the offer cannot be used")
            raise
        loop = asyncio.get_running_loop()
        self._limit = loop.call_later(self._connect_limit.total_seconds(), self._too_late)
        return sdp

    async def add_candidates(self, fragment: str) -> None:
        """Candidates that the viewer found later (``a=candidate`` lines of a trickle-ice-sdpfrag).

        Raises:
            InvalidRequest: a line is no candidate, or there are too many.
        """
        lines = [line.strip() for line in fragment.splitlines()]
        mid = next((line.removeprefix("a=mid:") for line in lines if line.startswith("a=mid:")), "0")
        for candidate in self._candidates.later(lines):
            candidate.sdpMid = mid
            try:
                await self._peer.addIceCandidate(candidate)
            except _UNREADABLE:
                raise InvalidRequest("An ICE candidate cannot be read.") from None

    async def close(self, reason: str = "closed") -> None:
        """End the session and give everything back; returns when that is done."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(reason))
        await asyncio.shield(self._closing)

    async def _negotiate(self, offer: str) -> str:
        if len(offer) > MAX_OFFER_BYTES:
            raise InvalidRequest("The offer is too long.")
        try:
            wanted = [(media.kind, media.direction) for media in SessionDescription.parse(offer).media]
        except _UNREADABLE:
            raise InvalidRequest("The offer is no SDP that can be read.") from None
        if [kind for kind, _ in wanted] != ["video"]:
            raise InvalidRequest("The offer must ask for one video and nothing else; there is no sound here.")
        if wanted[0][1] not in {"recvonly", "sendrecv"}:
            raise InvalidRequest("The offer does not ask to receive video.")
        usable = self._candidates.sifted(offer)
        keyframe = next((packet.data for packet in self._relay.group()), None)
        try:
            self._peer.addTrack(self._track)
            (transceiver,) = self._peer.getTransceivers()
            transceiver.direction = "sendonly"
            transceiver.setCodecPreferences(
                preferred_codecs(h264_parameters(keyframe) if keyframe is not None else None)
            )
            await self._peer.setRemoteDescription(RTCSessionDescription(usable, "offer"))
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except OperationError:
            raise InvalidRequest(
                "The browser offers no H.264 that the camera's stream could be sent as."
            ) from None
        except _UNREADABLE as error:
            reason = str(error) or type(error).__name__
            raise InvalidRequest(f"The offer cannot be used: {reason[:200]}.") from None
        return self._peer.localDescription.sdp

    def _changed(self) -> None:
        if self._peer.connectionState == "connected" and self._limit is not None:
            self._limit.cancel()
        if self._peer.connectionState in _OVER:
            self._end_soon("the viewer has gone")

    def _camera_ended(self) -> None:
        self._end_soon("the camera is no longer there")

    def _too_late(self) -> None:
        if not self.connected:
            self._end_soon("no connection to the viewer came about")

    def _end_soon(self, reason: str) -> None:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(reason))

    async def _close(self, reason: str) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._track.stop()
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await self._peer.close()
        except (TimeoutError, ConnectionError):
            log.warning("a viewer's session did not close in time")
        finally:
            # Whatever the peer did: the place is free again and the backend hears of it.
            self._peer.remove_all_listeners()
            self._track.remove_all_listeners()
            self._on_end(reason)
