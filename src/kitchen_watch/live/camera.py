"""One camera as live view has it: its relays, what may be shown of it, and to whom which."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kitchen_watch.control import LiveQuality
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.errors import Conflict
from kitchen_watch.live.fitness import why_not_as_it_is
from kitchen_watch.live.relay import Relay
from kitchen_watch.live.transcode import TranscodedRelay

TakePicture = Callable[[], Awaitable[bytes | None]]


class LiveCamera:
    """Relays of a camera. ``main`` and ``sub`` are packet sinks of its streams."""

    def __init__(
        self, camera_id: str, *, has_sub: bool, mask: PrivacyMask, picture: TakePicture | None = None
    ) -> None:
        self.camera_id = camera_id
        self.main = Relay()
        self.sub = Relay() if has_sub else self.main
        self.picture = picture
        """Gives the newest picture as JPEG, privacy burnt in; ``None`` before the first one."""
        self._masked = not mask.empty
        self._transcoded = TranscodedRelay(self.sub, mask)

    def relay(self, quality: LiveQuality) -> Relay:
        """What viewers of this camera are given: the packets as they come, or the shared transcode.

        A camera with privacy areas is never passed through, whatever is asked for.

        Raises:
            Conflict: the camera gives no picture now.
        """
        relay = self.main if quality == "main" else self.sub
        if self._masked:
            relay = self.sub
        if not relay.streaming or relay.info is None:
            raise Conflict(f"Camera {self.camera_id} gives no picture just now.")
        if self._masked or self.transcoded_because(relay) is not None:
            return self._transcoded
        return relay

    async def newest_picture(self) -> bytes | None:
        """JPEG of the present picture; ``None`` while there is none, never an old one."""
        return await self.picture() if self.picture is not None and self.sub.streaming else None

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
        self.main.end()
        self.sub.end()
