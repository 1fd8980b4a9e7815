"""The main stream's pictures in place of the sub stream's, while they are needed.

A camera with a sub stream is watched on it: that is where movement shows, and the main stream's packets wait
undecoded. The model sees no more than the sub stream has anyway; what only the main stream has is wanted for
second looks at whom a rule is about to accuse, and where something small may move while nobody is there. Then
the main stream is decoded from its last keyframe on, and its pictures are looked at instead. Until it
has caught up, and whenever it is away or late, the sub stream's own pictures are looked at, so that nothing
is found later than without it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal, Protocol

from pydantic import Field

from kitchen_watch.config import Settings
from kitchen_watch.edge.streams.frame import Frame

CLOSE_S = 0.5
"""A picture of the main stream this much older than the sub stream's is late: the other is looked at."""
KEPT = 3
"""Pictures of the main stream kept: it may be ahead of the sub stream by as much."""
ALONE_S = 2.0
"""Nobody has been seen for so long: what moves now may be small."""
PATIENCE_S = 2.0
"""So long a second look waits for the main stream's picture; then it takes what the sub stream has."""


class MainViewSettings(Settings):
    """Cameras with a sub stream are looked at in full resolution where that tells more."""

    enabled: bool = Field(
        default=True,
        description="false: only the sub stream is analysed, cheaper; less of what is small is found",
    )
    when: Literal["needed", "active"] = Field(
        default="needed",
        description="needed: for second looks, and while something moves and nobody is seen;"
        " active: all the time until the scene is still",
    )
    linger_s: Annotated[
        float, Field(ge=0, le=3600, description="needed: so long after that the main stream sleeps again")
    ] = 2.0
    quiet_s: Annotated[
        float,
        Field(ge=0, le=3600, description="active: after so long a still scene it is the sub stream again"),
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
        self._on_need = self._settings.when == "needed"
        self._stays_s = self._settings.linger_s if self._on_need else self._settings.quiet_s
        self._frames: deque[Frame] = deque(maxlen=KEPT)
        self._awake = False
        self._wanted_at: datetime | None = None
        self._expected_at: datetime | None = None
        """When it was woken, or gave its last picture."""
        self._alone_since: datetime | None = None
        self._still = True
        stream.attend(False)

    @property
    def awake(self) -> bool:
        """Whether the main stream is decoded."""
        return self._awake

    def notice(self, at: datetime, *, still: bool) -> None:
        """What the sub stream's frame of that time says: wake the main stream, or let it sleep again."""
        self._still = still
        if not still and (not self._on_need or self._alone(at)):
            self._wanted_at = at
        self._turn(at)

    def judged(self, at: datetime, *, suspects: bool, alone: bool, tiled: bool) -> None:
        """What the model and the rules said of the frame of that time.

        ``suspects``: something looks, however weakly, like what may be accused soon. ``alone``: small
        animals are looked for, and nobody hides them. ``tiled``: something small moved and was looked at.
        """
        if not self._on_need:
            return
        if not alone:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = at
        # Of a still scene the few looks that it gets show the same clock again and again.
        if suspects or (not self._still and (tiled or self._alone(at))):
            self._wanted_at = at
        self._turn(at)

    def awaited(self, frame: Frame) -> bool:
        """Whether a look in full resolution should rather wait for the main stream's next picture."""
        if frame.main or not self._on_need or not self._awake or self._expected_at is None:
            return False
        return abs((frame.captured_at - self._expected_at).total_seconds()) < PATIENCE_S

    def _alone(self, at: datetime) -> bool:
        since = self._alone_since
        return since is not None and (at - since).total_seconds() >= ALONE_S

    def _turn(self, at: datetime) -> None:
        wanted = self._wanted_at
        awake = wanted is not None and abs((at - wanted).total_seconds()) <= self._stays_s
        if awake != self._awake:
            self._awake, self._expected_at = awake, at
            self._frames.clear()
            self._stream.attend(awake)

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
        self._expected_at = frame.captured_at
        # A new connection of the main stream is no gap in what the camera was seen doing.
        return replace(chosen, stream_id=frame.stream_id, discontinuity=False, main=True)

    def rest(self) -> None:
        """Nobody looks at the camera any more."""
        self._wanted_at = self._alone_since = None
        self._awake = False
        self._frames.clear()
        self._stream.attend(False)
