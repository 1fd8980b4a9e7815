"""Privacy and odd streams: one shared transcode, proved by pixels, and never the raw packets."""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
import time
from collections.abc import Iterator

import av
import numpy as np
import pytest

from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.streams.frame import Image
from kitchen_watch.errors import Conflict
from kitchen_watch.live.camera import LiveCamera
from kitchen_watch.live.fmp4 import Fragmenter
from kitchen_watch.live.relay import LivePacket, Relay
from kitchen_watch.live.session import ViewerSession
from kitchen_watch.live.transcode import TranscodedRelay
from tests.edge.evidence.cameras import HEIGHT, WIDTH, Camera, camera, number_in
from tests.live.peers import streaming, watching

pytestmark = pytest.mark.integration
LEFT_HALF = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]
OF = camera(10)


def masked(polygons: list[list[tuple[float, float]]] | None = None) -> LiveCamera:
    return LiveCamera("cam-1", has_sub=True, mask=PrivacyMask([LEFT_HALF] if polygons is None else polygons))


def is_black(picture: Image, x: float) -> bool:
    column = picture[:, int(x * picture.shape[1])]
    return bool(np.all(column < 12))


def check_masked(picture: Image) -> None:
    assert all(is_black(picture, x) for x in (0.02, 0.1, 0.25, 0.4, 0.48))
    assert not is_black(picture, 0.75)


def packets(relay: Relay, number: int, *, limit_s: float = 15.0) -> list[LivePacket]:
    woken = threading.Event()
    viewer = relay.subscribe(woken.set)
    taken: list[LivePacket] = []
    until = time.monotonic() + limit_s
    while len(taken) < number and time.monotonic() < until and not viewer.ended:
        packet = viewer.take()
        if packet is not None:
            taken.append(packet)
        else:
            woken.wait(0.05)
            woken.clear()
    viewer.close()
    return taken


def decoded(data: bytes, form: str = "h264") -> Iterator[Image]:
    with av.open(io.BytesIO(data), "r", format=form) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)


@pytest.mark.parametrize("quality", ["main", "sub"])
async def test_masked_camera_over_webrtc(quality: str) -> None:
    live = masked()
    with streaming(OF, live.main, live.sub, ahead=10):
        relay = live.relay("main" if quality == "main" else "sub")
        async with watching(ViewerSession(relay)) as viewer, asyncio.timeout(20):
            for _ in range(10):
                check_masked(await viewer.picture())
        live.close()


def test_masked_camera_as_fragmented_mp4() -> None:
    live = masked()
    with streaming(OF, live.main, live.sub, ahead=10):
        taken = packets(live.relay("sub"), 12)
        fragmenter = Fragmenter(taken[0])
        movie = fragmenter.initialisation + b"".join(
            fragment.data for packet in taken for fragment in fragmenter.add(packet)
        )
        fragmenter.close()
        live.close()
    pictures = list(decoded(movie, "mp4"))
    assert len(pictures) >= 10
    for picture in pictures:
        check_masked(picture)


def test_the_raw_packets_of_a_masked_camera_are_never_handed_out() -> None:
    live = masked()
    with streaming(OF, live.main, live.sub, ahead=10):
        raw = {packet.data for packet in OF.packets}
        for relay in (live.relay("main"), live.relay("sub")):
            assert isinstance(relay, TranscodedRelay)
            given = packets(relay, 5)
            assert given
            assert raw.isdisjoint(packet.data for packet in given)
        live.close()


def test_what_cannot_be_masked_is_shown_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_mask: PrivacyMask, _planes: object) -> None:
        raise ValueError("no mask")

    monkeypatch.setattr(PrivacyMask, "burn_yuv420", broken)
    live = masked()
    with streaming(OF, live.main, live.sub, ahead=10):
        assert packets(live.relay("main"), 1, limit_s=1.5) == []
        live.close()


def transcode_of(of: Camera) -> list[Image]:
    live = masked([])
    with streaming(of, live.main, live.sub, ahead=45):
        relay = live.relay("main")
        assert isinstance(relay, TranscodedRelay)
        pictures = list(decoded(b"".join(packet.data for packet in packets(relay, 8))))
        live.close()
    return pictures


@pytest.mark.parametrize("codec", ["libx265", "libx264"])
def test_h265_and_b_frames_are_transcoded_at_the_size_of_a_sub_stream(codec: str) -> None:
    of = camera(6, codec=codec, reordered=codec == "libx264", size=(1280, 720))
    pictures = transcode_of(of)
    assert len(pictures) >= 6
    assert {picture.shape[:2] for picture in pictures} == {(360, 640)}


def test_one_transcode_serves_three_viewers_and_ends_after_the_last() -> None:
    source = Relay()
    relay = TranscodedRelay(source, PrivacyMask(), linger_s=0.2)
    with streaming(OF, source, ahead=10):
        assert not relay.running
        threads = [threading.Thread(target=packets, args=(relay, 10)) for _ in range(3)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 10
        while relay.viewers < 3 and time.monotonic() < until:
            time.sleep(0.01)
        assert source.viewers == 1
        for thread in threads:
            thread.join()
        relay.join(10)
        assert not relay.running
        assert source.viewers == 0


async def test_an_h265_camera_plays_for_three_viewers_through_one_transcode() -> None:
    of = camera(10, codec="libx265")
    live = masked([])
    with streaming(of, live.main, live.sub, ahead=10):
        relay = live.relay("main")
        async with contextlib.AsyncExitStack() as stack, asyncio.timeout(30):
            viewers = [
                await stack.enter_async_context(watching(ViewerSession(live.relay("main")))) for _ in range(3)
            ]
            for viewer in viewers:
                numbers = [number_in(await viewer.picture()) for _ in range(8)]
                assert len(set(numbers)) > 4  # it moves
            assert (relay.viewers, live.sub.viewers) == (3, 1)
        live.close()


def test_unmasked_h264_passes_as_it_is_and_a_camera_that_is_away_is_refused() -> None:
    live = masked([])
    with pytest.raises(Conflict, match="no picture"):
        live.relay("sub")
    with streaming(OF, live.main, live.sub, ahead=10):
        assert live.relay("main") is live.main
        assert live.relay("sub") is live.sub
        group = live.relay("sub").group()
        assert [packet.data for packet in group] == [packet.data for packet in OF.packets[: len(group)]]
        assert (WIDTH, HEIGHT) == (320, 192)
    with pytest.raises(Conflict, match="no picture"):
        live.relay("sub")
