"""The public's picture of a camera: faces hidden, small, and some seconds late; made once for everybody.

Late, because what hides a face in a picture is known only after the frames behind it were analysed
too (see :mod:`kitchen_watch.live.faces`). Until the delay has filled, one picture is shown in which
everything is hidden.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from kitchen_watch.clock import Clock
from kitchen_watch.control import WHOLLY_HIDDEN
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.snapshot import jpeg
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.live.faces import Sightings, hide_bgr, hide_yuv420
from kitchen_watch.live.relay import GROUP_BYTES, LivePacket, Relay
from kitchen_watch.live.transcode import Quality, TranscodedRelay

DELAY = timedelta(seconds=5)
PUBLIC = Quality(fit=(480, 270), rate=10, bit_rate=300_000)
PICTURE_EVERY = timedelta(seconds=1)
ASKED_LATELY_S = 60.0
CLOCK_WENT_BACK = timedelta(seconds=1)


class PublicRelay(TranscodedRelay):
    """The transcode that the public is given, while anybody watches."""

    def __init__(
        self, source: Relay, mask: PrivacyMask, sightings: Sightings, *, delay: timedelta = DELAY
    ) -> None:
        def treat(planes: NDArray[np.uint8], at: datetime | None) -> None:
            hide_yuv420(planes, sightings.hidden_at(at))
            mask.burn_yuv420(planes)

        super().__init__(source, mask, quality=PUBLIC, treat=treat, hold=Held(delay))


class Held:
    """Packets that wait until they are as old as the delay, by the time they were captured."""

    def __init__(self, delay: timedelta, *, most_bytes: int = GROUP_BYTES) -> None:
        self.delay = delay
        self._most_bytes = most_bytes
        self._packets: deque[LivePacket] = deque()
        self._bytes = 0
        self._broken = False

    def clear(self) -> None:
        """Forget what waits."""
        self._packets.clear()
        self._bytes, self._broken = 0, False

    def put(self, packet: LivePacket) -> list[LivePacket]:
        """Take a packet; gives those that are now late enough, in order.

        What does not fit is left out up to the next keyframe: the picture then stands for a while.
        """
        if self._packets and packet.captured_at < self._packets[-1].captured_at - CLOCK_WENT_BACK:
            self.clear()
            self._broken = True
        due = []
        while self._packets and packet.captured_at - self._packets[0].captured_at >= self.delay:
            due.append(self._packets.popleft())
            self._bytes -= len(due[-1].data)
        full = self._bytes + len(packet.data) > self._most_bytes
        self._broken = full or (self._broken and not packet.keyframe)
        if not self._broken:
            self._packets.append(packet)
            self._bytes += len(packet.data)
        return due


class PublicPictures:
    """The public's JPEGs, one a second, equally late. Kept only while somebody asks for them."""

    def __init__(
        self,
        mask: PrivacyMask,
        sightings: Sightings,
        clock: Clock,
        *,
        delay: timedelta = DELAY,
    ) -> None:
        self._mask = mask
        self._sightings = sightings
        self._clock = clock
        self._delay = delay
        self._asked: float | None = None
        self._lock = threading.Lock()
        self._kept: deque[tuple[datetime, NDArray[np.uint8]]] = deque()

    def saw(self, frame: Frame) -> None:
        """Remember an analysed frame, if anybody asks and the last one is a second old."""
        if self._asked is None or self._clock.monotonic() - self._asked > ASKED_LATELY_S:
            with self._lock:
                self._kept.clear()
            return
        with self._lock:
            if frame.discontinuity:
                self._kept.clear()  # what lies before a gap is not shown after it
            if self._kept and timedelta(0) <= frame.captured_at - self._kept[-1][0] < PICTURE_EVERY:
                return
            self._kept.append((frame.captured_at, _small(frame.image)))
            while len(self._kept) > 2 + self._delay / PICTURE_EVERY:
                self._kept.popleft()

    def newest(self) -> bytes | None:
        """The newest picture that is late enough, as JPEG; ``None`` while there is none at all.

        Until the delay has filled, one in which everything is hidden; such a one says so in a comment.
        """
        self._asked = self._clock.monotonic()
        before = self._clock.now() - self._delay
        with self._lock:
            kept = list(self._kept)
        if not kept:
            return None
        late = [(at, image) for at, image in kept if at <= before]
        at, image = late[-1] if late else kept[-1]
        image = image.copy()
        boxes = self._sightings.hidden_at(at) if late else None
        hide_bgr(image, boxes)
        content = jpeg(self._mask.burnt(image))
        return content[:2] + WHOLLY_HIDDEN + content[2:] if boxes is None else content


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = min(1.0, PUBLIC.fit[0] / width, PUBLIC.fit[1] / height)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
