"""What is measured: a camera's stream and live relay as the edge runs them, or aiortc's own player.

``pass`` uses this project's ``CameraStream``, ``LiveCamera`` and ``ViewerSession``, with real
detection if asked; ``transcode`` uses aiortc's ``MediaPlayer`` and ``MediaRelay``.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from typing import Any

import psutil
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer, MediaRelay

from benchmarks.live_view.talk import serve
from kitchen_watch.clock import SystemClock
from kitchen_watch.control import LiveQuality
from kitchen_watch.edge.detect.detection import Detector
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.opening import open_judgement
from kitchen_watch.edge.pipeline import Analysis
from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.rules.rule_set import CameraRules
from kitchen_watch.edge.streams.camera_stream import CameraStream
from kitchen_watch.edge.streams.health import HealthMonitor, HealthSettings
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.edge.tracking import Tracker, TrackerSettings
from kitchen_watch.live.camera import LiveCamera
from kitchen_watch.live.session import ViewerSession

ANALYSED_PER_SECOND = 5.0
FIT = (640, 384)


class Usage:
    """This process's own CPU time and memory."""

    def __init__(self) -> None:
        self._self = psutil.Process()

    async def usage(self) -> dict[str, float]:
        """Seconds of CPU so far (user and system), seconds of the clock, bytes resident."""
        gc.collect()
        cpu = self._self.cpu_times()
        return {
            "cpu_s": cpu.user + cpu.system,
            "at_s": time.monotonic(),
            "rss": self._self.memory_info().rss,
            "threads": self._self.num_threads(),
        }


class PassThrough(Usage):
    """The edge's cameras, with detection on them if it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._cameras: list[LiveCamera] = []
        self._streams: list[CameraStream] = []
        self._sessions: dict[int, ViewerSession] = {}
        self._analysed = 0
        self._offered = 0
        self._detector: Detector | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, urls: list[str], *, analyse: bool) -> None:
        """Connect to the cameras; with ``analyse`` every one is looked at five times a second."""
        clock = SystemClock()
        judgement = await asyncio.to_thread(open_judgement, clock=clock) if analyse else None
        for number, url in enumerate(urls):
            live = LiveCamera(f"camera-{number}", has_sub=False, mask=PrivacyMask())
            stream = CameraStream(
                live.camera_id, SourceSettings(url=url), clock=clock, rate=ANALYSED_PER_SECOND, fit=FIT,
                packet_sinks=(live.main,), decode=analyse,
            )  # fmt: skip
            stream.start()
            self._cameras.append(live)
            self._streams.append(stream)
            if judgement is not None:
                hours = OpeningHours.always_open()
                rules = judgement.rule_set.for_camera(CameraRules(rules={}, zones=(), hours=hours), where="")
                analysis = Analysis(
                    detector=judgement.detector,
                    tracker=Tracker(TrackerSettings()),
                    health=HealthMonitor(HealthSettings()),
                    rules=RuleBook(live.camera_id, rules, zones=(), hours=hours),
                )
                self._tasks.append(asyncio.create_task(self._watch(stream, analysis)))
        async with asyncio.timeout(30):
            while not all(camera.main.group() for camera in self._cameras):
                await asyncio.sleep(0.05)

    async def answer(self, viewer: int, camera: int, offer: str) -> str:
        """A viewer's offer, answered as the edge answers it."""
        quality: LiveQuality = "main"
        session = ViewerSession(
            self._cameras[camera].relay(quality), on_end=lambda _: self._sessions.pop(viewer, None)
        )
        self._sessions[viewer] = session
        return await session.answer(offer)

    async def close(self, viewers: list[int]) -> None:
        """These viewers leave."""
        await asyncio.gather(*(self._sessions[one].close() for one in viewers if one in self._sessions))

    async def seen(self) -> dict[str, int]:
        """Frames analysed so far, and frames that were offered to analysis."""
        return {
            "analysed": self._analysed,
            "offered": sum(stream.status().offered for stream in self._streams),
            "dropped_by_viewers": sum(session.dropped for session in self._sessions.values()),
        }

    async def _watch(self, stream: CameraStream, analysis: Analysis) -> None:
        async for frame in stream.newest():
            if await analysis.look(frame) is not None:
                self._analysed += 1


class Transcode(Usage):
    """aiortc's own way: one decoder for a camera, one encoder for every viewer."""

    def __init__(self) -> None:
        super().__init__()
        self._players: list[MediaPlayer] = []
        self._relay = MediaRelay()
        self._peers: dict[int, RTCPeerConnection] = {}

    async def open(self, urls: list[str], *, analyse: bool) -> None:
        """Open a player for every camera."""
        assert not analyse
        for url in urls:
            options = {"rtsp_transport": "tcp", "fflags": "nobuffer"}
            self._players.append(await asyncio.to_thread(MediaPlayer, url, options=options))

    async def answer(self, viewer: int, camera: int, offer: str) -> str:
        """A viewer's offer, answered with an encoder of its own."""
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peers[viewer] = peer
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        # Not buffered: late pictures are left out, as a live view should.
        peer.addTrack(self._relay.subscribe(self._players[camera].video, buffered=False))
        await peer.setLocalDescription(await peer.createAnswer())
        return peer.localDescription.sdp

    async def close(self, viewers: list[int]) -> None:
        """These viewers leave."""
        await asyncio.gather(*(self._peers.pop(one).close() for one in viewers if one in self._peers))

    async def seen(self) -> dict[str, int]:
        """Nothing is analysed here."""
        return {"analysed": 0, "offered": 0, "dropped_by_viewers": 0}


async def main() -> None:
    """Answer until standard input ends."""
    kind: Any = {"pass": PassThrough, "transcode": Transcode}[sys.argv[1]]
    measured = kind()
    await serve({name: getattr(measured, name) for name in ("open", "answer", "close", "seen", "usage")})


if __name__ == "__main__":
    asyncio.run(main())
