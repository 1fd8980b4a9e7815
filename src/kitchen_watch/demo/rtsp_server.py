"""A real RTSP server on loopback whose films behave like cameras: one time line for all viewers.

``aio-rtsp-toolkit`` speaks RTSP and RTP; what is added here is that a path names a camera, that a
viewer joins at the present moment as with a camera (not at the film's beginning), that a camera can
change to another film, and that one camera alone can drop off the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_rtsp_toolkit.server as toolkit
from aio_rtsp_toolkit.server_session import RtspServerSession

from kitchen_watch.demo.film import FilmPacket, FilmReader
from kitchen_watch.demo.schedule import Fault, FaultPlan, Film, Showing, fault_at, showing_at
from kitchen_watch.errors import ConfigError

LOOPBACK = "127.0.0.1"
_PACKETS_AT_ONCE = 12
_READERS = 8
_POLL_S = 0.1
_GOODBYE_LOOKS = 20
_log = logging.getLogger(__name__)


@dataclass
class ServedCamera:
    """One camera of the server: its films, its script, and when its first viewer came."""

    camera_id: str
    films: Mapping[Film, Path]
    programme: Sequence[Showing] = ()
    plan: FaultPlan | None = None
    first_viewed: float | None = None

    @property
    def usual(self) -> Path:
        """The film that stands for the camera."""
        return self.films[Film.USUAL]

    def fault(self) -> Fault | None:
        """The fault in force; none before the first viewer."""
        return None if self.first_viewed is None else fault_at(self.plan, self._elapsed())

    def showing(self) -> tuple[Path, float]:
        """The film that the lens sees now, and for how many seconds it has been shown."""
        film, into = showing_at(self.programme, self.plan, self._elapsed())
        return self.films[film], into

    async def packets(self) -> AsyncGenerator[FilmPacket, None]:
        """The present moment's packets for ever; ``second`` counts on from 0 across loops and films."""
        if self.first_viewed is None:
            self.first_viewed = time.monotonic()
        offset, last = 0.0, None
        while True:
            film, into = self.showing()
            # A film that simply begins again does so at its start, whatever the clocks say.
            reader = await asyncio.to_thread(_open_at, film, 0.0 if film == last else into)
            last, origin, end = film, None, None
            try:
                while batch := await asyncio.to_thread(reader.read, _PACKETS_AT_ONCE):
                    for packet in batch:
                        if packet.keyframe and origin is not None and self.showing()[0] != film:
                            batch = []
                            break
                        origin = packet.second if origin is None else origin
                        second = offset + packet.second - origin
                        end = second + packet.lasting_s
                        yield replace(packet, second=second)
                    if not batch:
                        break
            finally:
                await asyncio.to_thread(reader.close)
            if end is None:
                raise ConfigError(f"{film}: has no pictures in it.")
            offset = end

    def _elapsed(self) -> float:
        return 0.0 if self.first_viewed is None else time.monotonic() - self.first_viewed


def _open_at(film: Path, elapsed_s: float) -> FilmReader:
    reader = FilmReader(film)
    if elapsed_s < 1 or reader.duration_s <= 0:
        return reader
    reader.close()
    return FilmReader(film, start_s=elapsed_s % reader.duration_s)


class _Log:
    """The toolkit prints; this sends its lines to the process's log instead."""

    def debug(self, message: str) -> None:
        _log.debug(message)

    info = debug

    def warning(self, message: str) -> None:
        _log.warning(message)

    def error(self, message: str) -> None:
        _log.error(message)

    critical = error


class _Session(RtspServerSession):  # type: ignore[misc] # the toolkit carries no types
    """One viewer."""

    async def _stream_media(self) -> None:
        """Send the camera's packets from now on (the toolkit would begin at the film's start)."""
        state = next(state for state in self.track_states.values() if state.rtp_channel is not None)
        packets = self.server.camera_of(self.media_source.file_path).packets()
        try:
            async for packet in packets:
                await self._send_video_packet(
                    state, packet.data, packet.second, packet.lasting_s, packet.keyframe
                )
        except (ConnectionError, TimeoutError) as error:
            _log.debug("viewer left: %s", error)
        except ConfigError as error:
            _log.error("%s", error)
            await self._close_transport()
        finally:
            await packets.aclose()

    def hang_up(self) -> None:
        """Cut the connection without a word, as a pulled cable does."""
        self.sock.writer.transport.abort()


class CameraListener(toolkit.RtspServer):  # type: ignore[misc] # the toolkit carries no types
    """One listening port with one or several cameras, each under ``/<camera_id>``."""

    def __init__(self, cameras: Sequence[ServedCamera], *, port: int = 0) -> None:
        super().__init__(directory=".", host=LOOPBACK, port=port, session_name="kitchen_watch demo")
        self.logger = _Log()
        self._cameras: Mapping[str, ServedCamera] = {camera.camera_id: camera for camera in cameras}
        self._sessions: set[_Session] = set()
        self._server: asyncio.Server | None = None

    @property
    def urls(self) -> dict[str, str]:
        """Address of every camera by its id; known once the listener is open."""
        return {camera_id: f"rtsp://{LOOPBACK}:{self.port}/{camera_id}" for camera_id in self._cameras}

    async def open(self) -> None:
        """Listen; port 0 becomes a free port and stays the same over later openings."""
        await self.start()
        if self._server is not None:
            self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Stop listening and cut every viewer off."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for session in list(self._sessions):
            session.hang_up()
        for _ in range(_GOODBYE_LOOKS):
            if not self._sessions:
                break
            await asyncio.sleep(_POLL_S)

    def camera_of(self, film: Path) -> ServedCamera:
        """The camera whose usual film this is."""
        return next(camera for camera in self._cameras.values() if camera.usual == film)

    def resolve_request_path(self, uri: str) -> Path:
        """The usual film of the camera that the address names."""
        name = urlsplit(uri).path.strip("/").split("/")[0]
        if name not in self._cameras:
            raise FileNotFoundError(uri)
        return self._cameras[name].usual

    def load_media_source(self, file_path: Path) -> Any:
        """The film's description without its sound: no audio leaves a kitchen."""
        source = super().load_media_source(file_path)
        return replace(source, tracks=[track for track in source.tracks if track.media_type == "video"])

    def is_voice_stream_request(self, uri: str) -> bool:
        """Never: cameras do not speak."""
        return False

    async def _handle_client(self, sock: Any) -> None:
        session = _Session(self, sock)
        self._sessions.add(session)
        try:
            with contextlib.suppress(ConnectionError, TimeoutError):
                await session.run()
        finally:
            self._sessions.discard(session)


@contextlib.asynccontextmanager
async def serve(cameras: Sequence[ServedCamera], *, port: int = 0) -> AsyncIterator[dict[str, str]]:
    """Serve the cameras while the context is open; yields their addresses.

    Cameras that drop off the network have a port of their own, counting up from ``port``, so that the
    others stay.

    Raises:
        ConfigError: the port is in use.
    """
    # Every viewer reads its film in a thread for a moment; the default pool is too small on few cores.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_READERS, "film"))
    fragile = [camera for camera in cameras if camera.plan and camera.plan.fault is Fault.OFFLINE]
    steady = [camera for camera in cameras if camera not in fragile]
    listeners = [CameraListener(steady, port=port)]
    for number, camera in enumerate(fragile, start=1):
        listeners.append(CameraListener([camera], port=port + number if port else 0))
    scripts: list[asyncio.Task[None]] = []
    try:
        for listener in listeners:
            await _open(listener)
        scripts = [
            asyncio.create_task(_follow_script(camera, listener))
            for camera, listener in zip(fragile, listeners[1:], strict=True)
        ]
        yield {camera_id: url for listener in listeners for camera_id, url in listener.urls.items()}
    finally:
        for script in scripts:
            script.cancel()
        for listener in listeners:
            await listener.shut()


async def _open(listener: CameraListener) -> None:
    try:
        await listener.open()
    except OSError as error:
        raise ConfigError(
            f"Port {listener.port} for the demo cameras cannot be used ({error.strerror or error}). "
            "Choose another one, or 0 for any free port."
        ) from error


async def _follow_script(camera: ServedCamera, listener: CameraListener) -> None:
    """Open and shut one camera's listener as its plan says."""
    reachable = True
    while True:
        await asyncio.sleep(_POLL_S)
        wanted = camera.fault() is not Fault.OFFLINE
        if wanted == reachable:
            continue
        if not wanted:
            await listener.shut()
        else:
            try:
                await listener.open()
            except OSError as error:
                _log.warning("%s cannot come back yet: %s", camera.camera_id, error)
                continue
        reachable = wanted
