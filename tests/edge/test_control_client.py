"""The control connection: heartbeats go up, configurations are accepted or refused in words, and a
backend that goes away is found again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from kitchen_watch import signing
from kitchen_watch.clock import SystemClock
from kitchen_watch.control import (
    OWNER_REPLACED,
    CameraCommand,
    CommandAnswer,
    ConfigurationAnswer,
    ConfigurationOffer,
    Heartbeat,
    Hello,
    Welcome,
    from_edge,
)
from kitchen_watch.edge import control_client
from kitchen_watch.edge.control_client import (
    CONTROL_PATH,
    FIRST_RETRY,
    LONGEST_RETRY,
    MAX_MESSAGE_BYTES,
    ControlClient,
    retry_delay,
)
from kitchen_watch.errors import ConfigError, LeaseLost, NotFound

SECRET = signing.new_secret()


class Node:
    """An edge that accepts every configuration but one."""

    def hello(self) -> Hello:
        return Hello(edge_id="edge-1", software_version="0.1.0", cameras=("cam-1",))

    async def heartbeat(self) -> Heartbeat:
        return Heartbeat(sent_at=datetime.now(UTC))

    async def apply(self, offer: ConfigurationOffer) -> None:
        if offer.version == "bad":
            raise ConfigError("cameras.cam-1.zones.0: a polygon needs three points")

    async def command(self, command: CameraCommand) -> str | None:
        if command.camera_id != "cam-1":
            raise NotFound(f"There is no camera {command.camera_id} here.")
        return "aGVsbG8="


class Backend:
    """A real WebSocket server that records what edges say."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[Any] = asyncio.Queue()
        self.connection: ServerConnection | None = None

    async def handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        headers = {key.lower(): value for key, value in connection.request.headers.raw_items()}
        signing.verify(SECRET, headers=headers, method="GET", target=connection.request.path, body=b"")
        self.connection = connection
        await connection.send(Welcome(server_time=datetime(2030, 1, 1, tzinfo=UTC)).model_dump_json())
        async for message in connection:
            await self.said.put(from_edge.validate_json(message))

    async def next_of(self, kind: type[Any]) -> Any:
        async with asyncio.timeout(10):
            while not isinstance(said := await self.said.get(), kind):
                pass
        return said

    async def listen(self, port: int = 0) -> Server:
        return await serve(self.handle, "127.0.0.1", port)


def _client(port: int, **options: Any) -> ControlClient:
    return ControlClient(
        Node(), edge_id="edge-1", backend_url=f"http://127.0.0.1:{port}", secret=SecretStr(SECRET),
        clock=SystemClock(), **options,
    )  # fmt: skip


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


@pytest.mark.integration
async def test_an_edge_introduces_itself_and_answers_offers_and_commands() -> None:
    backend = Backend()
    times: list[datetime] = []
    async with await backend.listen() as server:
        client = _client(_port(server), on_server_time=times.append)
        running = asyncio.create_task(client.run())
        hello = await backend.next_of(Hello)
        assert hello.cameras == ("cam-1",)
        await backend.next_of(Heartbeat)
        assert backend.connection is not None
        await backend.connection.send('{"type": "from_the_future"}')
        for version, accepted in (("good", True), ("bad", False)):
            offer = ConfigurationOffer(offer_id=uuid4(), version=version, cameras={})
            await backend.connection.send(offer.model_dump_json())
            answer = await backend.next_of(ConfigurationAnswer)
            assert (answer.offer_id, answer.accepted) == (offer.offer_id, accepted)
        assert answer.reason == "cameras.cam-1.zones.0: a polygon needs three points"
        for camera_id, accepted in (("cam-1", True), ("cam-9", False)):
            command = CameraCommand(command_id=uuid4(), camera_id=camera_id, action="snapshot")
            await backend.connection.send(command.model_dump_json())
            async with asyncio.timeout(10):
                while getattr(said := await backend.said.get(), "command_id", None) != command.command_id:
                    pass
            assert said.accepted is accepted
        assert times == [datetime(2030, 1, 1, tzinfo=UTC)]
        running.cancel()


@pytest.mark.integration
async def test_a_backend_that_restarts_is_found_again() -> None:
    first = Backend()
    server = await first.listen()
    port = _port(server)
    client = _client(port)
    running = asyncio.create_task(client.run())
    await first.next_of(Hello)
    server.close()
    await server.wait_closed()
    second = Backend()
    async with await second.listen(port):
        await second.next_of(Hello)
        assert client.connects == 2
        running.cancel()


@pytest.mark.integration
@pytest.mark.parametrize("how", ["cut", "closed for another one"])
async def test_a_connection_that_is_cut_is_opened_again_and_never_ends_the_edge(how: str) -> None:
    backend = Backend()
    async with await backend.listen() as server:
        client = _client(_port(server))
        running = asyncio.create_task(client.run())
        await backend.next_of(Hello)
        assert backend.connection is not None
        if how == "cut":
            backend.connection.transport.abort()
        else:
            await backend.connection.close(4001, "another connection of this edge took over")
        await backend.next_of(Hello)
        assert not running.done()
        assert client.connects == 2
        running.cancel()


def test_the_wait_between_attempts_grows_to_a_minute_and_is_spread() -> None:
    waits = [retry_delay(attempt, jitter=1.0) for attempt in range(1, 12)]
    assert waits[0] == FIRST_RETRY
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_RETRY
    assert retry_delay(3, jitter=0.0) < retry_delay(3, jitter=1.0)


def test_the_path_of_a_backend_behind_a_prefix_is_kept() -> None:
    client = ControlClient(
        Node(), edge_id="edge-1", backend_url="https://bureau.example/kitchens/", secret=SecretStr(SECRET),
        clock=SystemClock(),
    )  # fmt: skip
    assert client._url == f"wss://bureau.example/kitchens{CONTROL_PATH}"


@pytest.mark.integration
@pytest.mark.parametrize("sent", ["huge", "nested", "no json", "half", "binary", "breaks the node"])
async def test_whatever_the_backend_sends_the_edge_stays_or_comes_back(
    sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_self: Node, _offer: ConfigurationOffer) -> None:
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(Node, "apply", broken)
    monkeypatch.setattr(control_client, "retry_delay", lambda *_args, **_more: timedelta(0))
    offer = ConfigurationOffer(offer_id=uuid4(), version="1", cameras={})
    messages: dict[str, str | bytes] = {
        "huge": "x" * (MAX_MESSAGE_BYTES + 1),
        "nested": '{"type": "configuration_offer", "cameras": ' + "[" * 200_000,
        "no json": "hello?",
        "half": '{"type": "viewer_offer", "view_id": "',
        "binary": b"\xff\x00",
        "breaks the node": offer.model_dump_json(),
    }
    backend = Backend()
    async with await backend.listen() as server:
        running = asyncio.create_task(_client(_port(server)).run())
        await backend.next_of(Hello)
        assert backend.connection is not None
        await backend.connection.send(messages[sent])
        if sent in {"huge", "breaks the node"}:
            await backend.next_of(Hello)  # it came back
        else:
            command = CameraCommand(command_id=uuid4(), camera_id="cam-1", action="snapshot")
            await backend.connection.send(command.model_dump_json())
            assert (await backend.next_of(CommandAnswer)).accepted
        assert not running.done()
        running.cancel()


@pytest.mark.integration
@pytest.mark.parametrize("when", ["at the door", "while connected"])
async def test_an_edge_that_was_taken_over_stops_and_one_without_a_token_tries_again(when: str) -> None:
    async def refuse(connection: ServerConnection, _request: Request) -> Response | None:
        if when == "while connected":
            return None
        body = b'{"code": "fenced", "detail": "The edge has a newer owner."}'
        return Response(412, "Precondition Failed", Headers(), body)

    async def replace(connection: ServerConnection) -> None:
        await connection.close(OWNER_REPLACED)

    async with await serve(replace, "127.0.0.1", 0, process_request=refuse) as server:
        client = _client(_port(server))
        client.fencing_token = 7
        with pytest.raises(LeaseLost, match="holds fencing token 7"):
            await asyncio.wait_for(client.run(), 10)
        running = asyncio.create_task(_client(_port(server)).run())
        await asyncio.sleep(0.3)
        assert not running.done()
        running.cancel()
