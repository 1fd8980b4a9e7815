"""Whether anybody looks at a stream: cameras that wait for their turn are received, and not decoded."""

from __future__ import annotations


class Attention:
    """Set in the event loop, read in a reader's thread; both are single assignments."""

    def __init__(self) -> None:
        self.here = True
        self.since: float | None = None
        """Monotonic seconds at which it last came or went; ``None``: it was always here."""

    def turn(self, here: bool, now: float) -> None:
        """Look at the stream from now on, or no longer."""
        if here != self.here:
            # In this order: who sees it here also sees since when.
            self.since = now
            self.here = here
