"""Where evidence is made: a few threads beside the event loop, pictures apart from clips.

Pictures are waited for by an alert; a clip never is. So a long clip may not stand before a picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Workshop:
    """Threads for all cameras of an edge. Work beyond them waits its turn."""

    def __init__(self, *, picture_workers: int = 2, clip_workers: int = 1) -> None:
        self._pictures = ThreadPoolExecutor(picture_workers, thread_name_prefix="evidence-picture")
        self._clips = ThreadPoolExecutor(clip_workers, thread_name_prefix="evidence-clip")

    async def picture(self, work: Callable[[], T]) -> T:
        """Do quick work that an alert waits for."""
        return await asyncio.get_running_loop().run_in_executor(self._pictures, work)

    async def clip(self, work: Callable[[], T]) -> T:
        """Do slow work that nobody waits for."""
        return await asyncio.get_running_loop().run_in_executor(self._clips, work)

    async def close(self) -> None:
        """Finish what was begun; what still waits is not begun."""
        for pool in (self._pictures, self._clips):
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)
