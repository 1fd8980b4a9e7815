"""A video file as if it were a camera, as fast as it can be analysed, the same every time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import av

from kitchen_watch.edge.streams.connection import LibavConnection
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.streams.pacing import Pacer
from kitchen_watch.edge.streams.packets import VideoInfo
from kitchen_watch.edge.streams.picture import Scaler, full_picture
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.edge.streams.timeline import BACKWARD_S
from kitchen_watch.errors import StreamEnded


class FileStream:
    """Every frame of a file that is due at ``rate``, by the file's own timestamps, none dropped.

    ``captured_at`` is ``started_at`` plus the frame's seconds from the file's first frame.
    Opening raises :class:`~kitchen_watch.errors.StreamRefused` if the file is no video.
    """

    def __init__(
        self,
        path: Path,
        rate: float,
        fit: tuple[int, int],
        started_at: datetime,
        *,
        stream_id: str | None = None,
    ) -> None:
        self.stream_id = stream_id or path.stem
        self._rate = rate
        self._fit = fit
        self._started_at = started_at
        self._source = SourceSettings(url=f"file:{path}")
        connection = LibavConnection(self._source)
        self.info: VideoInfo = connection.info
        self.duration: timedelta | None = connection.duration
        """The file's announced length, for a progress bar; ``None`` where it does not say."""
        connection.close()
        self.decoded = 0
        """Pictures decoded so far."""
        self.corrupt = 0
        """Damaged packets skipped so far."""

    async def newest(self) -> AsyncGenerator[Frame]:
        """The due frames in order. Decoding runs one frame ahead in a thread."""
        loop = asyncio.get_running_loop()
        frames = self.frames()
        with ThreadPoolExecutor(1, thread_name_prefix=f"replay-{self.stream_id}") as pool:
            try:
                ahead = loop.run_in_executor(pool, next, frames, None)
                while (frame := await ahead) is not None:
                    ahead = loop.run_in_executor(pool, next, frames, None)
                    yield frame
            finally:
                await asyncio.wait({ahead})
                pool.submit(frames.close).result()

    def frames(self) -> Generator[Frame]:
        """The same frames, synchronously."""
        connection = LibavConnection(self._source)
        try:
            yield from self._due(connection)
        finally:
            connection.close()

    def _due(self, connection: LibavConnection) -> Iterator[Frame]:
        pacer, scaler = Pacer(self._rate), Scaler(self._fit)
        interval = 1 / float(connection.info.frame_rate or 25)
        origin: float | None = None
        pts = -interval
        keyframes = 0
        cut = True
        for picture in self._pictures(connection):
            keyframes += picture.key_frame
            time = picture.time
            if time is not None and (origin is None or time - origin < pts - BACKWARD_S):
                # The first picture, or the file's timestamps went back: time goes on without a step.
                origin, cut = time - (pts + interval), True
            pts = pts + interval if time is None or origin is None else time - origin
            if not pacer.due(pts, discontinuity=cut):
                continue
            yield Frame(
                stream_id=self.stream_id,
                pts=pts,
                captured_at=self._started_at + timedelta(seconds=pts),
                image=scaler.scale(picture),
                width=picture.width,
                height=picture.height,
                full=full_picture(picture),
                discontinuity=cut,
                keyframes=keyframes,
            )
            cut = False

    def _pictures(self, connection: LibavConnection) -> Iterator[av.VideoFrame]:
        try:
            for packet in connection.packets():
                pictures = connection.decode(packet)
                if pictures is None:
                    self.corrupt += 1
                    continue
                for picture in pictures:
                    self.decoded += 1
                    if picture.is_corrupt:
                        self.corrupt += 1
                    else:
                        yield picture
        except StreamEnded:
            return
