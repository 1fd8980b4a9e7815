"""A real edge end for live view: control connection, desk and pushes, over rendered cameras."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from pydantic import SecretStr

from kitchen_watch.clock import SystemClock
from kitchen_watch.control import (
    CameraCommand,
    CameraState,
    CameraStatus,
    ConfigurationOffer,
    Heartbeat,
    Hello,
)
from kitchen_watch.edge.control_client import ControlClient
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.snapshot import jpeg
from kitchen_watch.edge.streams.frame import Image
from kitchen_watch.errors import ConfigError, NotFound
from kitchen_watch.live.camera import LiveCamera
from kitchen_watch.live.desk import LiveDesk
from kitchen_watch.live.push import Pusher
from kitchen_watch.live.recording import Recording
from kitchen_watch.live.segments import Keeping, SegmentStore
from tests.backend.support import EDGE_SECRETS, Backend
from tests.edge.evidence.cameras import camera, picture
from tests.live.peers import streaming

OF = camera(10)
LEFT_HALF = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]


@dataclass
class Edge:
    """A running edge as tests use it."""

    cameras: dict[str, LiveCamera]
    desk: LiveDesk
    client: ControlClient
    loop: asyncio.AbstractEventLoop | None = None
    away: bool = False
    """Cameras are said to be offline."""

    def hello(self) -> Hello:
        return Hello(edge_id="edge-1", software_version="0.1.0", cameras=tuple(self.cameras))

    async def heartbeat(self) -> Heartbeat:
        now = datetime.now(UTC)
        state = CameraState.OFFLINE if self.away else CameraState.STREAMING
        return Heartbeat(
            sent_at=now,
            cameras=tuple(CameraStatus(camera_id=one, state=state, since=now) for one in self.cameras),
        )

    async def apply(self, offer: ConfigurationOffer) -> None:
        raise ConfigError("no configuration here")

    async def command(self, command: CameraCommand) -> str | None:
        live = self.cameras.get(command.camera_id)
        picture = await live.newest_picture() if live is not None else None
        if command.action != "snapshot" or picture is None:
            raise NotFound("no picture yet")
        return base64.b64encode(picture).decode()


@contextlib.contextmanager
def edge_of(
    backend: Backend, *, masked: bool = False, running: bool = True, recorded: Path | None = None
) -> Iterator[Edge]:
    """An edge ``edge-1`` with camera ``cam-a1``, connected, its camera streaming; recorded into a folder."""
    mask = PrivacyMask([LEFT_HALF] if masked else [])
    live = LiveCamera("cam-a1", has_sub=True, mask=mask)
    if recorded is not None:
        store = SegmentStore(recorded, Keeping(timedelta(days=100_000), 10**9, 0))
        live.recording = Recording(live, store, SystemClock(), quality="sub")

    async def newest() -> bytes:
        return jpeg(mask.burnt(picture(7)))

    live.picture = newest
    clock, secret = SystemClock(), SecretStr(EDGE_SECRETS["edge-1"])
    pusher = Pusher(edge_id="edge-1", backend_url=backend.url, secret=secret, clock=clock)
    edge = Edge({"cam-a1": live}, LiveDesk({"cam-a1": live}.get, pusher.push), None)  # type: ignore[arg-type]  # set next
    edge.client = ControlClient(
        edge, edge_id="edge-1", backend_url=backend.url, secret=secret, clock=clock, live=edge.desk
    )
    stop, ready = threading.Event(), threading.Event()

    async def run() -> None:
        edge.loop = asyncio.get_running_loop()
        task = asyncio.create_task(edge.client.run())
        while not stop.is_set():
            if backend.parts.control.is_connected("edge-1"):
                ready.set()
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await edge.desk.stop()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    with contextlib.ExitStack() as stack:
        if running:
            stack.enter_context(streaming(OF, live.main, live.sub, ahead=10))
        thread.start()
        if live.recording is not None:
            live.recording.start()
            stack.callback(live.recording.stop)
        try:
            assert ready.wait(10)
            yield edge
        finally:
            stop.set()
            thread.join(10)
            live.close()


def picture_in(content: bytes) -> Image:
    """A JPEG as BGR."""
    return np.asarray(Pillow.open(io.BytesIO(content)).convert("RGB"), dtype=np.uint8)[:, :, ::-1]
