"""Real WebRTC on loopback: pictures arrive undecoded and at once, and sessions leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import re
import weakref
from datetime import timedelta

import pytest

from kitchen_watch.errors import InvalidRequest
from kitchen_watch.live.relay import Relay
from kitchen_watch.live.session import ViewerSession
from tests.edge.evidence.cameras import camera, number_in
from tests.live.peers import Viewer, streaming, watching

pytestmark = pytest.mark.integration
LONG = camera(20, keyframe_every=100)


async def test_the_first_picture_is_the_present_one_though_its_keyframe_is_long_past() -> None:
    relay = Relay()
    with streaming(LONG, relay, ahead=90):  # the last keyframe is 9 s old, the next one 1 s away
        session = ViewerSession(relay)
        async with watching(session) as viewer:
            async with asyncio.timeout(10):
                seen = number_in(await viewer.picture())
                while seen < 88:  # the squeezed group runs through at once
                    seen = number_in(await viewer.picture())
            assert session.connected
            assert seen < len(relay.group()) + 1


async def test_what_arrives_is_what_the_camera_sent() -> None:
    relay = Relay()
    of = camera(10, keyframe_every=20)
    with streaming(of, relay, ahead=25):
        async with watching(ViewerSession(relay)) as viewer:
            async with asyncio.timeout(10):
                numbers = [number_in(await viewer.picture()) for _ in range(15)]
    assert numbers == list(range(numbers[0], numbers[0] + 15))
    assert numbers[0] % 20 == 0


async def test_a_viewer_waits_through_an_outage_and_goes_on_in_the_same_session() -> None:
    relay = Relay()
    of = camera(10)
    async with watching(ViewerSession(relay)) as viewer:
        for _ in range(2):
            with streaming(of, relay, ahead=5):
                async with asyncio.timeout(10):
                    await viewer.picture()
    assert relay.viewers == 0


@pytest.mark.parametrize("profile", ["42e01f", "42001f", "4d001f", "64001f"])
async def test_the_answer_names_the_profile_that_the_browser_offered(profile: str) -> None:
    relay = Relay()
    with streaming(camera(10), relay, ahead=5):
        session, viewer = ViewerSession(relay), Viewer()
        answered = await session.answer(_browser_offer(await viewer.offer(), profile))
        await session.close()
        await viewer.close()
    assert f"profile-level-id={profile}" in answered.lower()
    assert "a=sendonly" in answered
    assert "VP8" not in answered


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda sdp: "m=nonsense", "no SDP"),
        (lambda sdp: sdp + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\n", "no sound"),
        (lambda sdp: sdp.replace("a=recvonly", "a=sendonly"), "receive video"),
        (lambda sdp: sdp.replace("H264/90000", "AV1/90000"), "no H.264"),
        (lambda sdp: sdp + "x" * 70_000, "too long"),
        # cut off in the middle: each of these lets the library raise something else
        (lambda sdp: re.sub("a=group:.*", "a=group", sdp), "no SDP"),
        (lambda sdp: re.sub("a=rtpmap:.*", "a=rtpmap", sdp, count=1), "no SDP"),
        (lambda sdp: re.sub("a=candidate:.*", "a=candidate", sdp, count=1), "no SDP"),
        (lambda sdp: re.sub("a=fmtp:(.*) apt=.*", r"a=fmtp:\1", sdp), "no SDP"),
        (lambda sdp: sdp.replace("a=fmtp:98 apt=97", "a=fmtp:98 apt=97=98"), "no SDP"),
        (lambda sdp: sdp.replace("a=ice-ufrag", "a=x-ufrag"), "cannot be used"),
    ],
)
async def test_offers_that_cannot_be_used_are_refused_in_words(change: object, said: str) -> None:
    assert callable(change)
    viewer = Viewer()
    ends: list[str] = []
    session = ViewerSession(Relay(), on_end=ends.append)
    with pytest.raises(InvalidRequest, match=said):
        await session.answer(change(await viewer.offer()))
    await viewer.close()
    assert len(ends) == 1


async def test_a_viewer_who_never_connects_is_given_up() -> None:
    ends: list[str] = []
    relay = Relay()
    session = ViewerSession(relay, on_end=ends.append, connect_limit=timedelta(seconds=0.2))
    viewer = Viewer()
    await session.answer(await viewer.offer())  # never accepted
    async with asyncio.timeout(10):
        while not ends:
            await asyncio.sleep(0.05)
    await viewer.close()
    assert ends == ["no connection to the viewer came about"]


async def test_a_viewer_who_goes_away_and_a_camera_that_is_removed_end_the_session() -> None:
    of = camera(10)
    for leave in ("viewer", "camera"):
        relay = Relay()
        ends: list[str] = []
        session = ViewerSession(relay, on_end=ends.append)
        with streaming(of, relay, ahead=5):
            async with watching(session) as viewer:
                async with asyncio.timeout(20):
                    await viewer.picture()
                    assert relay.viewers == 1
                    await (viewer.close() if leave == "viewer" else asyncio.to_thread(relay.end))
                    while relay.viewers or not ends:
                        await asyncio.sleep(0.05)


async def test_candidates_may_come_later_and_bad_ones_are_refused() -> None:
    session, viewer = ViewerSession(Relay()), Viewer()
    await session.answer(await viewer.offer())
    await session.add_candidates(
        "a=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"
        "a=candidate:2 1 udp 2130706431 abc.local 9 typ host\r\na=end-of-candidates\r\n"
    )
    with pytest.raises(InvalidRequest, match="cannot be read"):
        await session.add_candidates("a=candidate:nonsense\r\n")
    await session.add_candidates("a=mid:7\r\na=candidate:1 1 udp 2130706431 10.0.0.7 9 typ host\r\n")
    with pytest.raises(InvalidRequest, match="too many"):
        await session.add_candidates("a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n" * 70)
    await session.close()
    await viewer.close()


async def test_sessions_that_are_over_are_forgotten() -> None:
    relay = Relay()
    left: list[weakref.ref[ViewerSession]] = []
    tasks = len(asyncio.all_tasks())
    with streaming(camera(10), relay, ahead=5):
        for _ in range(5):
            session = ViewerSession(relay)
            left.append(weakref.ref(session))
            async with watching(session) as viewer, asyncio.timeout(10):
                await viewer.picture()
            del session, viewer
    await asyncio.sleep(0.1)
    gc.collect()
    assert [one for one in left if one() is not None] == []
    assert relay.viewers == 0
    assert len(asyncio.all_tasks()) <= tasks + 1


def _browser_offer(sdp: str, profile: str) -> str:
    """The offer as a browser would write it that knows H.264 in one profile only."""
    return sdp.replace("profile-level-id=42001f", f"profile-level-id={profile}").replace(
        "profile-level-id=42e01f", f"profile-level-id={profile}"
    )
