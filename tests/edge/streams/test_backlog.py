"""Packets wait undecoded until a picture is due; what comes out for analysis is what always came out."""

from __future__ import annotations

from typing import cast

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.streams.backlog import ASLEEP_PACKETS, MOST_PACKETS, Backlog
from kitchen_watch.edge.streams.newest import NewestSlot
from kitchen_watch.edge.streams.pacing import Pacer
from kitchen_watch.edge.streams.picture import Scaler
from kitchen_watch.edge.streams.reader import Reader, ReadingPlan
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.edge.streams.status import Tally
from tests.edge.streams.films import Film, Showing, Taken, film
from tests.edge.streams.media import moving_box

FIT = (64, 48)


def read(shown: Film, *, rate: float) -> tuple[Taken, Showing, Tally]:
    """Everything that the camera shows, read to its end."""
    clock = ManualClock()
    camera, taken, tally = Showing(shown, clock), Taken(), Tally()
    plan = ReadingPlan("cam1", SourceSettings(url="rtsp://cam/1"), rate, FIT, (), True)
    reader = Reader(
        plan, open_video=camera, clock=clock, tally=tally, slot=cast("NewestSlot", taken), wake=lambda: None
    )
    reader.start()
    reader.join(20)
    assert reader.ended
    return taken, camera, tally


def decoded_one_by_one(shown: Film, *, rate: float) -> list[tuple[float, bytes]]:
    """What is due of the film if every packet is decoded at once."""
    pacer, scaler, due = Pacer(rate), Scaler(FIT), []
    camera = Showing(shown, ManualClock())
    zero = float(shown.packets[0].pts or 0) * float(shown.packets[0].time_base)
    for packet in shown.packets:
        for picture in camera.decode(packet) or []:
            pts = float((picture.pts or 0) * packet.time_base) - zero
            if pacer.due(pts):
                due.append((pts, scaler.scale(picture).tobytes()))
    return due


@pytest.mark.parametrize(
    ("codec", "gop", "reordered", "rate"),
    [
        ("libx264", 25, 0, 5.0),
        ("libx264", 12, 0, 5.0),
        ("libx264", 250, 0, 2.0),
        ("libx264", 12, 2, 5.0),
        ("mjpeg", 1, 0, 5.0),
    ],
)
def test_the_frames_for_analysis_are_the_same_as_if_all_were_decoded_at_once(
    codec: str, gop: int, reordered: int, rate: float
) -> None:
    shown = film(moving_box(60, (128, 96)), codec=codec, gop=gop, reordered=reordered)
    taken, _, tally = read(shown, rate=rate)
    expected = decoded_one_by_one(shown, rate=rate)
    assert tally.received == 60
    assert [(round(frame.pts, 6), frame.image.tobytes()) for frame in taken.frames] == [
        (round(pts, 6), picture) for pts, picture in expected
    ]


def test_what_a_keyframe_makes_superfluous_is_never_decoded() -> None:
    thirds = film(moving_box(60, (128, 96)), gop=13)
    _, camera, _ = read(thirds, rate=5)
    # Keyframes at 0, 13, 26, 39, 52; due are 0, 5, 10 ...: 11 and 12 wait for nothing, and so on.
    assert camera.tried < 60 - 2 - 4
    single = film(moving_box(60, (128, 96)), codec="mjpeg", gop=1)
    taken, camera, _ = read(single, rate=5)
    assert camera.tried == len(taken.frames) < 15


def test_a_group_that_is_needed_again_is_never_left_out() -> None:
    """Pictures shown in another order than they come may need what lies before a keyframe."""
    shown = film(moving_box(60, (128, 96)), gop=12, reordered=2)
    _, camera, tally = read(shown, rate=1)
    assert camera.tried + MOST_PACKETS >= tally.received
    backlog = Backlog()
    for packet in shown.packets:
        backlog.keep(packet, "h264", b"")
    assert 0 < len(backlog) <= 12, "asleep, nothing before the last keyframe is kept"


def test_a_group_too_long_to_be_kept_is_waited_out() -> None:
    shown = film(moving_box(30, (128, 96)), gop=250)
    first, *others = shown.packets
    backlog = Backlog()
    backlog.keep(first, "h264", bytes(first))
    for number in range(ASLEEP_PACKETS):
        backlog.keep(others[number % len(others)], "h264", b"")
    assert len(backlog) == 0
    assert backlog.put(others[0], "h264", b"", due=True) == [], "it could not be decoded"
    assert backlog.put(first, "h264", bytes(first), due=True) == [first]
