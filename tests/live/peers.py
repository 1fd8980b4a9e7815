"""Viewers for tests: real aiortc peers on loopback, and a relay that a thread feeds in real time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import cast

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from kitchen_watch.edge.streams.frame import Image
from kitchen_watch.edge.streams.packets import PacketSink
from kitchen_watch.live.session import ViewerSession
from tests.edge.evidence.cameras import RATE, Camera


@contextlib.contextmanager
def streaming(of: Camera, *sinks: PacketSink, ahead: int = 0, speed: float = 1.0) -> Iterator[None]:
    """Feed ``sinks`` from a thread, as a camera's reader does, at the recorded pace, again and again;
    the first ``ahead`` packets at once."""
    stop = threading.Event()
    for sink in sinks:
        sink.opened(of.info)

    for sink in sinks:
        for packet in of.packets[:ahead]:
            sink.packet(packet)

    def read() -> None:
        lap = 0
        length = len(of.packets) / RATE
        while True:
            for packet in of.packets[0 if lap else ahead :]:
                if stop.wait(1 / RATE / speed):
                    return
                moved = replace(
                    packet,
                    pts=(packet.pts or 0.0) + lap * length,
                    dts=(packet.dts or 0.0) + lap * length,
                )
                for sink in sinks:
                    sink.packet(moved)
            lap += 1

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for sink in sinks:
            sink.closed()


class Viewer:
    """A browser, as far as WebRTC is concerned."""

    def __init__(self, profile: str | None = None) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.transceiver = self.peer.addTransceiver("video", direction="recvonly")
        if profile is not None:
            capabilities = RTCRtpReceiver.getCapabilities("video")
            assert capabilities is not None
            known = capabilities.codecs
            self.transceiver.setCodecPreferences(
                [codec for codec in known if codec.parameters.get("profile-level-id") == profile]
            )
        self.track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        self.peer.on("track", self.track.set_result)

    async def offer(self) -> str:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def accept(self, answer: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def picture(self) -> Image:
        frame = cast(av.VideoFrame, await (await self.track).recv())
        return np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)

    async def close(self) -> None:
        await self.peer.close()
        self.peer.remove_all_listeners()


@contextlib.asynccontextmanager
async def watching(session: ViewerSession, profile: str | None = None) -> AsyncIterator[Viewer]:
    """A viewer whose offer the session has answered."""
    viewer = Viewer(profile)
    try:
        await viewer.accept(await session.answer(await viewer.offer()))
        yield viewer
    finally:
        await viewer.close()
        await session.close()
