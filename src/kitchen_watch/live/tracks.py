"""Boxes of a camera's present tracks, one JSON line for every analysed frame, for an overlay.

The browser draws them; they are never burnt into the picture. Only the newest line counts: who is
slow misses lines, not the present.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

from kitchen_watch.clock import Clock
from kitchen_watch.edge.pipeline import Seen
from kitchen_watch.live.relay import Relay


class TrackFeed:
    """Lines of one camera. For the event loop in which analysis runs."""

    def __init__(self, relay: Relay, clock: Clock) -> None:
        self._relay = relay
        self._clock = clock
        self._newest: Seen | None = None
        self._number = 0
        self._came = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def saw(self, seen: Seen) -> None:
        """A frame was analysed; never waits."""
        self._newest = seen
        self._number += 1
        task = asyncio.get_running_loop().create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def after(self, number: int) -> tuple[int, bytes]:
        """The newest line once there is one newer than ``number`` (begin with -1), and its own number."""
        async with self._came:
            await self._came.wait_for(lambda: self._newest is not None and self._number > number)
        assert self._newest is not None
        return self._number, self._line(self._newest)

    def _line(self, seen: Seen) -> bytes:
        captured_at = seen.frame.captured_at
        facts = {
            "captured_at": captured_at.isoformat(),
            "seconds": self._seconds_of(captured_at),
            "age_ms": round((self._clock.now() - captured_at).total_seconds() * 1000),
            "tracks": [
                {
                    "track_id": track.track_id,
                    "label": track.label,
                    "confidence": round(track.confidence, 3),
                    "box": [round(side, 4) for side in track.box],
                }
                for track in seen.tracks
            ],
        }
        return json.dumps(facts, separators=(",", ":")).encode() + b"\n"

    def _seconds_of(self, captured_at: datetime) -> float | None:
        """The frame's place on the time line of the pictures that viewers are sent."""
        newest = self._relay.newest
        if newest is None:
            return None
        return round(newest.seconds + (captured_at - newest.captured_at).total_seconds(), 3)

    async def _tell(self) -> None:
        async with self._came:
            self._came.notify_all()
