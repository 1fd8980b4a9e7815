"""Memory: the C library keeps a heap of its own for nearly every thread, and each camera brings threads.

With two heaps for all of them a camera takes 41 instead of 54 MB (glibc; 1080p, from one to four cameras).
It also gives back to the system what every frame takes anew (pictures of some hundred kilobytes), which then
costs a page fault for each page of them: watching a still frame took three times as long.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
ARENAS = 2
LARGE = 2 * 1024 * 1024
"""Bytes from which a piece of memory comes from the system by itself and goes back at once: a picture of the
main stream, but none that is analysed."""
KEPT_FREE = 8 * 1024 * 1024
"""Bytes at the end of each heap that are kept for the next frame."""


def bound_arenas() -> bool:
    """Let all threads share :data:`ARENAS` heaps; False where the C library knows no such setting.

    Heaps that exist already stay: call it before threads are started.
    """
    mallopt = _mallopt()
    return mallopt is not None and bool(mallopt(_M_ARENA_MAX, ARENAS))


def keep_freed_memory() -> bool:
    """Keep what a frame needed for the next one; False where the C library knows no such setting."""
    mallopt = _mallopt()
    return mallopt is not None and all(
        mallopt(what, size) for what, size in ((_M_MMAP_THRESHOLD, LARGE), (_M_TRIM_THRESHOLD, KEPT_FREE))
    )


def _mallopt() -> Callable[[int, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        mallopt: Callable[[int, int], int] = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library, such as musl
        return None
    return mallopt
