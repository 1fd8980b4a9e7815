"""The main stream's pictures in place of the sub stream's, while something happens.

A camera with a sub stream is watched on it: that is where movement shows, and the main stream's packets wait
undecoded. Once the scene is not still, the main stream is decoded from its last keyframe on, and its
pictures are looked at instead: their second looks and tiles have every pixel that the camera has. Until it
has caught up, and whenever it is away or late, the sub stream's own pictures are looked at, so that nothing
is found later than without it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import Field

from kitchen_watch.config import Settings
from kitchen_watch.edge.streams.frame import Frame

CLOSE_S = 0.5
"""A picture of the main stream this much older than the sub stream's is late: the other is looked at."""
KEPT = 3
"""Pictures of the main stream kept: it may be ahead of the sub stream by as much."""


class MainViewSettings(Settings):
    """Cameras with a sub stream are looked at in full resolution while something happens."""

    enabled: bool = Field(
        default=True,
        description="false: only the sub stream is analysed, cheaper; less of what is small is found",
    )
    quiet_s: Annotated[
        float, Field(ge=0, le=3600, description="after so long a still scene it is the sub stream again")
    ] = 10.0


class MainStream(Protocol):
    """A stream that is decoded on demand."""

    def attend(self, here: bool) -> None:
        """Decode from the last keyframe on, or stop decoding."""
        ...

    def poll(self) -> Frame | None:
        """The newest frame that nobody has taken, at once."""
        ...


class MainView:
    """Chooses for one camera. Belongs to the event loop in which it is analysed."""

    def __init__(self, stream: MainStream, settings: MainViewSettings | None = None) -> None:
        self._stream = stream
        self._settings = settings or MainViewSettings()
        self._frames: deque[Frame] = deque(maxlen=KEPT)
        self._awake = False
        self._busy_at: datetime | None = None
        stream.attend(False)

    @property
    def awake(self) -> bool:
        """Whether the main stream is decoded."""
        return self._awake

    def notice(self, at: datetime, *, still: bool) -> None:
        """What the sub stream's frame of that time says: wake the main stream, or let it sleep again."""
        if not still:
            self._busy_at = at
        quiet = self._busy_at is None or abs((at - self._busy_at).total_seconds()) > self._settings.quiet_s
        if self._awake == quiet:
            self._awake = not quiet
            self._frames.clear()
            self._stream.attend(self._awake)

    def instead_of(self, frame: Frame, *, after: datetime | None) -> Frame | None:
        """The main stream's picture of the sub stream's ``frame``: not newer, and newer than ``after``.

        ``None`` where there is none (yet). Times are those of the device, on which both streams agree to
        within what the camera needs to encode and send either.
        """
        if not self._awake:
            return None
        polled = self._stream.poll()
        if polled is not None:
            self._frames.append(polled)
        chosen = None
        while self._frames and self._frames[0].captured_at <= frame.captured_at:
            chosen = self._frames.popleft()
        if chosen is None or (after is not None and chosen.captured_at <= after):
            return None
        if (frame.captured_at - chosen.captured_at).total_seconds() > CLOSE_S:
            return None
        # A new connection of the main stream is no gap in what the camera was seen doing.
        return replace(chosen, stream_id=frame.stream_id, discontinuity=False, main=True)

    def rest(self) -> None:
        """Nobody looks at the camera any more."""
        self._busy_at = None
        self._awake = False
        self._frames.clear()
        self._stream.attend(False)
