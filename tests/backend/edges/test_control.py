"""The control connection: heartbeats are kept, configurations answered, commands awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from kitchen_watch.backend.edges import states
from kitchen_watch.backend.edges.control import NO_BINARY, _Connection
from kitchen_watch.clock import ManualClock
from kitchen_watch.control import (
    CameraCommand,
    CameraState,
    CameraStatus,
    CommandAnswer,
    ConfigurationAnswer,
    ConfigurationOffer,
    Heartbeat,
    HeartbeatAck,
    Hello,
    TurnStatus,
    Welcome,
    from_backend,
)
from kitchen_watch.signing import sign
from tests.backend.support import EDGE_SECRETS, NOON, Backend

TARGET = "/api/v1/edge/control"


class FakeEdge:
    """The other end: says what a test tells it to say."""

    def __init__(self, socket: ClientConnection, edge_id: str) -> None:
        self.socket = socket
        self.edge_id = edge_id

    async def say(self, message: Any) -> None:
        await self.socket.send(message.model_dump_json())

    async def hear(self) -> Any:
        async with asyncio.timeout(10):
            return from_backend.validate_json(await self.socket.recv())

    async def hello(self, **more: Any) -> Welcome:
        await self.say(Hello(edge_id=self.edge_id, software_version="0.1.0", **more))
        welcome = await self.hear()
        assert isinstance(welcome, Welcome)
        return welcome

    async def beat(self, *cameras: CameraStatus, **more: Any) -> None:
        await self.say(Heartbeat(sent_at=NOON - timedelta(seconds=2), cameras=cameras, **more))
        assert isinstance(await self.hear(), HeartbeatAck)


@asynccontextmanager
async def connected(
    backend: Backend, edge_id: str = "edge-1", fencing_token: int | None = None
) -> AsyncIterator[FakeEdge]:
    headers = sign(
        EDGE_SECRETS[edge_id], edge_id=edge_id, method="GET", target=TARGET, body=b"", at=datetime.now(UTC),
        fencing_token=fencing_token,
    )  # fmt: skip
    url = backend.url.replace("http://", "ws://") + TARGET
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        yield FakeEdge(socket, edge_id)


def status(camera_id: str, state: CameraState = CameraState.STREAMING, **more: Any) -> CameraStatus:
    return CameraStatus(camera_id=camera_id, state=state, since=NOON, **more)


def shown(backend: Backend, camera_id: str) -> dict[str, Any]:
    view: dict[str, Any] = backend.logged_in("admin").get(f"/api/v1/cameras/{camera_id}").json()
    return view


def edge_shown(backend: Backend, edge_id: str = "edge-1") -> dict[str, Any]:
    edges = backend.logged_in("admin").get("/api/v1/edges").json()
    [edge] = [edge for edge in edges if edge["edge_id"] == edge_id]
    return dict(edge)


async def in_thread(function: Callable[..., httpx.Response], *args: Any, **kwargs: Any) -> httpx.Response:
    return await asyncio.to_thread(function, *args, **kwargs)


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await check():
            await asyncio.sleep(0.02)


async def test_an_edge_is_greeted_with_the_servers_time(any_backend: Backend) -> None:
    async with connected(any_backend) as edge:
        assert (await edge.hello()).server_time == NOON
        view = await asyncio.to_thread(edge_shown, any_backend)
    assert (view["connected"], view["software_version"]) == (True, "0.1.0")
    assert view["camera_ids"] == ["cam-a1", "cam-a2", "cam-b1"]


async def test_a_heartbeat_tells_how_the_cameras_are(any_backend: Backend) -> None:
    async with connected(any_backend) as edge:
        await edge.hello()
        await edge.beat(
            status(
                "cam-a1",
                frames_received=250,
                width=1920,
                height=1080,
                codec="h264",
                frame_age_ms=80,
                frames_still=40,
                judged_share=0.75,
                turns=TurnStatus(watched_now=True, share=0.2, watch_s=30, revisit_s=120),
            ),
            status("cam-a2", CameraState.OFFLINE, reason="nobody answers"),
            status("cam-c1"),
            outbox_pending=3,
            warnings=("the disk is nearly full",),
        )
        camera, other, foreign, view = [
            await asyncio.to_thread(shown, any_backend, camera_id)
            for camera_id in ("cam-a1", "cam-a2", "cam-c1")
        ] + [await asyncio.to_thread(edge_shown, any_backend)]
    assert (camera["state"], camera["width"], camera["frames_received"]) == ("streaming", 1920, 250)
    assert (camera["frames_still"], camera["judged_share"]) == (40, 0.75)
    assert (camera["turns"]["watched_now"], camera["turns"]["revisit_s"]) == (True, 120)
    assert other["turns"] is None
    assert (other["state"], other["reason"]) == ("offline", "nobody answers")
    assert foreign["state"] is None, "an edge does not speak for another's camera"
    assert (view["outbox_pending"], view["clock_offset_ms"]) == (3, 2000)
    assert view["warnings"] == ["the disk is nearly full"]


async def test_a_silent_edge_counts_as_gone(backend: Backend) -> None:
    assert isinstance(backend.clock, ManualClock)
    async with connected(backend) as edge:
        await edge.hello()
        await edge.beat(status("cam-a1"))
        backend.clock.advance(21)
        view, camera = edge_shown(backend), shown(backend, "cam-a1")
    assert (view["connected"], camera["state"]) == (False, "offline")
    assert "not connected" in camera["reason"]


async def test_a_closed_connection_is_noticed_at_once(backend: Backend) -> None:
    async with connected(backend) as edge:
        await edge.hello()

    async def gone() -> bool:
        return not (await asyncio.to_thread(edge_shown, backend))["connected"]

    await eventually(gone)


async def test_a_newer_connection_takes_the_place_of_an_older_one(backend: Backend) -> None:
    async with connected(backend) as older:
        await older.hello()
        async with connected(backend) as newer:
            await newer.hello()
            await older.socket.wait_closed()
            assert older.socket.close_code == 4001
            await newer.beat()
            assert edge_shown(backend)["connected"]


async def test_an_edge_that_calls_itself_otherwise_is_put_out(backend: Backend) -> None:
    async with connected(backend) as edge:
        await edge.say(Hello(edge_id="edge-2", software_version="0.1.0"))
        await edge.socket.wait_closed()
        assert edge.socket.close_code == 4003


async def test_what_is_not_understood_is_passed_over(backend: Backend) -> None:
    async with connected(backend) as edge:
        await edge.socket.send('{"type": "telepathy"}')
        await edge.socket.send("no json")
        await edge.say(CommandAnswer(command_id=uuid4(), accepted=True))
        await edge.say(ConfigurationAnswer(offer_id=uuid4(), version="1", accepted=True))
        await edge.hello()


async def offered(backend: Backend, edge_id: str = "edge-1") -> str:
    answer = await in_thread(
        backend.logged_in("admin").post,
        f"/api/v1/edges/{edge_id}/configuration",
        json={"cameras": {"cam-a1": {"rate": 2.0}}},
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["version"])


@pytest.mark.parametrize("accepted", [True, False])
async def test_an_offered_configuration_is_answered(any_backend: Backend, accepted: bool) -> None:
    async with connected(any_backend) as edge:
        await edge.hello()
        version = await offered(any_backend)
        offer = await edge.hear()
        assert isinstance(offer, ConfigurationOffer)
        assert (offer.version, offer.cameras) == (version, {"cam-a1": {"rate": 2.0}})
        reason = None if accepted else "cam-a1: rate: is too low."
        await edge.say(
            ConfigurationAnswer(offer_id=offer.offer_id, version=version, accepted=accepted, reason=reason)
        )
        await edge.beat()
        view = await asyncio.to_thread(edge_shown, any_backend)
    assert (view["offered_version"], view["configuration_accepted"]) == (version, accepted)
    assert view["configuration_reason"] == reason
    assert (view["configuration_version"] == version) is accepted


async def test_an_edge_that_goes_while_it_is_offered_something_is_offered_it_again(backend: Backend) -> None:
    class Going:
        """A socket whose other end has gone without a word."""

        async def send_text(self, _text: str) -> None:
            raise RuntimeError("Cannot call send once a close message has been sent.")

    hub = backend.parts.control
    hub._connections["edge-1"] = _Connection("edge-1", Going())  # type: ignore[arg-type]
    version = await offered(backend)  # answered as if the edge were away
    del hub._connections["edge-1"]
    async with connected(backend) as edge:
        await edge.hello()
        assert (await edge.hear()).version == version


async def test_a_configuration_offered_while_away_comes_at_the_next_connection(any_backend: Backend) -> None:
    version = await offered(any_backend)
    async with connected(any_backend) as edge:
        await edge.hello()
        offer = await edge.hear()
        assert offer.version == version
        await edge.say(ConfigurationAnswer(offer_id=offer.offer_id, version=version, accepted=True))
        await edge.beat()
    async with connected(any_backend) as edge:
        await edge.hello(configuration_version=version)
        await edge.beat()  # the answer to the heartbeat comes next: nothing is offered again
    async with connected(any_backend) as edge:
        await edge.hello(configuration_version=None)
        assert (await edge.hear()).version == version, "an edge that lost its configuration gets it again"


async def test_a_command_is_answered(any_backend: Backend) -> None:
    async with connected(any_backend) as edge:
        await edge.hello()
        browser = any_backend.logged_in("regulator")
        asked = asyncio.create_task(
            in_thread(browser.post, "/api/v1/cameras/cam-a1/commands", json={"action": "snapshot"})
        )
        command = await edge.hear()
        assert isinstance(command, CameraCommand)
        assert (command.camera_id, command.action) == ("cam-a1", "snapshot")
        await edge.say(CommandAnswer(command_id=command.command_id, accepted=True, data="/9j/"))
        answer = await asked
    assert answer.json() == {"accepted": True, "reason": None, "data": "/9j/"}
    log = (await in_thread(any_backend.logged_in("admin").get, "/api/v1/audit")).json()["items"]
    assert [(entry["username"], entry["action"]) for entry in log] == [("regulator", "camera_command")]


async def test_a_command_to_an_edge_that_is_away_is_a_conflict(backend: Backend) -> None:
    browser = backend.logged_in("regulator")
    answer = await in_thread(browser.post, "/api/v1/cameras/cam-a1/commands", json={"action": "reconnect"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "not connected" in answer.json()["detail"]


async def test_an_edge_that_leaves_before_it_answers_is_a_conflict(backend: Backend) -> None:
    browser = backend.logged_in("regulator")
    async with connected(backend) as edge:
        await edge.hello()
        asked = asyncio.create_task(
            in_thread(browser.post, "/api/v1/cameras/cam-a1/commands", json={"action": "reconnect"})
        )
        await edge.hear()
    answer = await asked
    assert (answer.status_code, "before it answered" in answer.json()["detail"]) == (409, True)


async def test_messages_that_mean_nothing_do_not_end_the_connection(backend: Backend) -> None:
    async with connected(backend) as edge:
        for text in ("", "[", '{"type": "of_tomorrow"}', "null", '{"type": "heartbeat", "sent_at": 1e300}'):
            await edge.socket.send(text)
        await edge.hello()


async def test_a_message_that_cannot_be_stored_does_not_end_the_connection(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise OverflowError("Python int too large to convert to SQLite INTEGER")

    async with connected(backend) as edge:
        with monkeypatch.context() as broken:
            broken.setattr(states, "store_heartbeat", fail)
            await edge.say(Heartbeat(sent_at=NOON, cameras=()))
            await edge.hello()
        await edge.beat()


async def test_binary_data_is_refused_with_its_close_code(backend: Backend) -> None:
    async with connected(backend) as edge:
        await edge.hello()
        await edge.socket.send(b"\x00\x01")
        async with asyncio.timeout(10):
            await edge.socket.wait_closed()
        assert edge.socket.close_code == NO_BINARY == 1003


async def test_commands_end_where_the_scope_ends(backend: Backend) -> None:
    asked = {"action": "snapshot"}
    stranger = backend.logged_in("regulator2").post("/api/v1/cameras/cam-a1/commands", json=asked)
    restaurant = backend.logged_in("manager_a").post("/api/v1/cameras/cam-a1/commands", json=asked)
    assert (stranger.status_code, restaurant.status_code) == (404, 403)
