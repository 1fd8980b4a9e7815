"""Watching through the backend: who may, by which way, how it is written down, and how it ends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.live.routes import BOUNDARY
from kitchen_watch.backend.organisations.tables import PremisesOfficialRow
from kitchen_watch.clock import SystemClock
from tests.backend.live.edges import Edge, edge_of, picture_in
from tests.backend.support import Backend, running
from tests.live.peers import Viewer
from tests.live.test_masked import check_masked, decoded, is_black

pytestmark = pytest.mark.integration
SDP = {"content-type": "application/sdp"}
WHEP = "/api/v1/cameras/cam-a1/whep"


def audited(backend: Backend, action: str) -> list[AuditRow]:
    with backend.parts.database.read() as session:
        return list(session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.id)))


def wait_for(condition: Callable[[], Any], *, seconds: float = 10) -> float:
    """How long it took until ``condition`` held."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
    return time.monotonic() - began


async def watch(browser: httpx.Client, path: str = WHEP) -> tuple[Viewer, httpx.Response]:
    viewer = Viewer()
    offer = await viewer.offer()
    answer = await asyncio.to_thread(browser.post, path, content=offer, headers=SDP)
    if answer.status_code == 201:
        await viewer.accept(answer.text)
    return viewer, answer


async def test_offer_picture_candidates_and_end_all_written_down(backend: Backend) -> None:
    with edge_of(backend) as edge:
        browser = backend.logged_in("regulator")
        viewer, answer = await watch(browser, f"{WHEP}?purpose=patrol&quality=main")
        assert answer.status_code == 201, answer.text
        assert answer.headers["content-type"].startswith("application/sdp")
        async with asyncio.timeout(10):
            assert (await viewer.picture()).shape == (192, 320, 3)
        where = answer.headers["location"]
        trickle = {"content-type": "application/trickle-ice-sdpfrag"}
        later = await asyncio.to_thread(
            browser.patch, where, content="a=mid:0\r\na=end-of-candidates\r\n", headers=trickle
        )
        assert later.status_code == 204
        foreign = await asyncio.to_thread(backend.logged_in("official_a").delete, where)
        assert (foreign.status_code, edge.desk.views) == (200, 1)  # nothing of theirs, nothing ends
        assert (await asyncio.to_thread(browser.delete, where)).status_code == 200
        await asyncio.to_thread(wait_for, lambda: edge.desk.views == 0)
        assert (await asyncio.to_thread(browser.delete, where)).status_code == 200
        await viewer.close()
    (opened,), (ended,) = audited(backend, "live_view_opened"), audited(backend, "live_view_ended")
    assert opened.object_id == ended.object_id == "cam-a1"
    assert opened.person_id == ended.person_id
    assert (opened.purpose, opened.facts["kind"], opened.facts["quality"]) == ("patrol", "webrtc", "main")
    assert ended.facts["view"] == opened.facts["view"]
    assert ended.facts["reason"] == "the viewer stopped"
    assert ended.facts["seconds"] >= 0


def test_who_may_not_see_a_camera_may_not_watch_it_by_any_way(backend: Backend) -> None:
    paths = (
        ("GET", "/api/v1/cameras/cam-a1/live"),
        ("GET", "/api/v1/cameras/cam-a1/live.mp4"),
        ("GET", "/api/v1/cameras/cam-a1/live.mjpeg"),
        ("GET", "/api/v1/cameras/cam-a1/live/picture"),
        ("POST", WHEP),
        ("PATCH", f"{WHEP}/00000000-0000-0000-0000-000000000000"),
        ("DELETE", f"{WHEP}/00000000-0000-0000-0000-000000000000"),
    )
    with edge_of(backend):
        for who, wanted in ((None, 401), ("manager_b", 404), ("regulator2", 404), ("supervisor2", 404)):
            browser = backend.client() if who is None else backend.logged_in(who)
            for method, path in paths:
                answer = browser.request(method, path, content="v=0", headers=SDP if method != "GET" else {})
                assert answer.status_code == wanted, (who, method, path, answer.text)
        assert len(backend.parts.live.views) == 0
    assert audited(backend, "live_view_opened") == []


def test_an_offer_without_the_session_token_is_not_carried_out(backend: Backend) -> None:
    browser = backend.logged_in("manager_a")
    del browser.headers["x-csrf-token"]
    assert browser.post(WHEP, content="v=0", headers=SDP).status_code == 403


def forget_official(backend: Backend) -> None:
    with backend.parts.database.write() as session:
        session.execute(update(PremisesOfficialRow).values(until_at=backend.clock.now()))


def log_out(browser: httpx.Client) -> None:
    assert browser.delete("/api/v1/session").status_code in {200, 204}


@pytest.mark.parametrize("how", ["right", "session"])
async def test_a_right_or_session_that_ends_ends_running_views_within_two_seconds(
    backend: Backend, how: str
) -> None:
    with edge_of(backend) as edge:
        browser = backend.logged_in("official_a")
        stranger = backend.logged_in("manager_a")
        viewer, answer = await watch(browser)
        assert answer.status_code == 201, answer.text
        other, _ = await watch(stranger)
        stream_ended = threading.Event()
        started = threading.Event()

        def follow() -> None:
            with browser.stream("GET", "/api/v1/cameras/cam-a1/live.mp4") as stream:
                for _ in stream.iter_raw():
                    started.set()
            stream_ended.set()

        thread = threading.Thread(target=follow)
        thread.start()
        async with asyncio.timeout(10):
            await viewer.picture()
            await other.picture()
        assert await asyncio.to_thread(started.wait, 10)
        assert edge.desk.views == 3
        began = time.monotonic()
        if how == "right":
            await asyncio.to_thread(forget_official, backend)
        else:
            await asyncio.to_thread(log_out, backend_copy(backend, browser))
        await asyncio.to_thread(wait_for, lambda: edge.desk.views == 1 and stream_ended.is_set(), seconds=2)
        assert time.monotonic() - began < 2
        thread.join(5)
        async with asyncio.timeout(10):
            await other.picture()  # whose right goes on goes on watching
        await viewer.close()
        await other.close()
    reasons = {row.facts["reason"] for row in audited(backend, "live_view_ended")}
    assert "the right to watch has ended" in reasons


def backend_copy(backend: Backend, browser: httpx.Client) -> httpx.Client:
    """The same session from another connection."""
    twin = backend.client()
    twin.cookies.update(browser.cookies)
    twin.headers["x-csrf-token"] = browser.headers["x-csrf-token"]
    return twin


def read_stream(browser: httpx.Client, path: str, enough: Callable[[bytes], bool]) -> tuple[str, bytes]:
    content = b""
    with browser.stream("GET", path) as stream:
        assert stream.status_code == 200, stream.read()
        for chunk in stream.iter_raw():
            content += chunk
            if enough(content):
                break
    return stream.headers["content-type"], content


@pytest.mark.parametrize("masked", [False, True])
def test_fragmented_mp4_plays_and_is_masked(backend: Backend, *, masked: bool) -> None:
    with edge_of(backend, masked=masked) as edge:
        browser = backend.logged_in("manager_a")
        kind, movie = read_stream(
            browser, "/api/v1/cameras/cam-a1/live.mp4", lambda content: content.count(b"moof") > 12
        )
        assert kind.startswith('video/mp4; codecs="avc1.')
        whole = movie[: movie.rindex(b"moof") - 4]
        pictures = list(decoded(whole, "mp4"))
        assert len(pictures) >= 10
        for shown in pictures:
            if masked:
                check_masked(shown)
            else:
                assert not is_black(shown, 0.25)
        wait_for(lambda: edge.desk.views == 0)
        wait_for(lambda: len(backend.parts.live.views) == 0)


def test_pictures_come_one_a_second_and_are_masked(backend: Backend) -> None:
    with edge_of(backend, masked=True) as edge:
        kind, content = read_stream(
            backend.logged_in("manager_a"),
            "/api/v1/cameras/cam-a1/live.mjpeg",
            lambda content: content.count(BOUNDARY.encode()) >= 2,
        )
        assert kind == f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        head, _, rest = content.partition(b"\r\n\r\n")
        length = int(head.split(b"content-length: ")[1])
        check_masked(picture_in(rest[:length]))
        wait_for(lambda: edge.desk.views == 0)


def test_two_viewers_share_one_push_and_the_second_begins_at_once(backend: Backend) -> None:
    with edge_of(backend) as edge:
        first, second = backend.logged_in("manager_a"), backend.logged_in("regulator")
        with first.stream("GET", "/api/v1/cameras/cam-a1/live.mp4") as stream:
            chunks = stream.iter_raw()  # kept: the connection is closed with it
            next(chunks)
            _, movie = read_stream(
                second, "/api/v1/cameras/cam-a1/live.mp4", lambda content: content.count(b"moof") > 3
            )
            assert movie[4:8] == b"ftyp"
            assert edge.desk.views == 1
            assert len(backend.parts.live.pushes) == 1
        wait_for(lambda: edge.desk.views == 0)


def test_an_edge_that_is_away_or_a_camera_without_picture_is_said_in_words(backend: Backend) -> None:
    browser = backend.logged_in("manager_a")
    answer = browser.post(WHEP, content="v=0", headers=SDP)
    assert (answer.status_code, "not connected" in answer.json()["detail"]) == (409, True)
    with edge_of(backend, running=False):
        for method, path in (("POST", WHEP), ("GET", "/api/v1/cameras/cam-a1/live.mp4")):
            answer = browser.request(method, path, content="v=0", headers=SDP)
            assert (answer.status_code, "no picture" in answer.json()["detail"]) == (409, True), answer.text
        assert browser.get("/api/v1/cameras/cam-a1/live/picture").status_code == 204
    assert len(backend.parts.live.views) == 0
    assert len(audited(backend, "live_view_opened")) == len(audited(backend, "live_view_ended"))


def test_bodies_that_are_no_sdp_are_refused(backend: Backend) -> None:
    browser = backend.logged_in("manager_a")
    assert browser.post(WHEP, content="v=0", headers={"content-type": "text/plain"}).status_code == 422
    assert browser.post(WHEP, content="x" * 70_000, headers=SDP).status_code == 422
    with edge_of(backend):
        answer = browser.post(WHEP, content="nonsense", headers=SDP)
        assert (answer.status_code, "there is no sound" in answer.json()["detail"]) == (409, True)


def test_how_a_camera_is_and_whether_it_can_be_watched(tmp_path: Any) -> None:
    with running(tmp_path, clock=SystemClock()) as backend, edge_of(backend) as edge:
        browser = backend.logged_in("manager_a")
        wait_for(lambda: browser.get("/api/v1/cameras/cam-a1/live").json()["playable"])
        tell_away(edge)
        wait_for(lambda: not browser.get("/api/v1/cameras/cam-a1/live").json()["playable"])
        assert browser.get("/api/v1/cameras/cam-a1/live").json()["state"] == "offline"


def tell_away(edge: Edge) -> None:
    edge.away = True


def test_one_person_cannot_open_views_without_end(tmp_path: Any) -> None:
    with running(tmp_path, live={"views_per_person": 1}) as backend, edge_of(backend):
        browser = backend.logged_in("manager_a")
        with browser.stream("GET", "/api/v1/cameras/cam-a1/live.mp4") as stream:
            chunks = stream.iter_raw()  # kept: the connection is closed with it
            next(chunks)
            with backend.logged_in("manager_a").stream("GET", "/api/v1/cameras/cam-a1/live.mp4") as refused:
                assert refused.status_code == 409
                assert b"already watch" in refused.read()
