"""One camera as live view has it: its relays, what may be shown of it, and to whom which."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from kitchen_watch.control import LiveQuality, LiveVariant
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.errors import Conflict
from kitchen_watch.live.faces import Sightings
from kitchen_watch.live.fitness import why_not_as_it_is
from kitchen_watch.live.public import DELAY, PublicRelay
from kitchen_watch.live.relay import Relay
from kitchen_watch.live.transcode import TranscodedRelay

if TYPE_CHECKING:
    from kitchen_watch.live.recording import Recording
    from kitchen_watch.live.tracks import TrackFeed

TakePicture = Callable[[], Awaitable[bytes | None]]


class LiveCamera:
    """Relays of a camera. ``main`` and ``sub`` are packet sinks of its streams."""

    def __init__(
        self,
        camera_id: str,
        *,
        has_sub: bool,
        mask: PrivacyMask,
        picture: TakePicture | None = None,
        public_delay: timedelta = DELAY,
    ) -> None:
        self.camera_id = camera_id
        self.main = Relay()
        self.sub = Relay() if has_sub else self.main
        self.picture = picture
        """Gives the newest picture as JPEG, privacy burnt in; ``None`` before the first one."""
        self.public_picture: TakePicture | None = None
        """The same for the public: faces hidden, late."""
        self.sightings = Sightings()
        """Where faces are, as the analysis says; without it the public sees everything hidden."""
        self.tracks: TrackFeed | None = None
        self.recording: Recording | None = None
        self.continuous = False
        """Recorded for days, not only for time-shift."""
        self._masked = not mask.empty
        self._transcoded = TranscodedRelay(self.sub, mask)
        self._public = PublicRelay(self.sub, mask, self.sightings, delay=public_delay)

    def relay(self, quality: LiveQuality, variant: LiveVariant = "plain") -> Relay:
        """What viewers of this camera are given: the packets as they come, or the shared transcode.

        A camera with privacy areas is never passed through, whatever is asked for; the public is
        always given its own transcode.

        Raises:
            Conflict: the camera gives no picture now.
        """
        relay = self.main if quality == "main" else self.sub
        if self._masked or variant == "public":
            relay = self.sub
        if not relay.streaming or relay.info is None:
            raise Conflict(f"Camera {self.camera_id} gives no picture just now.")
        if variant == "public":
            return self._public
        if self._masked or self.transcoded_because(relay) is not None:
            return self._transcoded
        return relay

    async def newest_picture(self, variant: LiveVariant = "plain") -> bytes | None:
        """JPEG of the present picture; ``None`` while there is none, never an old one."""
        take = self.picture if variant == "plain" else self.public_picture
        return await take() if take is not None and self.sub.streaming else None

    @staticmethod
    def transcoded_because(relay: Relay) -> str | None:
        """Why a stream without privacy areas cannot be passed through; ``None`` if it can."""
        if relay.info is None:
            return None
        keyframe = next((packet.data for packet in relay.group()), None)
        return why_not_as_it_is(relay.info.codec, keyframe, reordered=relay.reordered)

    def close(self) -> None:
        """The camera is stopped or changed: all its views end."""
        self._transcoded.end()
        self._public.end()
        self.main.end()
        self.sub.end()
