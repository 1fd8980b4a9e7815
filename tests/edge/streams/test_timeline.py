"""When a packet was captured: anchored, drifting, missing, jumping and standing still timestamps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.streams.timeline import Moment, Timeline


class Camera:
    """Sends packets with any timestamps at any time."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.timeline = Timeline(self.clock)
        self.started_at = self.clock.now()

    def packet(self, stamp: float | None, *, after: float = 0.0, dts: float | None = None) -> Moment:
        self.clock.advance(after)
        return self.timeline.place(stamp, stamp if dts is None else dts)

    def seconds(self, moment: Moment) -> float:
        return (moment.captured_at - self.started_at).total_seconds()


def test_stream_time_counts_from_the_first_packet_wherever_the_camera_begins() -> None:
    camera = Camera()
    assert camera.packet(8000.0).pts == 0.0
    moment = camera.packet(8000.04, after=0.04)
    assert moment.pts == pytest.approx(0.04)
    assert camera.seconds(moment) == pytest.approx(0.04)
    assert not moment.discontinuity


def test_delay_on_the_network_does_not_shake_captured_at() -> None:
    camera = Camera()
    camera.packet(0.0)
    late = camera.packet(0.04, after=1.5)
    burst = camera.packet(0.08)
    assert camera.seconds(late) == pytest.approx(0.04)
    assert camera.seconds(burst) == pytest.approx(0.08)
    assert late.received_at - late.captured_at == timedelta(seconds=1.46)
    assert camera.timeline.lag.total_seconds() == pytest.approx(1.42)


def test_a_late_first_packet_is_corrected_by_the_burst_after_it() -> None:
    camera = Camera()
    for index in range(50):  # two seconds of packets arrive at once when the stream opens
        camera.packet(index / 25)
    moment = camera.packet(2.04, after=0.04)
    assert moment.captured_at == moment.received_at
    assert not moment.discontinuity


@pytest.mark.parametrize("skew", [0.9995, 1.0005])
def test_a_camera_clock_that_drifts_is_followed(skew: float) -> None:
    camera = Camera()
    moment = camera.packet(0.0)
    for index in range(1, 3600 * 2):
        moment = camera.packet(index * 0.5 * skew, after=0.5)
        assert not moment.discontinuity
    assert moment.received_at - moment.captured_at < timedelta(seconds=0.2)


def test_missing_timestamps_at_the_start_do_not_count_as_a_jump() -> None:
    camera = Camera()
    assert camera.packet(None).pts == 0.0
    assert camera.packet(None, after=0.04).pts == pytest.approx(0.04)
    first = camera.packet(95000.0, after=0.04)
    assert first.pts == pytest.approx(0.08)
    assert not first.discontinuity
    assert camera.packet(95000.04, after=0.04).pts == pytest.approx(0.12)


def test_a_missing_timestamp_in_between_is_filled_in() -> None:
    camera = Camera()
    camera.packet(10.0)
    assert camera.packet(None, after=0.04).pts == pytest.approx(0.04)
    assert camera.packet(10.08, after=0.04).pts == pytest.approx(0.08)


@pytest.mark.parametrize("target", [3.0, 90_000.0])
def test_a_jump_of_the_cameras_clock_is_marked_and_time_goes_on(target: float) -> None:
    camera = Camera()
    camera.packet(5000.0)
    camera.packet(5000.04, after=0.04)
    jump = camera.packet(target, after=0.04)
    assert jump.discontinuity
    assert jump.pts == pytest.approx(0.08)
    assert camera.seconds(jump) == pytest.approx(0.08)
    after = camera.packet(target + 0.04, after=0.04)
    assert not after.discontinuity
    assert after.pts == pytest.approx(0.12)


def test_a_gap_in_which_nothing_was_sent_is_no_jump() -> None:
    camera = Camera()
    camera.packet(0.0)
    moment = camera.packet(8.0, after=8.0)
    assert moment.pts == 8.0
    assert not moment.discontinuity


def test_reordered_pictures_are_no_jump() -> None:
    camera = Camera()
    camera.packet(0.08, dts=0.0)
    stamps = [(0.2, 0.04), (0.12, 0.08), (0.16, 0.12)]
    assert not any(camera.packet(pts, dts=dts, after=0.04).discontinuity for pts, dts in stamps)


def test_a_step_of_the_devices_clock_is_marked_and_followed() -> None:
    camera = Camera()
    camera.packet(0.0)
    camera.clock.set_wall(camera.clock.now() + timedelta(hours=1))
    moment = camera.packet(0.04, after=0.04)
    assert moment.discontinuity
    assert moment.pts == pytest.approx(0.04)
    assert moment.captured_at == camera.clock.now()


def test_timestamps_that_stand_still_stop_the_progress() -> None:
    camera = Camera()
    camera.packet(7.0)
    camera.packet(7.04, after=0.04)
    advanced = camera.timeline.advanced_at
    for _ in range(100):
        camera.packet(7.04, after=0.04)
    assert camera.timeline.advanced_at == advanced
