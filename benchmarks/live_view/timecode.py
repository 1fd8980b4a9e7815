"""The moment of sending, drawn into a picture: 32 bits of milliseconds as black and white blocks.

A second row holds the same bits inverted, so that a damaged picture is told from a late one.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

BITS = 32
BLACK, WHITE = 16, 235


def now_ms() -> int:
    """Milliseconds on this machine's wall clock, which all processes here share."""
    return int(time.time() * 1000) & (2**BITS - 1)


def draw(luma: NDArray[np.uint8], milliseconds: int) -> None:
    """Write ``milliseconds`` into the top of a luma plane (height, width), in place."""
    block = luma.shape[1] // BITS
    for bit in range(BITS):
        lit = bool(milliseconds >> bit & 1)
        columns = slice(bit * block, (bit + 1) * block)
        luma[:block, columns] = WHITE if lit else BLACK
        luma[block : 2 * block, columns] = BLACK if lit else WHITE


def read(luma: NDArray[np.uint8]) -> int | None:
    """What :func:`draw` wrote; ``None`` from a picture that is damaged."""
    block = luma.shape[1] // BITS
    columns = np.arange(BITS) * block + block // 2
    bits = luma[block // 2, columns] > 127
    if not np.array_equal(bits, luma[block + block // 2, columns] <= 127):
        return None
    return sum(1 << int(bit) for bit in np.flatnonzero(bits))


def age_ms(milliseconds: int) -> int:
    """How long ago that was."""
    return (now_ms() - milliseconds) & (2**BITS - 1)
