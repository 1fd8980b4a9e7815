"""The edge's end of live view: what the backend asks over the control connection is carried out here.

Views are opened only for the backend, which knows who may watch. When the control connection is
lost, every view ends: one that can no longer be revoked must not go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel

from kitchen_watch.control import (
    MAX_SEGMENTS,
    LiveRequest,
    PushRequest,
    RecordingAnswer,
    RecordingQuery,
    SegmentFacts,
    ViewerAnswer,
    ViewerCandidates,
    ViewerClose,
    ViewerEnded,
    ViewerOffer,
)
from kitchen_watch.errors import Conflict, KitchenWatchError, NotFound
from kitchen_watch.live.camera import LiveCamera
from kitchen_watch.live.candidates import Network
from kitchen_watch.live.session import ViewerSession

MAX_VIEWS = 64
"""Viewers of one edge at a time; its uplink ends long before."""
STOP_LIMIT_S = 3.0

# Never raises: when the connection has just gone, the backend ends its views by itself.
Send = Callable[[BaseModel], Awaitable[None]]
FindCamera = Callable[[str], LiveCamera | None]
Push = Callable[[PushRequest, LiveCamera], Awaitable[None]]

log = structlog.get_logger(__name__)


class LiveDesk:
    """All views of this edge's cameras."""

    def __init__(
        self,
        find: FindCamera,
        push: Push,
        *,
        max_views: int = MAX_VIEWS,
        networks: Sequence[Network] = (),
    ) -> None:
        self._find = find
        self._networks = networks
        self._push = push
        self._max_views = max_views
        self._views: dict[UUID, ViewerSession | asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def views(self) -> int:
        """Views and pushes that are open."""
        return len(self._views)

    def receive(self, message: LiveRequest, send: Send) -> None:
        """Begin to carry out what the backend asks; answers go to ``send``. Never waits."""
        if isinstance(message, ViewerOffer):
            self._run(self._answer(message, send))
        elif isinstance(message, PushRequest):
            self._views[message.push_id] = self._run(self._push_media(message, send))
        elif isinstance(message, RecordingQuery):
            self._run(self._list_recording(message, send))
        elif isinstance(message, ViewerCandidates):
            self._run(self._add_candidates(message))
        else:
            self._run(self._close(message))

    async def disconnected(self) -> None:
        """Nobody can say any more who may watch: end every view."""
        views, self._views = dict(self._views), {}
        for view in views.values():
            if isinstance(view, asyncio.Task):
                view.cancel()
        await asyncio.gather(
            *(view.close("the backend is away") for view in views.values() if isinstance(view, ViewerSession))
        )

    async def stop(self) -> None:
        """End every view and everything under way."""
        await self.disconnected()
        if self._tasks:  # they close their connections; only what hangs is broken off
            _, hanging = await asyncio.wait(self._tasks, timeout=STOP_LIMIT_S)
            for task in hanging:
                task.cancel()

    async def _answer(self, offer: ViewerOffer, send: Send) -> None:
        session: ViewerSession | None = None

        def ended(reason: str) -> None:
            if self._views.pop(offer.view_id, None) is not None:
                self._run(_say(send, ViewerEnded(view_id=offer.view_id, reason=reason)))

        try:
            camera = self._camera(offer.camera_id)
            session = ViewerSession(
                camera.relay(offer.quality),
                ice_servers=offer.ice_servers,
                networks=self._networks,
                on_end=ended,
            )
            self._views[offer.view_id] = session
            sdp = await session.answer(offer.sdp)
        except KitchenWatchError as error:
            self._views.pop(offer.view_id, None)
            answer = ViewerAnswer(view_id=offer.view_id, accepted=False, reason=str(error))
        else:
            answer = ViewerAnswer(view_id=offer.view_id, accepted=True, sdp=sdp)
        await send(answer)

    async def _push_media(self, request: PushRequest, send: Send) -> None:
        answer = ViewerAnswer(view_id=request.push_id, accepted=True)
        try:
            await self._push(request, self._camera(request.camera_id))
        except KitchenWatchError as error:
            answer = ViewerAnswer(view_id=request.push_id, accepted=False, reason=str(error))
        finally:
            self._views.pop(request.push_id, None)
        if not answer.accepted:
            await send(answer)

    async def _list_recording(self, query: RecordingQuery, send: Send) -> None:
        camera = self._find(query.camera_id)
        recording = camera.recording if camera is not None else None
        if camera is None or recording is None:
            reason = f"Camera {query.camera_id} is not recorded."
            await send(RecordingAnswer(query_id=query.query_id, accepted=False, reason=reason))
            return
        found = recording.store.between(query.since_at, query.until_at, most=MAX_SEGMENTS + 1)
        await send(
            RecordingAnswer(
                query_id=query.query_id,
                accepted=True,
                segments=tuple(
                    SegmentFacts(
                        segment_id=one.segment_id, begins_at=one.begins_at, seconds=one.seconds, size=one.size
                    )
                    for one in found[:MAX_SEGMENTS]
                ),
                more=len(found) > MAX_SEGMENTS,
                oldest_at=recording.store.oldest_at,
                continuous=camera.continuous,
            )
        )

    async def _add_candidates(self, message: ViewerCandidates) -> None:
        view = self._views.get(message.view_id)
        if isinstance(view, ViewerSession):
            try:
                await view.add_candidates(message.sdp)
            except KitchenWatchError as error:
                log.info("ICE candidates left out", reason=str(error))

    async def _close(self, message: ViewerClose) -> None:
        view = self._views.pop(message.view_id, None)
        if isinstance(view, ViewerSession):
            await view.close("closed by the backend")
        elif view is not None:
            view.cancel()

    def _camera(self, camera_id: str) -> LiveCamera:
        camera = self._find(camera_id)
        if camera is None:
            raise NotFound(f"This edge has no running camera {camera_id}.")
        if len(self._views) >= self._max_views:
            raise Conflict(f"This edge already serves {self._max_views} viewers. Close one and try again.")
        return camera

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _say(send: Send, message: BaseModel) -> None:
    await send(message)
