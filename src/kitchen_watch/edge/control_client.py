"""The edge's end of the control connection: outbound, resumed with backoff, never in anyone's way.

Detection and delivery do not depend on it. It carries heartbeats up and configurations and camera
commands down; what to do with those is decided by the :class:`ControlledNode` it was given.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import structlog
import websockets
from pydantic import BaseModel, SecretStr, ValidationError
from websockets.asyncio.client import ClientConnection, connect

from kitchen_watch.clock import Clock
from kitchen_watch.control import (
    HEARTBEAT_SECONDS,
    OWNER_REPLACED,
    CameraCommand,
    CommandAnswer,
    ConfigurationAnswer,
    ConfigurationOffer,
    Heartbeat,
    HeartbeatAck,
    HeldSpans,
    Hello,
    HoldReport,
    LiveRequest,
    Welcome,
    from_backend,
)
from kitchen_watch.errors import KitchenWatchError, LeaseLost
from kitchen_watch.signing import FENCED, sign

CONTROL_PATH = "/api/v1/edge/control"
FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(seconds=60)
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

log = structlog.get_logger(__name__)


class ControlledNode(Protocol):
    """What the control connection needs from the edge it speaks for."""

    def hello(self) -> Hello:
        """Who this edge is and what it runs."""
        ...

    async def heartbeat(self) -> Heartbeat:
        """How this edge and its cameras are."""
        ...

    async def apply(self, offer: ConfigurationOffer) -> None:
        """Put an offered configuration in force, or raise and keep the old one.

        Raises:
            KitchenWatchError: the reason for refusing it, in words.
        """
        ...

    async def command(self, command: CameraCommand) -> str | None:
        """Carry out one command; base64 data where it asks for a picture.

        Raises:
            KitchenWatchError: why it cannot be done, in words.
        """
        ...


class HoldEnd(Protocol):
    """What the control connection needs of whoever keeps what is held."""

    async def hold(self, told: HeldSpans) -> HoldReport:
        """Hold this from now on, and say how much of it is here.

        Raises:
            OSError: the disk does not take it.
            KitchenWatchError: why it cannot be done.
        """
        ...


class LiveEnd(Protocol):
    """What the control connection needs from live view. Neither call may be slow."""

    def receive(self, message: LiveRequest, send: Callable[[BaseModel], Awaitable[None]]) -> None:
        """Begin to carry out a request; answers go to ``send``, which never raises."""
        ...

    async def disconnected(self) -> None:
        """The connection is gone: end what it can no longer revoke."""
        ...


def retry_delay(attempt: int, *, jitter: float) -> timedelta:
    """Wait before connection attempt ``attempt`` (from 1): doubling, bounded, spread by jitter 0..1."""
    return min(LONGEST_RETRY, FIRST_RETRY * (1 << min(attempt - 1, 10))) * (0.5 + jitter / 2)


class ControlClient:
    """Keeps one connection to the backend open for as long as :meth:`run` runs."""

    def __init__(
        self,
        node: ControlledNode,
        *,
        edge_id: str,
        backend_url: str,
        secret: SecretStr,
        clock: Clock,
        on_server_time: Callable[[datetime], None] = lambda _: None,
        server_offset: Callable[[], timedelta | None] = lambda: None,
        live: LiveEnd | None = None,
    ) -> None:
        self._node = node
        self.holds: HoldEnd | None = None
        """Who keeps what is held; without, the edge says nothing of holds."""
        self._live = live
        self._edge_id = edge_id
        parts = urlsplit(backend_url)
        scheme = {"http": "ws", "https": "wss"}[parts.scheme]
        self._target = parts.path.rstrip("/") + CONTROL_PATH
        self._url = f"{scheme}://{parts.netloc}{self._target}"
        self._secret = secret
        self._clock = clock
        self._on_server_time = on_server_time
        self._server_offset = server_offset
        self.fencing_token: int | None = None
        """That of the edge's owner; without, the edge has one owner for ever."""
        self.connected = False
        self.connects = 0

    async def run(self) -> None:
        """Connect, converse, reconnect; until cancelled.

        Raises:
            LeaseLost: this edge has a newer owner.
        """
        attempt = 0
        while True:
            try:
                await self._converse()
                reason = "the backend closed the connection"
            except LeaseLost:
                raise
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                if self.fencing_token is not None and _is_fenced(error):
                    raise LeaseLost(
                        f"The backend has heard from a newer owner of edge {self._edge_id} than this one, "
                        f"which holds fencing token {self.fencing_token}."
                    ) from error
                reason = str(error) or type(error).__name__
            except Exception as error:
                log.exception("control connection broken off", reason=str(error)[:300])
                reason = type(error).__name__
            if self.connected:
                attempt = 0
            self.connected = False
            attempt += 1
            delay = retry_delay(attempt, jitter=random.random())  # noqa: S311 - spreads load, no secret
            log.info("control connection lost", reason=reason, retry_in_s=round(delay.total_seconds(), 1))
            await self._clock.sleep(delay)

    async def _converse(self) -> None:
        offset = self._server_offset() or timedelta(0)
        headers = sign(
            self._secret.get_secret_value(),
            edge_id=self._edge_id,
            method="GET",
            target=self._target,
            body=b"",
            at=self._clock.now() + offset,
            fencing_token=self.fencing_token,
        )
        async with connect(
            self._url, additional_headers=headers, max_size=MAX_MESSAGE_BYTES, open_timeout=10, proxy=None
        ) as connection:
            await connection.send(self._node.hello().model_dump_json())
            self.connected = True
            self.connects += 1
            log.info("control connection open")
            # Not a task group: it would wrap a closed connection into a group that nobody catches.
            talking = {
                asyncio.create_task(self._send_heartbeats(connection)),
                asyncio.create_task(self._listen(connection)),
            }
            try:
                done, _ = await asyncio.wait(talking, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in talking:
                    task.cancel()
                await asyncio.wait(talking)
                if self._live is not None:
                    await self._live.disconnected()
            for task in done:
                task.result()

    async def _listen(self, connection: ClientConnection) -> None:
        async for message in connection:
            await self._receive(connection, message)

    async def _send_heartbeats(self, connection: ClientConnection) -> None:
        while True:
            try:
                beat = await self._node.heartbeat()
            except LeaseLost:
                raise
            except KitchenWatchError as error:
                log.error("no heartbeat", reason=str(error))
            else:
                await connection.send(beat.model_dump_json())
            await self._clock.sleep(timedelta(seconds=HEARTBEAT_SECONDS))

    async def _receive(self, connection: ClientConnection, message: str | bytes) -> None:
        try:
            parsed = from_backend.validate_json(message)
        except ValidationError:
            log.debug("message of an unknown kind ignored", size=len(message))
            return
        if isinstance(parsed, Welcome | HeartbeatAck):
            self._on_server_time(parsed.server_time)
        elif isinstance(parsed, ConfigurationOffer):
            answer = await self._answer_offer(parsed)
            await connection.send(answer.model_dump_json())
        elif isinstance(parsed, CameraCommand):
            await connection.send((await self._answer_command(parsed)).model_dump_json())
        elif isinstance(parsed, HeldSpans):
            await self._hold(connection, parsed)
        elif self._live is not None:
            self._live.receive(parsed, lambda answer: _send(connection, answer))

    async def _hold(self, connection: ClientConnection, told: HeldSpans) -> None:
        if self.holds is None:
            return
        try:
            report = await self.holds.hold(told)
        except (OSError, KitchenWatchError) as error:
            log.error("holds not taken over", version=told.version, reason=str(error))  # told again later
        else:
            await connection.send(report.model_dump_json())

    async def _answer_offer(self, offer: ConfigurationOffer) -> ConfigurationAnswer:
        reason = None
        try:
            await self._node.apply(offer)
        except KitchenWatchError as error:
            reason = str(error)
        log.info("configuration offered", version=offer.version, accepted=reason is None, reason=reason)
        return ConfigurationAnswer(
            offer_id=offer.offer_id, version=offer.version, accepted=reason is None, reason=reason
        )

    async def _answer_command(self, command: CameraCommand) -> CommandAnswer:
        try:
            data = await self._node.command(command)
        except KitchenWatchError as error:
            return CommandAnswer(command_id=command.command_id, accepted=False, reason=str(error))
        return CommandAnswer(command_id=command.command_id, accepted=True, data=data)


def _is_fenced(error: Exception) -> bool:
    """Whether the backend says by it that the edge has a newer owner."""
    if isinstance(error, websockets.ConnectionClosed):
        return error.rcvd is not None and error.rcvd.code == OWNER_REPLACED
    if not isinstance(error, websockets.InvalidStatus):
        return False
    try:
        problem = json.loads(error.response.body or b"")
    except (ValueError, RecursionError):
        return False
    return isinstance(problem, dict) and problem.get("code") == FENCED


async def _send(connection: ClientConnection, message: BaseModel) -> None:
    with contextlib.suppress(websockets.ConnectionClosed):
        await connection.send(message.model_dump_json())
