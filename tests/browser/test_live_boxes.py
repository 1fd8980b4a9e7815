"""Boxes over the live picture lie on what they mean, although the analysis knows of it only later."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kitchen_watch.clock import SystemClock
from kitchen_watch.edge.detect.detection import Box
from kitchen_watch.edge.pipeline import Seen
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.tracks import Track
from kitchen_watch.live.tracks import TrackFeed
from tests.backend.live.edges import Edge, edge_of
from tests.backend.support import Backend
from tests.browser.conftest import DESK
from tests.browser.test_live import PAGE, STATE, UDP_BLOCKED
from tests.edge.evidence.cameras import HEIGHT, RATE, WIDTH, camera

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

WALKER = 24
"""Pixels that the one who walks through the picture is wide."""
LAP = 40
"""Pictures after which it begins at the left again."""
STEP = (WIDTH - WALKER) // LAP
"""Pixels from one picture to the next."""
LOOK_EVERY = 2
"""Every second picture is analysed: five a second."""
ANALYSIS_S = 0.6
"""What the analysis takes: three of its own intervals, so that boxes drawn as they come are far off."""
INTERVAL_S = LOOK_EVERY / RATE
WATCHED_S = 5
LOOKS = 50
"""Positions read in that time where ten pictures a second are drawn; a busy machine is given longer."""

SAMPLE = """
(() => {
  const video = document.querySelector("[data-live-video]");
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: 1 });
  const pixels = canvas.getContext("2d", { willReadFrequently: true });
  window.kwSeen = [];
  const look = () => {
    requestAnimationFrame(look);
    const box = document.querySelector("[data-live-drawn] rect");
    if (!box || video.videoWidth !== canvas.width) return;
    pixels.drawImage(video, 0, video.videoHeight / 2, canvas.width, 1, 0, 0, canvas.width, 1);
    const { data } = pixels.getImageData(0, 0, canvas.width, 1);
    const white = [...Array(canvas.width).keys()].filter((x) => data[4 * x] > 128);
    if (!white.length) return;
    const middle = (white[0] + white[white.length - 1] + 1) / 2;
    window.kwSeen.push([middle, box.x.baseVal.value + box.width.baseVal.value / 2]);
  };
  look();
})()
"""
"""With every drawn frame of the page: where the walker is, in the picture's pixels, and where its box."""


def walking(number: int, width: int, height: int) -> Image:
    """A dark picture; the walker is white and as high as the picture."""
    image = np.full((height, width, 3), 40, np.uint8)
    left = number % LAP * STEP
    image[:, left : left + WALKER] = 235
    return image


@contextlib.contextmanager
def walked_through(edge: Edge) -> Iterator[None]:
    """The camera streams somebody who walks, and the analysis tells where, some time after."""
    live, clock = edge.cameras["cam-a1"], SystemClock()
    feed = live.tracks = TrackFeed(live.sub, clock)
    film = camera(LAP // RATE, keyframe_every=RATE, paint=walking)
    nothing = walking(0, 8, 8)
    stop = threading.Event()
    loop = edge.loop
    assert loop is not None

    def read() -> None:
        for number in itertools.count():
            moment = clock.now()
            seconds = number / RATE
            packet = replace(
                film.packets[number % LAP], pts=seconds, dts=seconds, captured_at=moment, received_at=moment
            )
            for sink in (live.main, live.sub):
                sink.packet(packet)
            if number % LOOK_EVERY == 0:
                left = number % LAP * STEP
                box = Box(left / WIDTH, 0.1, (left + WALKER) / WIDTH, 0.9)
                track = Track(3, "person", "person", 0.9, box, moment, moment, 5)
                frame = Frame("cam-a1", 0.0, moment, nothing, WIDTH, HEIGHT, full=lambda: nothing)
                seen = Seen(frame, (), (track,), ())
                loop.call_soon_threadsafe(loop.call_later, ANALYSIS_S, feed.saw, seen)
            if stop.wait(1 / RATE):
                return

    for sink in (live.main, live.sub):
        sink.opened(film.info)
    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for sink in (live.main, live.sub):
            sink.closed()


@pytest.mark.parametrize("blocked", ["", UDP_BLOCKED], ids=["direct", "by way of the server"])
def test_a_box_lies_on_the_one_it_means_within_one_interval_of_the_analysis(
    site: Backend, visit: Visit, blocked: str
) -> None:
    with edge_of(site, running=False) as edge, walked_through(edge):
        visitor = visit("regulator", size=DESK)
        visitor.page.add_init_script(blocked)
        visitor.go(PAGE)
        visitor.until(f"['webrtc', 'fmp4'].includes({STATE})", seconds=40)
        visitor.page.click("[data-live-boxes]")
        visitor.until("document.querySelectorAll('[data-live-drawn] rect').length === 1")
        visitor.page.evaluate(SAMPLE)
        visitor.page.wait_for_timeout(1000 * WATCHED_S)
        visitor.until(f"window.kwSeen.length >= {LOOKS}", seconds=60)
        seen = visitor.page.evaluate("window.kwSeen")
    lap = LAP * STEP
    late = [((picture - box + lap / 2) % lap - lap / 2) / (STEP * RATE) for picture, box in seen]
    # A box stays until the next analysed picture is shown: half an interval late on average, never more
    # than one; drawn as they come, boxes would be three intervals late.
    assert -INTERVAL_S / 2 <= statistics.median(late) <= INTERVAL_S, late
