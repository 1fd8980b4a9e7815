"""A frame: one decoded image with the identity of its stream and its times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""BGR picture, shape (height, width, 3), dtype uint8."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture.

    ``image`` is what the detector sees: BGR uint8 of shape (height, width, 3), already scaled (never
    upscaled, aspect ratio kept) to fit the analysis size inside libswscale. ``full`` renders the
    undiminished picture on demand, for evidence. ``pts`` is the stream's own time in seconds,
    counted from the first frame after a (re)connect; ``captured_at`` is aware UTC, device clock.
    """

    stream_id: str
    pts: float
    captured_at: datetime
    image: Image = field(repr=False)
    width: int
    """Width of the undiminished picture in pixels."""
    height: int
    """Height of the undiminished picture in pixels."""
    full: Callable[[], Image] = field(repr=False)
    """BGR uint8 of shape (height, width, 3); may be called while the frame is referenced."""
    discontinuity: bool = False
    """True on the first frame after a (re)connect or a timestamp jump."""
    keyframes: int = 0
    """Keyframes decoded on this connection up to this frame, 0 if unknown: a still scene only shows
    that its camera is alive when a keyframe draws it anew."""
    main: bool = False
    """Of the main stream of a camera that is watched on its sub stream."""
    gray_once: list[NDArray[np.uint8]] = field(default_factory=list, init=False, repr=False, compare=False)
    """``image`` in grey once somebody has asked for it; see ``picture.gray``."""
