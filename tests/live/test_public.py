"""The public's picture: faces hidden, proved by pixels; where nobody knows where faces are, all is hidden."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from kitchen_watch.clock import ManualClock
from kitchen_watch.control import WHOLLY_HIDDEN
from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo
from kitchen_watch.edge.streams.parameter_sets import parameter_sets
from kitchen_watch.live.camera import LiveCamera
from kitchen_watch.live.faces import HELD, REACH, Sightings, hide_bgr
from kitchen_watch.live.fmp4 import Fragmenter
from kitchen_watch.live.public import DELAY, Held, PublicPictures
from kitchen_watch.live.relay import LivePacket, Relay
from tests.edge.evidence.cameras import START, at
from tests.live.test_masked import check_masked, decoded

WIDTH, HEIGHT, RATE, SECONDS = 640, 384, 10, 9
FACE_SIZE = (0.12, 0.2)


def face_at(seconds: float) -> Box:
    """A head that walks from left to right, half a picture in nine seconds."""
    left = 0.1 + 0.055 * seconds
    return Box(left, 0.25, left + FACE_SIZE[0], 0.25 + FACE_SIZE[1])


def stripes(image: Image, box: Box) -> float:
    """How strongly neighbouring columns differ inside a box: what is left of fine detail."""
    height, width = image.shape[:2]
    part = image[
        round(box.y1 * height) : round(box.y2 * height), round(box.x1 * width) : round(box.x2 * width), 1
    ]
    return float(np.abs(np.diff(part.astype(int), axis=1)).mean())


def scene(seconds: float) -> Image:
    """A grey room with a striped face and a striped poster far from it."""
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for box in (face_at(seconds), POSTER):
        columns = slice(round(box.x1 * WIDTH), round(box.x2 * WIDTH))
        rows = slice(round(box.y1 * HEIGHT), round(box.y2 * HEIGHT))
        image[rows, columns] = np.where(np.arange(columns.stop - columns.start) // 8 % 2, 235, 20)[:, None]
    return image


POSTER = Box(0.8, 0.75, 0.95, 0.95)


@lru_cache
def room() -> tuple[VideoInfo, tuple[StreamPacket, ...]]:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.time_base, context.framerate, context.gop_size = Fraction(1, RATE), Fraction(RATE), 20
    context.options = {"tune": "zerolatency", "preset": "ultrafast", "profile": "baseline", "crf": "12"}
    packets = []
    for number in range(SECONDS * RATE):
        frame = av.VideoFrame.from_ndarray(scene(number / RATE), format="bgr24")
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        for made in context.encode(frame):
            moment, second = at(number / RATE), number / RATE
            packets.append(
                StreamPacket(
                    second, second, Fraction(1, 90_000), bytes(made), bool(made.is_keyframe), moment, moment
                )
            )
    extradata = parameter_sets("h264", packets[0].data)
    return VideoInfo("h264", WIDTH, HEIGHT, extradata, Fraction(RATE), Fraction(1, 90_000)), tuple(packets)


def camera(*, masked: bool = False) -> LiveCamera:
    left_half = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]
    return LiveCamera("cam-1", has_sub=False, mask=PrivacyMask([left_half] if masked else []))


def shown(
    live: LiveCamera, analyse: Callable[[float], bool], finds: Callable[[float], bool] = lambda _: True
) -> list[tuple[float, Image]]:
    """What the public sees, each picture with the second of the scene.

    ``analyse`` says which moments were looked at, ``finds`` in which of them the model found the face.
    Everything passes through real packets, in the order in which a camera gives them.
    """
    info, packets = room()
    live.main.opened(info)
    live.main.packet(packets[0])
    relay, woken = live.relay("sub", "public"), threading.Event()
    viewer = relay.subscribe(woken.set)
    taken: list[LivePacket] = []

    def take(*, until: int = 0) -> None:
        """Take what is there; wait for ``until`` packets, and until the transcode has caught up."""
        for _ in range(2000):
            while (packet := viewer.take()) is not None:
                taken.append(packet)
            if len(taken) >= until and not any(one.pending for one in live.main._viewers):
                return
            woken.wait(0.005)
            woken.clear()

    take(until=2)  # all hidden, at once
    for number, packet in enumerate(packets[1:], 1):
        second = number / RATE
        if analyse(second):
            found = [Detection("no_hat", 0.7, face_at(second))] if finds(second) else []
            live.sightings.note(at(second), found)
        live.main.packet(packet)
        take()
    take(until=2 + round((SECONDS - DELAY.total_seconds()) * RATE))
    live.close()
    fragmenter = Fragmenter(taken[0])
    movie = fragmenter.initialisation + b"".join(f.data for p in taken for f in fragmenter.add(p))
    fragmenter.close()
    pictures = list(decoded(movie, "mp4"))
    assert len(pictures) >= 2 + (SECONDS - DELAY.total_seconds() - 1) * RATE
    return [(0.0, picture) for picture in pictures[:2]] + [
        (number / RATE, picture) for number, picture in enumerate(pictures[2:])
    ]


VISIBLE, GONE = 15.0, 4.0


@pytest.mark.integration
def test_a_walking_face_is_hidden_in_every_picture_and_the_room_is_not() -> None:
    pictures = shown(camera(), lambda second: round(second * RATE) % 2 == 0)  # five times a second
    for second, picture in pictures[2 + 8 :]:
        assert picture.shape[:2] == (270, 450)
        assert stripes(scene(second), face_at(second)) > VISIBLE
        assert stripes(picture, face_at(second)) < GONE, second
        assert stripes(picture, POSTER) > VISIBLE, second


@pytest.mark.integration
def test_a_face_missed_by_the_model_for_a_moment_stays_hidden() -> None:
    pictures = shown(camera(), lambda _: True, lambda second: round(second * RATE) % 20 == 0)
    for second, picture in pictures[2 + 8 :]:
        # Where two hidden boxes meet there is an edge; the face's own stripes are five times as strong.
        assert stripes(picture, face_at(second)) < 2 * GONE < stripes(scene(second), face_at(second)) / 3


@pytest.mark.integration
@pytest.mark.parametrize("analysed_until", [0.0, 1.5])
def test_where_the_analysis_lags_or_fails_everything_is_hidden(analysed_until: float) -> None:
    pictures = shown(camera(), lambda second: second <= analysed_until)
    late = [entry for entry in pictures[2:] if entry[0] > analysed_until]
    assert len(late) > 10
    for second, picture in late:
        assert stripes(picture, face_at(second)) < GONE, second
        assert stripes(picture, POSTER) < GONE, second


@pytest.mark.integration
def test_the_first_picture_comes_at_once_and_shows_nothing_yet() -> None:
    for _, picture in shown(camera(), lambda _: True)[:2]:
        assert stripes(picture, face_at(0)) < GONE
        assert stripes(picture, POSTER) < GONE


@pytest.mark.integration
def test_privacy_areas_are_covered_for_the_public_too() -> None:
    for _, picture in shown(camera(masked=True), lambda _: True):
        check_masked(picture)


def test_the_head_of_a_person_is_hidden_even_where_no_head_was_found() -> None:
    sightings = Sightings()
    person = Box(0.4, 0.2, 0.6, 0.95)
    for second in (0.0, 0.4):
        sightings.note(at(second), [Detection("person", 0.4, person, firm=False)])
    (hidden,) = sightings.hidden_at(at(0.2)) or ()
    assert hidden.y1 < 0.2
    assert 0.45 < hidden.y2 < 0.6
    image = np.zeros((100, 100, 3), np.uint8)
    image[:, ::2] = 255
    hide_bgr(image, [hidden])
    assert stripes(image, Box(0.42, 0.22, 0.58, 0.45)) < GONE
    assert stripes(image, Box(0.42, 0.7, 0.58, 0.9)) > 200


def test_knowing_only_what_was_before_is_not_enough() -> None:
    sightings = Sightings()
    sightings.note(at(1.0), [])
    assert sightings.hidden_at(at(1.0)) == ()
    assert sightings.hidden_at(at(1.1)) is None  # what comes after it has not been looked at
    sightings.note(at(1.2), [Detection("mask", 0.9, Box(0.1, 0.1, 0.2, 0.2))])
    assert len(sightings.hidden_at(at(1.1)) or ()) == 1
    assert sightings.hidden_at(None) is None
    sightings.note(at(0.5), [])  # the clock was set back
    assert sightings.hidden_at(at(1.1)) is None


def packets(*seconds: float, keyframes: set[int], size: int = 10) -> Iterator[LivePacket]:
    for number, second in enumerate(seconds):
        yield LivePacket(second, bytes(size), number in keyframes, at(second))


def test_packets_are_held_by_the_time_they_were_captured_and_never_without_bound() -> None:
    held = Held(timedelta(seconds=2), most_bytes=35)
    given = [[p.seconds for p in held.put(packet)] for packet in packets(0, 1, 2, 2.5, keyframes={0})]
    assert given == [[], [], [0], []]
    held.clear()
    crowd = [held.put(p) for p in packets(0, 0.1, 0.2, 0.3, 0.4, 3, 6, keyframes={0, 5, 6})]
    assert [p.seconds for due in crowd for p in due] == [
        0,
        0.1,
        0.2,
        3,
    ]


def test_pictures_for_the_public_are_late_and_taken_only_while_somebody_asks() -> None:
    clock = ManualClock(START)
    sightings = Sightings()
    pictures = PublicPictures(PrivacyMask(), sightings, clock)
    see(pictures, sightings, clock.now())
    assert pictures.newest() is None  # nobody had asked
    for second in range(10):
        see(pictures, sightings, clock.now())
        clock.advance(1.0)
        content = pictures.newest()
        if second == 0:
            continue  # the first question only begins it
        assert content is not None
        image = np.asarray(Pillow.open(io.BytesIO(content)), dtype=np.uint8)
        assert stripes(image, face_at(0)) < GONE
        # the rest of the room is shown once a picture is late enough
        filled = timedelta(seconds=second + 1) >= DELAY
        assert (stripes(image, POSTER) > VISIBLE) == filled, second
        assert (WHOLLY_HIDDEN in content) != filled  # and a stranger is told why


def see(pictures: PublicPictures, sightings: Sightings, moment: datetime) -> None:
    image = scene(0)
    pictures.saw(Frame("cam-1", 0.0, moment, image, WIDTH, HEIGHT, full=lambda: image))
    sightings.note(moment, [Detection("no_mask", 0.8, face_at(0))])


def test_reach_is_longer_than_the_pause_between_two_analysed_frames() -> None:
    assert timedelta(seconds=1 / 5) < REACH < HELD < DELAY


def test_the_plain_variant_of_the_same_camera_is_the_cameras_own() -> None:
    live = camera()
    info, of = room()
    live.main.opened(info)
    live.main.packet(of[0])
    assert live.relay("main") is live.main
    assert isinstance(live.relay("main", "public"), Relay)
    assert live.relay("main", "public") is not live.main
    live.close()
