"""The backend's end of the control connections: who is connected, what is said, whose answer is awaited.

One connection per edge; a newer one takes the place of an older one. What must survive (states,
offers, answers) is in the database; a hub knows only the edges connected to its own process, and
has errands run to the others (:mod:`.errands`).
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID, uuid4

import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.edges import states
from kitchen_watch.backend.edges.sockets import close_socket, text_of
from kitchen_watch.backend.edges.tables import EdgeStateRow
from kitchen_watch.backend.metrics import Metrics
from kitchen_watch.clock import Clock
from kitchen_watch.control import (
    OWNER_REPLACED,
    CameraCommand,
    CommandAnswer,
    ConfigurationAnswer,
    ConfigurationOffer,
    Heartbeat,
    HeartbeatAck,
    Hello,
    HoldReport,
    RecordingAnswer,
    ViewerAnswer,
    ViewerEnded,
    Welcome,
    from_edge,
)
from kitchen_watch.errors import Conflict, KitchenWatchError

REPLACED = 4001
"""Close code: the edge has opened a newer connection."""
WRONG_EDGE = 4003
NO_BINARY = 1003
"""Close code of RFC 6455: data of a kind that is not taken here."""
GOING_AWAY = 1001
JPEG = b"\xff\xd8\xff"
MOST_REMEMBERED = 5000
"""Views of other processes; nobody has so many open at one edge."""

log = structlog.get_logger(__name__)

Action = Literal["reconnect", "snapshot", "reference"]


class LiveEar(Protocol):
    """What live view wants to hear of edges."""

    def view_ended(self, edge_id: str, view_id: UUID, reason: str) -> None:
        """The edge ended a view, or could not begin what nobody waits for."""
        ...

    def edge_gone(self, edge_id: str) -> None:
        """The edge's connection is gone, and with it its views."""
        ...


class HoldsEar(Protocol):
    """What holds want to hear of edges."""

    async def edge_here(self, edge_id: str) -> None:
        """The edge has connected and said who it is."""
        ...

    async def edge_holds(self, edge_id: str, report: HoldReport) -> None:
        """The edge holds what it was told."""
        ...


class Elsewhere(Protocol):
    """The way to edges that are connected to other processes."""

    async def ask(self, edge_id: str, message: BaseModel, answer_id: UUID, *, timeout_s: float) -> BaseModel:
        """As :meth:`ControlHub.ask`."""
        ...

    async def tell(self, edge_id: str, message: BaseModel) -> bool:
        """As :meth:`ControlHub.tell`."""
        ...

    async def ended(self, process: str, edge_id: str, view_id: UUID, reason: str) -> None:
        """A view that ``process`` asked for has ended."""
        ...

    async def gone(self, process: str, edge_id: str) -> None:
        """An edge that ``process`` asked something of is gone."""
        ...


@dataclass(eq=False)
class _Connection:
    edge_id: str
    socket: WebSocket
    fencing_token: int | None = None
    connection_id: UUID = field(default_factory=uuid4)
    waiting: dict[UUID, asyncio.Future[Any]] = field(default_factory=dict)
    offered: set[UUID] = field(default_factory=set)
    asked_by: dict[UUID, str] = field(default_factory=dict)
    """Views and pushes of other processes, and whose they are."""
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, message: BaseModel) -> None:
        await self.send_text(message.model_dump_json())

    async def send_text(self, text: str) -> None:
        async with self.sending:
            await self.socket.send_text(text)

    def note(self, about: UUID, process: str | None) -> None:
        if process is None:
            return
        self.asked_by[about] = process
        if len(self.asked_by) > MOST_REMEMBERED:
            del self.asked_by[next(iter(self.asked_by))]


class ControlHub:
    """All control connections of this process."""

    def __init__(self, database: Database, clock: Clock, *, timeout_s: float, metrics: Metrics) -> None:
        self._database = database
        self._clock = clock
        self._timeout_s = timeout_s
        self._metrics = metrics
        self._connections: dict[str, _Connection] = {}
        self.elsewhere: Elsewhere | None = None
        self.live: LiveEar | None = None
        self.holds: HoldsEar | None = None

    async def serve(self, socket: WebSocket, edge_id: str, *, fencing_token: int | None = None) -> None:
        """Converse over an accepted connection until it closes."""
        connection = _Connection(edge_id, socket, fencing_token)
        older = self._connections.get(edge_id)
        self._connections[edge_id] = connection
        self._metrics.edges.set(len(self._connections))
        if older is not None:
            await _close(older, REPLACED)
        log.info("edge connected", edge=edge_id)
        try:
            while True:
                text = text_of(await socket.receive())
                if text is None:
                    log.warning("binary data on a control connection", edge=edge_id)
                    await _close(connection, NO_BINARY)
                    break
                await self._take(connection, text)
        except WebSocketDisconnect:
            pass
        finally:
            if self._connections.get(edge_id) is connection:
                del self._connections[edge_id]
            self.live_gone(edge_id)
            self._metrics.edges.set(len(self._connections))
            for future in connection.waiting.values():
                future.cancel()
            await asyncio.shield(self._disconnected(connection))
            await asyncio.shield(self._tell_others_it_is_gone(connection))
            log.info("edge disconnected", edge=edge_id)

    def is_connected(self, edge_id: str) -> bool:
        """Whether the edge is connected to this very process."""
        return edge_id in self._connections

    def reaches(self, session: Session, edge_id: str) -> bool:
        """Whether the edge is connected, to this process or to another."""
        if edge_id in self._connections:
            return True
        state = session.get(EdgeStateRow, edge_id) if self.elsewhere is not None else None
        return state is not None and state.connection_id is not None

    def connected(self) -> tuple[str, ...]:
        """The edges that are connected to this very process."""
        return tuple(self._connections)

    async def send_command(self, edge_id: str, *, camera_id: str, action: Action) -> CommandAnswer:
        """Ask one camera for something and wait for the edge's answer.

        Raises:
            Conflict: the edge is not connected, or does not answer in time.
        """
        command = CameraCommand(command_id=uuid4(), camera_id=camera_id, action=action)
        answer = await self.ask(edge_id, command, command.command_id, timeout_s=self._timeout_s)
        assert isinstance(answer, CommandAnswer)
        return answer

    async def ask(self, edge_id: str, message: BaseModel, answer_id: UUID, *, timeout_s: float) -> BaseModel:
        """Send a message and wait for the edge's answer that carries ``answer_id``.

        Raises:
            Conflict: the edge is not connected, or does not answer in time.
        """
        if edge_id not in self._connections and self.elsewhere is not None:
            return await self.elsewhere.ask(edge_id, message, answer_id, timeout_s=timeout_s)
        return await self.ask_here(edge_id, message.model_dump_json(), answer_id, timeout_s=timeout_s)

    async def ask_here(
        self, edge_id: str, text: str, answer_id: UUID, *, timeout_s: float, process: str | None = None
    ) -> BaseModel:
        """The same of an edge that is connected to this very process; ``process`` asks, where it is another.

        Raises:
            Conflict: the edge is not connected here, or does not answer in time.
        """
        connection = self._connections.get(edge_id)
        if connection is None:
            raise Conflict(f"The edge {edge_id} is not connected just now. Try again when it is.")
        answer: asyncio.Future[BaseModel] = asyncio.get_running_loop().create_future()
        connection.waiting[answer_id] = answer
        connection.note(answer_id, process)
        try:
            async with asyncio.timeout(timeout_s):
                await connection.send_text(text)
                await asyncio.wait([answer])
        except (TimeoutError, WebSocketDisconnect, RuntimeError):  # RuntimeError: closed while sending
            raise Conflict(f"The edge {edge_id} did not answer in {timeout_s:.0f} s.") from None
        finally:
            connection.waiting.pop(answer_id, None)
        if answer.cancelled():
            raise Conflict(f"The edge {edge_id} disconnected before it answered.")
        return answer.result()

    async def tell(self, edge_id: str, message: BaseModel) -> bool:
        """Send a message that has no answer; whether the edge is connected to hear it."""
        if edge_id not in self._connections and self.elsewhere is not None:
            return await self.elsewhere.tell(edge_id, message)
        return await self.pass_on(edge_id, message.model_dump_json())

    async def pass_on(
        self, edge_id: str, text: str, *, about: UUID | None = None, process: str | None = None
    ) -> bool:
        """The same to an edge that is connected to this very process; ``process`` says it, where another."""
        connection = self._connections.get(edge_id)
        if connection is None:
            return False
        if about is not None:
            connection.note(about, process)
        try:
            await connection.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            return False
        return True

    async def offer_pending(self, edge_id: str) -> None:
        """Send the edge the newest configuration it has not answered, if it is connected here."""
        connection = self._connections.get(edge_id)
        if connection is None:
            return
        try:
            await self._offer(connection)
        except (WebSocketDisconnect, RuntimeError):  # it goes at this very moment; its next connection asks
            log.info("edge gone before it could be offered its configuration", edge=edge_id)

    async def close(self) -> None:
        """Close every connection: this process is going away."""
        for connection in list(self._connections.values()):
            await _close(connection, GOING_AWAY)

    async def _take(self, connection: _Connection, text: str) -> None:
        # What cannot be stored now is told anew by the next heartbeat; the connection must not end for it.
        try:
            await self._receive(connection, text)
        except (SQLAlchemyError, OverflowError, ValueError, KitchenWatchError) as error:
            log.warning(
                "message of an edge not taken",
                edge=connection.edge_id,
                reason=str(error)[:300],
                size=len(text),
            )

    async def _receive(self, connection: _Connection, text: str) -> None:
        try:
            message = from_edge.validate_json(text)
        except ValidationError:
            log.debug("message of an unknown kind ignored", edge=connection.edge_id, size=len(text))
            return
        now = self._clock.now()
        if isinstance(message, Hello):
            if message.edge_id != connection.edge_id:
                await _close(connection, WRONG_EDGE)
                return
            await run_in_threadpool(
                states.store_hello, self._database, message, connection_id=connection.connection_id, now=now
            )
            await connection.send(Welcome(server_time=now))
            await self._offer(connection)
            if self.holds is not None:
                await self.holds.edge_here(connection.edge_id)
        elif isinstance(message, Heartbeat):
            await self._heard(connection, message)
        elif isinstance(message, ConfigurationAnswer):
            await run_in_threadpool(states.store_answer, self._database, connection.edge_id, message, now=now)
        elif isinstance(message, HoldReport):
            if self.holds is not None:
                await self.holds.edge_holds(connection.edge_id, message)
        elif isinstance(message, ViewerEnded):
            await self._live_ended(connection, message.view_id, message.reason)
        else:
            future = connection.waiting.get(_answered(message))
            if future is not None and not future.done():
                future.set_result(message)
            elif isinstance(message, ViewerAnswer) and not message.accepted:
                await self._live_ended(connection, message.view_id, message.reason or "")

    async def _heard(self, connection: _Connection, beat: Heartbeat) -> None:
        believed = await run_in_threadpool(
            states.store_heartbeat,
            self._database,
            connection.edge_id,
            beat,
            connection_id=connection.connection_id,
            fencing_token=connection.fencing_token,
            now=self._clock.now(),
        )
        if not believed:  # its node slept while another took the edge over
            await _close(connection, OWNER_REPLACED)
            return
        await connection.send(HeartbeatAck(server_time=self._clock.now()))
        await self._offer(connection)

    def live_ended(self, edge_id: str, view_id: UUID, reason: str) -> None:
        """An edge ended a view of this process."""
        if self.live is not None:
            self.live.view_ended(edge_id, view_id, reason)

    def live_gone(self, edge_id: str) -> None:
        """An edge is gone, and with it the views that this process has of its cameras."""
        if self.live is not None:
            self.live.edge_gone(edge_id)

    async def _live_ended(self, connection: _Connection, view_id: UUID, reason: str) -> None:
        process = connection.asked_by.pop(view_id, None)
        if process is not None and self.elsewhere is not None:
            await self.elsewhere.ended(process, connection.edge_id, view_id, reason)
        else:
            self.live_ended(connection.edge_id, view_id, reason)

    async def _offer(self, connection: _Connection) -> None:
        offer: ConfigurationOffer | None = await run_in_threadpool(
            states.pending_offer, self._database, connection.edge_id
        )
        if offer is not None and offer.offer_id not in connection.offered:
            connection.offered.add(offer.offer_id)
            await connection.send(offer)

    async def _disconnected(self, connection: _Connection) -> None:
        await run_in_threadpool(
            states.store_disconnect, self._database, connection.edge_id, connection.connection_id
        )

    async def _tell_others_it_is_gone(self, connection: _Connection) -> None:
        if self.elsewhere is None:
            return
        for process in set(connection.asked_by.values()):
            try:
                await self.elsewhere.gone(process, connection.edge_id)
            except SQLAlchemyError as error:  # their views end when the browser misses the pictures
                log.warning("another process cannot be told", reason=str(error)[:300])


def picture_in(answer: CommandAnswer) -> bytes | None:
    """The JPEG of an edge's answer; ``None`` where it sent none, or something else."""
    if not answer.accepted or answer.data is None:
        return None
    try:
        content = base64.b64decode(answer.data, validate=True)
    except ValueError:
        return None
    return content if content.startswith(JPEG) else None


def _answered(message: ViewerAnswer | CommandAnswer | RecordingAnswer) -> UUID:
    if isinstance(message, ViewerAnswer):
        return message.view_id
    return message.query_id if isinstance(message, RecordingAnswer) else message.command_id


async def _close(connection: _Connection, code: int) -> None:
    await close_socket(connection.socket, code)
