"""Viewers in a process of their own: real aiortc peers that decode, or only receive.

``receive`` takes every packet off the wire, decrypts it and puts pictures together as a browser
does, but does not decode them: so that dozens of viewers do not use up the machine that is measured.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import aiortc.rtcrtpreceiver
import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription

from benchmarks.live_view.talk import serve
from benchmarks.live_view.timecode import age_ms, read

received = 0
"""Whole coded pictures that this process's viewers received."""


def count_only(_loop: asyncio.AbstractEventLoop, coded: queue.Queue[Any], _decoded: Any, _error: Any) -> None:
    """Instead of aiortc's decoder thread."""
    global received  # noqa: PLW0603 - one counter of the process, written by its decoder threads
    while coded.get() is not None:
        received += 1


@dataclass
class Viewer:
    """One viewer, its first picture and the ages of its pictures."""

    peer: RTCPeerConnection
    began_at: float
    first_picture_s: float | None = None
    pictures: int = 0
    damaged: int = 0
    ages_ms: list[int] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def look(self, track: Any) -> None:
        """Take every decoded picture and read its time."""
        while True:
            frame: av.VideoFrame = await track.recv()
            if self.first_picture_s is None:
                self.first_picture_s = time.monotonic() - self.began_at
                self.came.set()
            self.pictures += 1
            self.size = (frame.width, frame.height)
            plane = frame.planes[0]
            luma = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
            sent = read(luma)
            if sent is None:
                self.damaged += 1
            else:
                self.ages_ms.append(age_ms(sent))


class Viewers:
    """All viewers of this process."""

    def __init__(self, *, decode: bool) -> None:
        self._decode = decode
        self._viewers: dict[int, Viewer] = {}
        if not decode:
            aiortc.rtcrtpreceiver.decoder_worker = count_only

    async def offer(self, viewer: int) -> str:
        """A new viewer's offer, H.264 only; its clock starts here."""
        one = Viewer(RTCPeerConnection(RTCConfiguration(iceServers=[])), time.monotonic())
        self._viewers[viewer] = one
        transceiver = one.peer.addTransceiver("video", direction="recvonly")
        known = RTCRtpReceiver.getCapabilities("video").codecs
        transceiver.setCodecPreferences(
            [codec for codec in known if codec.mimeType in {"video/H264", "video/rtx"}]
        )
        if self._decode:
            one.peer.on("track", lambda track: self._watch(one, track))
        await one.peer.setLocalDescription(await one.peer.createOffer())
        return one.peer.localDescription.sdp

    async def accept(self, viewer: int, answer: str) -> None:
        """The edge's answer."""
        await self._viewers[viewer].peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def connected(self, viewer: int) -> None:
        """Wait for the viewer's transport."""
        async with asyncio.timeout(20):
            while self._viewers[viewer].peer.connectionState != "connected":
                await asyncio.sleep(0.02)

    async def first_picture(self, viewer: int) -> float:
        """Wait for the first decoded picture; seconds since the viewer began."""
        async with asyncio.timeout(20):
            await self._viewers[viewer].came.wait()
        seconds = self._viewers[viewer].first_picture_s
        assert seconds is not None
        return seconds

    async def forget_ages(self) -> None:
        """Begin to measure ages anew."""
        for viewer in self._viewers.values():
            viewer.ages_ms.clear()

    async def report(self) -> dict[str, Any]:
        """What has been received so far."""
        return {
            "received": received,
            "pictures": sum(viewer.pictures for viewer in self._viewers.values()),
            "damaged": sum(viewer.damaged for viewer in self._viewers.values()),
            "ages_ms": [age for viewer in self._viewers.values() for age in viewer.ages_ms],
            "sizes": sorted({f"{w}x{h}" for w, h in (viewer.size for viewer in self._viewers.values())}),
        }

    async def leave(self, viewers: list[int]) -> None:
        """These viewers go away."""
        gone = [self._viewers.pop(one) for one in viewers if one in self._viewers]
        for viewer in gone:
            if viewer.task is not None:
                viewer.task.cancel()
        await asyncio.gather(*(viewer.peer.close() for viewer in gone))

    def _watch(self, viewer: Viewer, track: Any) -> None:
        viewer.task = asyncio.get_running_loop().create_task(viewer.look(track))


async def main() -> None:
    """Answer until standard input ends."""
    viewers = Viewers(decode=sys.argv[1] == "decode")
    names = (
        "offer", "accept", "connected", "first_picture", "forget_ages", "report", "leave",
    )  # fmt: skip
    await serve({name: getattr(viewers, name) for name in names})


if __name__ == "__main__":
    asyncio.run(main())
