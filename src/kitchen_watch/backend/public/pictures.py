"""Pictures for strangers: one per public camera for everybody, with faces hidden by the edge.

A camera is followed while somebody looks at its public page and let go a little later. Only the edge's
``public`` variant is ever asked for, and a push that does not say it is that one is refused (see
:mod:`kitchen_watch.backend.live.pushes`): where there is none, strangers see no picture at all.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from kitchen_watch.backend.live.pushes import Pushes
from kitchen_watch.clock import Clock
from kitchen_watch.errors import Conflict

LINGER_S = 40.0
"""A camera that nobody has asked for so long is let go."""
STALE_S = 15.0
"""A picture that has not been followed by another one for so long is not shown any more."""
RETRY_S = 5.0
FIRST_S = 8.0
"""How long a stranger's first request waits; the edge shows nothing younger than its delay."""

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class _Followed:
    """One camera and its newest picture."""

    asked_at: float
    picture: bytes | None = None
    taken_at: float = 0.0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class PublicPictures:
    """The newest public picture of every camera that strangers look at."""

    def __init__(self, pushes: Pushes, clock: Clock) -> None:
        self._pushes = pushes
        self._clock = clock
        self._followed: dict[tuple[str, str], _Followed] = {}
        """By edge and camera: one that has moved to another edge is asked for there."""

    def __len__(self) -> int:
        return len(self._followed)

    async def newest(self, edge_id: str, camera_id: str) -> bytes | None:
        """The newest picture as JPEG; ``None`` where there is none at present.

        The caller has made sure that the camera is marked public.
        """
        now = self._clock.monotonic()
        one = self._followed.get((edge_id, camera_id))
        if one is None:
            one = self._followed[edge_id, camera_id] = _Followed(now)
            one.task = asyncio.get_running_loop().create_task(self._follow(one, edge_id, camera_id))
        one.asked_at = now
        if one.picture is None and not one.news.is_set():
            try:
                async with asyncio.timeout(FIRST_S):
                    await one.news.wait()
            except TimeoutError:
                one.news.set()  # the next ones do not wait for what does not come
        if one.picture is None or self._clock.monotonic() - one.taken_at > STALE_S:
            return None
        return one.picture

    async def close(self) -> None:
        """Let every camera go."""
        tasks = [one.task for one in self._followed.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, one: _Followed, edge_id: str, camera_id: str) -> None:
        try:
            while self._wanted(one):
                try:
                    await self._take(one, edge_id, camera_id)
                except Conflict as error:
                    log.info("no public picture", camera=camera_id, reason=str(error))
                await asyncio.sleep(RETRY_S)
        finally:
            self._followed.pop((edge_id, camera_id), None)
            one.news.set()

    async def _take(self, one: _Followed, edge_id: str, camera_id: str) -> None:
        viewer, _ = await self._pushes.join(edge_id, camera_id, quality="sub", kind="mjpeg", variant="public")
        try:
            async for picture in viewer.media():
                one.picture, one.taken_at = picture, self._clock.monotonic()
                one.news.set()
                if not self._wanted(one):
                    return
        finally:
            await self._pushes.leave(viewer)

    def _wanted(self, one: _Followed) -> bool:
        return self._clock.monotonic() - one.asked_at < LINGER_S
