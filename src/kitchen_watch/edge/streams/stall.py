"""Whether a connected camera is stalled: a pure decision on what its reader last saw.

The socket being open proves nothing: a camera may send nothing, send the same timestamp for ever,
or send data that never becomes a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE_S = 2.0
"""The reader's own time-out comes first; past it by this much, the reader itself hangs."""
NO_PICTURE_S = 30.0
"""Cameras send a keyframe at least this often; without one nothing can be decoded."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Monotonic seconds of a reader's last steps; ``None``: not yet."""

    started: float
    opened: float | None = None
    packet: float | None = None
    advanced: float | None = None
    picture: float | None = None


def stall_reason(
    progress: Progress, now: float, *, open_timeout: float, read_timeout: float, decode: bool = True
) -> str | None:
    """Why the reader should be replaced, as the end of a sentence about the camera, or ``None``.

    ``now``, ``open_timeout`` and ``read_timeout`` are seconds.
    """
    if progress.opened is None:
        # Opening has two parts (answer, first pictures), each bounded by the time-out.
        if now - progress.started > 2 * open_timeout + PATIENCE_S:
            return "accepts the connection but does not finish opening the stream"
        return None
    if now - (progress.packet or progress.opened) > read_timeout:
        return f"is connected but has sent nothing for {now - (progress.packet or progress.opened):.0f} s"
    if now - (progress.advanced or progress.opened) > read_timeout:
        still = now - (progress.advanced or progress.opened)
        return f"sends pictures whose timestamps have stood still for {still:.0f} s"
    if decode and now - (progress.picture or progress.opened) > max(NO_PICTURE_S, read_timeout):
        return "sends data that cannot be decoded into pictures"
    return None
