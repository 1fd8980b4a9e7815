"""One stream's own time on the device's clocks: when was each packet captured.

A camera's timestamps count from anywhere, are missing at first, drift against our clock, stand
still or jump. The timeline anchors them to the monotonic clock at the first packet and derives
``captured_at`` from there, so that packets and decoded frames of one stream always agree in time
and delays on the network do not shake the rules' clocks. Not thread-safe: one per reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kitchen_watch.clock import Clock

BACKWARD_S = 1.0
"""Decode-order time going back further than this is a jump (reordered pictures go back less)."""
FUTURE_S = 2.0
"""A packet captured this far after it arrived shows that the camera's clock jumped."""
LAG_LIMIT_S = 10.0
"""A packet that seems older than this is taken for a wrong camera clock and anchored anew."""
WALL_STEP_S = 1.0
"""A larger difference between wall and monotonic time than this is a step of the device clock."""
DRIFT_WINDOW_S = 10.0
DRIFT_SLEW = 0.005
"""Seconds of correction per second: more than any crystal drifts, less than anyone notices."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When one packet belongs."""

    pts: float
    """Seconds from the first packet, presentation order, going on over jumps."""
    dts: float
    """The same in decode order."""
    received_at: datetime
    captured_at: datetime
    discontinuity: bool
    """The camera's or the device's clock jumped just before this packet."""


class Timeline:
    """Maps timestamps of one connection, packet by packet in order of arrival."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._anchor: tuple[float, float] | None = None  # (stream seconds, monotonic of capture)
        self._zero = 0.0
        self._last = 0.0  # decode-order stream seconds of the last packet
        self._last_now = 0.0
        self._furthest = 0.0
        self._stamped = False  # whether the camera has given any timestamp yet
        self._wall: float | None = None
        self._window_started = 0.0
        self._window_lag = float("inf")
        self.advanced_at: float | None = None
        """Monotonic time at which the stream's timestamps last moved forward."""
        self.lag = timedelta(0)
        """How long before its arrival the last packet was captured, as far as can be told."""

    def place(self, pts: float | None, dts: float | None) -> Moment:
        """The moment of the packet that arrives now.

        ``pts`` and ``dts`` are the stream's own seconds, from any origin, or ``None``.
        """
        now, received_at = self._clock.monotonic(), self._clock.now()
        stepped = self._wall_stepped(received_at, now)
        time = dts if dts is not None else pts
        if self._anchor is None:
            self._stamped = time is not None
            time = 0.0 if time is None else time
            self._zero = pts if pts is not None else time
            self._restart(time, now)
        elif time is None:
            time = self._last + (now - self._last_now)
        elif not self._stamped:
            self._stamped = True
            self._continue_from(time, now)
        elif self._jumped(time, now):
            self._continue_from(time, now)
            stepped = True
        self._follow(time, now)
        shown = time if pts is None else pts
        captured = min(now, self._captured(shown))
        self.lag = timedelta(seconds=now - captured)
        return Moment(
            pts=shown - self._zero,
            dts=time - self._zero,
            received_at=received_at,
            captured_at=received_at - self.lag,
            discontinuity=stepped,
        )

    def _captured(self, time: float) -> float:
        assert self._anchor is not None
        stream, monotonic = self._anchor
        return monotonic + (time - stream)

    def _jumped(self, time: float, now: float) -> bool:
        expected = self._captured(time)
        if time < self._last - BACKWARD_S or expected > now + FUTURE_S:
            return True
        # Only while time moves: timestamps that stand still are a stall, not a clock to follow.
        return time > self._last and expected < now - LAG_LIMIT_S

    def _restart(self, time: float, now: float) -> None:
        self._anchor = (time, now)
        self._last = self._furthest = time
        self._last_now = self._window_started = now
        self._window_lag = float("inf")
        self.advanced_at = now

    def _continue_from(self, time: float, now: float) -> None:
        """Anchor ``time`` at now, with the seconds that others see going on without a step."""
        shown = self._last - self._zero + (now - self._last_now)
        self._zero = time - shown
        self._restart(time, now)

    def _follow(self, time: float, now: float) -> None:
        """Remember the packet and correct the anchor for drift between the two clocks."""
        assert self._anchor is not None
        if time > self._furthest:
            self._furthest, self.advanced_at = time, now
        self._last, self._last_now = time, now
        lag = now - self._captured(time)
        stream, monotonic = self._anchor
        if lag < 0:  # nothing arrives before it is captured: the anchor packet itself was late
            self._anchor = (stream, monotonic + lag)
            lag = 0.0
        self._window_lag = min(self._window_lag, lag)
        passed = now - self._window_started
        if passed >= DRIFT_WINDOW_S:
            correction = min(self._window_lag, DRIFT_SLEW * passed)
            self._anchor = (self._anchor[0], self._anchor[1] + correction)
            self._window_started, self._window_lag = now, float("inf")

    def _wall_stepped(self, received_at: datetime, now: float) -> bool:
        wall = received_at.timestamp() - now
        stepped = self._wall is not None and abs(wall - self._wall) > WALL_STEP_S
        self._wall = wall
        return stepped
