"""Recorded pieces of cameras, as their edges keep them: which there are, and one whole piece.

Nothing is kept here. A piece comes over a WebSocket of its own, as live media do, so that it never
delays heartbeats; it is bounded, and so is the number of pieces under way.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import structlog
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from kitchen_watch.backend.edges.control import ControlHub
from kitchen_watch.backend.edges.sockets import close_socket
from kitchen_watch.backend.live.own_ids import NewId
from kitchen_watch.control import PUSH_DELTA, PushHeader, PushRequest, RecordingAnswer, RecordingQuery
from kitchen_watch.errors import Conflict

MAX_BYTES = 64 * 1024 * 1024
MOST_AT_ONCE = 16
MOST_OF_ONE_EDGE = 4
"""An edge that does not send keeps no other edge's recordings waiting."""
FETCH_S = 30.0
ENOUGH = 1000

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class _Fetch:
    edge_id: str
    content: asyncio.Future[bytes] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Recordings:
    """What this process asks of edges' recordings."""

    def __init__(
        self, control: ControlHub, *, timeout_s: float, fetch_s: float = FETCH_S, new_id: NewId = uuid4
    ) -> None:
        self._control = control
        self._timeout_s = timeout_s
        self._new_id = new_id
        self._fetch_s = fetch_s
        self._fetches: dict[UUID, _Fetch] = {}

    async def pieces(
        self, edge_id: str, camera_id: str, *, since_at: datetime, until_at: datetime
    ) -> RecordingAnswer:
        """The pieces that show any moment of the span.

        Raises:
            Conflict: the edge is away, does not answer, or does not record the camera, and why.
        """
        query = RecordingQuery(query_id=uuid4(), camera_id=camera_id, since_at=since_at, until_at=until_at)
        answer = await self._control.ask(edge_id, query, query.query_id, timeout_s=self._timeout_s)
        if not isinstance(answer, RecordingAnswer) or not answer.accepted:
            reason = answer.reason if isinstance(answer, RecordingAnswer) else None
            raise Conflict(reason or "The edge has no recording of this camera.")
        return answer

    async def piece(self, edge_id: str, camera_id: str, segment_id: str) -> bytes:
        """One piece: a fragmented MP4 that plays alone.

        Raises:
            Conflict: the edge is away, no longer keeps it, or did not send it in time.
        """
        of_edge = sum(fetch.edge_id == edge_id for fetch in self._fetches.values())
        if len(self._fetches) >= MOST_AT_ONCE or of_edge >= MOST_OF_ONE_EDGE:
            raise Conflict("Too many recordings are being fetched just now. Try again in a moment.")
        fetch, push_id = _Fetch(edge_id), self._new_id()
        fetch.content.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._fetches[push_id] = fetch
        request = PushRequest(push_id=push_id, camera_id=camera_id, kind="segment", segment_id=segment_id)
        try:
            if not await self._control.tell(edge_id, request):
                raise Conflict(f"The edge {edge_id} is not connected just now. Try again when it is.")
            async with asyncio.timeout(self._fetch_s):
                return await asyncio.shield(fetch.content)
        except TimeoutError:
            raise Conflict(f"The edge {edge_id} did not send the piece in {self._fetch_s:.0f} s.") from None
        finally:
            fetch.content.cancel()  # who still sends it may stop
            del self._fetches[push_id]

    def expects(self, edge_id: str, push_id: UUID) -> bool:
        """Whether this edge was asked for a piece under this id."""
        fetch = self._fetches.get(push_id)
        return fetch is not None and fetch.edge_id == edge_id

    async def serve(self, socket: WebSocket, push_id: UUID) -> None:
        """Take the piece that was asked for under ``push_id`` from its edge."""
        fetch = self._fetches[push_id]
        try:
            size = PushHeader.model_validate_json(await socket.receive_text()).size
            if size is None or size > MAX_BYTES:
                raise ValueError("no size, or too large")
            content = bytearray()
            while len(content) < size:
                message = await socket.receive_bytes()
                if not message or message[0] != PUSH_DELTA:
                    raise ValueError("no part of a piece")
                content += message[1:]
                if fetch.content.done():
                    raise ValueError("nobody waits for it any more")
            if len(content) != size:
                raise ValueError("more than it said")
        except WebSocketDisconnect:
            self._fail(fetch, "The edge broke off.")
        except (ValidationError, ValueError, KeyError) as error:
            log.warning("a recorded piece was broken off", edge=fetch.edge_id, reason=str(error)[:200])
            self._fail(fetch, "The edge sent something else than the piece.")
        else:
            if not fetch.content.done():
                fetch.content.set_result(bytes(content))
        finally:
            await close_socket(socket, ENOUGH)

    def refused(self, edge_id: str, push_id: UUID, reason: str) -> None:
        """The edge will not send it. What another edge says of it is no matter."""
        fetch = self._fetches.get(push_id)
        if fetch is not None and fetch.edge_id == edge_id:
            self._fail(fetch, reason or "The edge sends nothing.")

    @staticmethod
    def _fail(fetch: _Fetch, reason: str) -> None:
        if not fetch.content.done():
            fetch.content.set_exception(Conflict(reason))
