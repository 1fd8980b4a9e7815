"""Live media over WebSockets: the same rights, the same ends, and as many at a time as a wall has."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from kitchen_watch.control import ViewerAnswer, ViewerEnded
from tests.backend.edges.test_control import connected
from tests.backend.live.edges import edge_of
from tests.backend.live.test_live import SDP, WHEP, audited, log_out, wait_for, watch
from tests.backend.support import Backend

SOCKET = "/api/v1/cameras/cam-a1/live/socket"
TRICKLE = {"content-type": "application/trickle-ice-sdpfrag"}


def opening(
    backend: Backend,
    browser: httpx.Client,
    kind: str = "mjpeg",
    *,
    origin: str | None = None,
    path: str = SOCKET,
) -> connect:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"cookie": cookies} | ({"origin": origin} if origin else {})
    url = f"{backend.url.replace('http://', 'ws://')}{path}?kind={kind}&purpose=wall"
    return connect(url, additional_headers=headers, proxy=None, max_size=None)


async def first(socket: ClientConnection) -> tuple[str | bytes, str | bytes]:
    async with asyncio.timeout(10):
        return await socket.recv(), await socket.recv()


async def test_pictures_and_film_come_and_the_view_is_written_down(backend: Backend) -> None:
    with edge_of(backend) as edge:
        browser = await asyncio.to_thread(backend.logged_in, "manager_a")
        async with opening(backend, browser, origin=backend.url) as socket:
            kind, picture = await first(socket)
            assert kind == "image/jpeg"
            assert isinstance(picture, bytes)
            assert picture.startswith(b"\xff\xd8")
        async with opening(backend, browser, "fmp4") as socket:
            kind, beginning = await first(socket)
            assert str(kind).startswith("video/mp4; codecs=")
            assert isinstance(beginning, bytes)
            assert beginning[4:8] == b"ftyp"
            socket.transport.abort()  # as a browser that crashes does
        await asyncio.to_thread(wait_for, lambda: len(backend.parts.live.views) == 0 == edge.desk.views)
    ended = audited(backend, "live_view_ended")
    assert [(row.facts["kind"], row.purpose) for row in ended] == [("mjpeg", "wall"), ("fmp4", "wall")]


async def test_a_whole_wall_shares_one_push_and_leaves_room_for_other_requests(backend: Backend) -> None:
    with edge_of(backend) as edge:
        browser = await asyncio.to_thread(backend.logged_in, "manager_a")
        sockets = [await opening(backend, browser, "fmp4") for _ in range(16)]
        for socket in sockets:
            await first(socket)
        assert edge.desk.views == 1
        assert len(backend.parts.live.views) == 16
        for socket in sockets:
            socket.transport.abort()
        await asyncio.to_thread(wait_for, lambda: edge.desk.views == 0)


@pytest.mark.parametrize(
    ("who", "path", "wanted"),
    [
        (None, SOCKET, 401),
        ("manager_b", SOCKET, 404),
        ("regulator2", SOCKET, 404),
        ("manager_a", SOCKET.replace("cam-a1", "nothing"), 404),
    ],
)
async def test_who_may_not_see_the_camera_gets_no_socket(
    backend: Backend, who: str | None, path: str, wanted: int, caplog: pytest.LogCaptureFixture
) -> None:
    with edge_of(backend):
        browser = backend.client() if who is None else await asyncio.to_thread(backend.logged_in, who)
        for kind in ("fmp4", "mjpeg", "tracks"):
            with pytest.raises(InvalidStatus) as refusal:
                await opening(backend, browser, kind, path=path)
            assert refusal.value.response.status_code == wanted
    assert "without completing handshake" not in caplog.text  # the server has seen each answered
    assert audited(backend, "live_view_opened") == []


async def test_another_website_cannot_open_one_with_the_readers_cookie(backend: Backend) -> None:
    with edge_of(backend):
        browser = await asyncio.to_thread(backend.logged_in, "manager_a")
        with pytest.raises(InvalidStatus) as refusal:
            await opening(backend, browser, origin="https://elsewhere.example")
        assert refusal.value.response.status_code == 403


async def test_it_ends_with_the_session_and_opens_no_more(backend: Backend) -> None:
    with edge_of(backend):
        browser = await asyncio.to_thread(backend.logged_in, "manager_a")
        async with opening(backend, browser) as socket:
            await first(socket)
            await asyncio.to_thread(log_out, browser)
            async with asyncio.timeout(2):
                await socket.wait_closed()
        browser.cookies.set("kw_session", "of-yesterday")
        with pytest.raises(InvalidStatus) as refusal:
            await opening(backend, browser)
        assert refusal.value.response.status_code == 401


async def test_a_view_is_its_sessions_own_and_its_edges_own(backend: Backend) -> None:
    with edge_of(backend) as edge:
        owner = await asyncio.to_thread(backend.logged_in, "manager_a")
        viewer, answer = await watch(owner)
        where = answer.headers["location"]
        view_id = where.rpartition("/")[2]
        # the same person in another browser, and others
        for who, status in (("manager_a", 404), ("regulator", 404), ("manager_b", 404)):
            other = await asyncio.to_thread(backend.logged_in, who)
            patched = await asyncio.to_thread(other.patch, where, content="a=mid:0\r\n", headers=TRICKLE)
            assert patched.status_code == status
            await asyncio.to_thread(other.delete, where)
        # an edge that speaks of what is not its own
        async with connected(backend, "edge-2") as foreign:
            await foreign.hello()
            await foreign.say(ViewerEnded(view_id=view_id, reason="out of spite"))
            await foreign.say(ViewerAnswer(view_id=view_id, accepted=False, reason="out of spite"))
            await foreign.beat()
        assert len(backend.parts.live.views) == 1
        assert edge.desk.views == 1
        for _ in range(2):
            assert (await asyncio.to_thread(owner.delete, where)).status_code == 200
        assert (await asyncio.to_thread(owner.patch, where, content="", headers=TRICKLE)).status_code == 404
        await asyncio.to_thread(log_out, owner)
        assert (await asyncio.to_thread(owner.post, WHEP, content="v=0", headers=SDP)).status_code == 401
        await viewer.close()


async def test_another_edge_cannot_answer_an_offer(backend: Backend) -> None:
    owner = await asyncio.to_thread(backend.logged_in, "manager_a")
    async with connected(backend, "edge-1") as edge, connected(backend, "edge-2") as foreign:
        await edge.hello()
        await foreign.hello()
        asking = asyncio.create_task(asyncio.to_thread(owner.post, WHEP, content="v=0", headers=SDP))
        offer = await edge.hear()
        await foreign.say(ViewerAnswer(view_id=offer.view_id, accepted=True, sdp="v=0 foreign"))
        await foreign.beat()
        assert not asking.done()
        await edge.say(ViewerAnswer(view_id=offer.view_id, accepted=True, sdp="v=0 own"))
        assert (await asking).text == "v=0 own"


async def test_an_edge_that_sends_no_picture_makes_no_error(backend: Backend) -> None:
    owner = await asyncio.to_thread(backend.logged_in, "manager_a")
    async with connected(backend) as edge:
        await edge.hello()
        for data in ("%%%", "PGh0bWw+", "", "A"):
            for method, path, wanted in (
                ("GET", "/api/v1/cameras/cam-a1/live/picture", 204),
                ("POST", "/api/v1/cameras/cam-a1/live/snapshot", 409),
            ):
                asking = asyncio.create_task(asyncio.to_thread(owner.request, method, path))
                command = await edge.hear()
                answer = {"type": "command_answer", "command_id": str(command.command_id), "accepted": True}
                await edge.socket.send(json.dumps(answer | {"data": data}))
                assert (await asking).status_code == wanted


async def test_a_message_beyond_all_measure_ends_the_connection_and_nothing_else(backend: Backend) -> None:
    async with connected(backend) as edge:
        await edge.hello()
        await edge.say(ViewerEnded(view_id=uuid4(), reason="x" * 5_000_000))
        async with asyncio.timeout(10):
            await edge.socket.wait_closed()
    async with connected(backend) as edge:
        await edge.socket.send("[" * 100_000)
        await edge.hello()
