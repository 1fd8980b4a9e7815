"""A reader that cannot decode as fast as pictures come skips to the present instead of falling behind.

Reading is cheap and decoding is not: without this, a machine with too many cameras would look at ever older
pictures. A burst after a hole in the network is no such case; it is worked off within moments.
"""

from __future__ import annotations

LATE_S = 1.5
"""Packets so much later than the best of their stream are late."""
PATIENCE_S = 2.0
"""They must be late for so long before anything is skipped."""


class Behind:
    """Decides, packet by packet, what is decoded. Keyframes always are: a late picture is one, too."""

    def __init__(self) -> None:
        self._late_since: float | None = None
        self._skipping = False

    def skips(self, *, lag: float, now: float, keyframe: bool) -> bool:
        """Whether this packet stays undecoded. ``lag`` is its delay, ``now`` monotonic; seconds.

        What follows a skipped packet cannot be decoded either, up to the next keyframe.
        """
        if lag < LATE_S:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        if keyframe:
            self._skipping = self._skipping and self._late_since is not None
            return False
        if self._late_since is not None and now - self._late_since >= PATIENCE_S:
            self._skipping = True
        return self._skipping
