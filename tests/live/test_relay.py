"""One camera, many viewers: everybody gets every packet, the slow lose theirs, nobody waits."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from kitchen_watch.edge.streams.parameter_sets import parameter_sets
from kitchen_watch.live import relay as relay_module
from kitchen_watch.live.relay import QUEUE_SECONDS, LivePacket, Relay, Subscription
from tests.edge.evidence.cameras import RATE, Camera, camera, later


def nobody() -> None:
    pass


def relay_of(of: Camera, packets: int = 0) -> Relay:
    relay = Relay()
    relay.opened(of.info)
    for packet in of.packets[:packets]:
        relay.packet(packet)
    return relay


def everything(viewer: Subscription) -> list[LivePacket]:
    taken = []
    while (packet := viewer.take()) is not None:
        taken.append(packet)
    return taken


def test_a_new_viewer_begins_with_the_keyframe_before_it_squeezed_into_the_present() -> None:
    of = camera(6)
    relay = relay_of(of, 36)  # keyframes at 0 and 20
    viewer = relay.subscribe(nobody)
    group = everything(viewer)
    assert [packet.data for packet in group] == [packet.data for packet in of.packets[20:36]]
    assert group[0].keyframe
    assert group[-1].seconds == pytest.approx(35 / RATE)
    assert group[-1].seconds - group[0].seconds < 0.05
    relay.packet(of.packets[36])
    (following,) = everything(viewer)
    assert following.seconds == pytest.approx(36 / RATE)


def test_times_of_one_viewer_only_grow_also_over_a_reconnect() -> None:
    of = camera(6)
    relay = relay_of(of, 36)
    viewer = relay.subscribe(nobody)
    before = everything(viewer)
    relay.closed()
    relay.opened(of.info)
    for packet in later(of.packets[:20], 10.0):  # the stream's own time line begins at 0 again
        relay.packet(packet)
    after = everything(viewer)
    times = [packet.seconds for packet in before + after]
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    assert after[0].seconds - before[-1].seconds == pytest.approx(10.0 - 3.5)


def test_while_the_camera_is_away_a_new_viewer_gets_nothing_old() -> None:
    relay = relay_of(camera(6), 36)
    relay.closed()
    assert not relay.streaming
    assert relay.subscribe(nobody).take() is None


def test_a_viewer_that_joins_between_groups_waits_for_a_keyframe() -> None:
    of = camera(6)
    relay = relay_of(of)
    for packet in of.packets[5:15]:
        relay.packet(packet)
    viewer = relay.subscribe(nobody)
    assert viewer.take() is None
    for packet in of.packets[15:25]:
        relay.packet(packet)
    assert [packet.keyframe for packet in everything(viewer)] == [True] + [False] * 4


def test_a_slow_viewer_goes_on_with_the_next_keyframe_and_no_other_viewer_notices() -> None:
    of = camera(20, keyframe_every=30)
    relay = relay_of(of)
    slow, quick = relay.subscribe(nobody), relay.subscribe(nobody)
    seen = []
    for packet in of.packets:
        relay.packet(packet)
        seen += everything(quick)
        assert slow.pending <= QUEUE_SECONDS * RATE + 1
    assert [packet.data for packet in seen] == [packet.data for packet in of.packets]
    assert quick.dropped == 0
    assert slow.dropped > 0
    kept = everything(slow)
    assert kept[0].keyframe
    assert [packet.data for packet in kept] == [packet.data for packet in of.packets[180 : 180 + len(kept)]]


def test_a_group_that_grows_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "GROUP_PACKETS", 10)
    of = camera(3, keyframe_every=30)
    relay = relay_of(of, 20)
    assert relay.group() == ()
    assert relay.subscribe(nobody).take() is None


@pytest.mark.parametrize("form", ["annexb", "told", "mp4"])
def test_every_keyframe_is_annex_b_with_its_parameter_sets(form: str) -> None:
    of = camera(3, form=form)
    relay = relay_of(of, 20)
    for packet in relay.group():
        assert packet.data.startswith((b"\x00\x00\x00\x01", b"\x00\x00\x01"))
        assert bool(parameter_sets("h264", packet.data)) == packet.keyframe


def test_a_torn_packet_is_left_out() -> None:
    of = camera(3, form="mp4")
    relay = relay_of(of, 3)
    relay.packet(replace(of.packets[3], data=of.packets[3].data[:-5]))
    assert len(relay.group()) == 3


def test_pictures_out_of_order_are_noticed() -> None:
    assert relay_of(camera(4, reordered=True), 30).reordered
    assert not relay_of(camera(4), 30).reordered


def test_leaving_and_ending_reach_the_viewer_and_leave_nothing_behind() -> None:
    of = camera(3)
    relay = relay_of(of, 20)
    woken = threading.Event()
    first, second = relay.subscribe(nobody), relay.subscribe(woken.set)
    first.close()
    first.close()
    assert (first.ended, relay.viewers) == (True, 1)
    woken.clear()
    relay.end()
    assert (second.ended, woken.is_set(), relay.viewers) == (True, True, 0)
    relay.packet(of.packets[20])
    assert relay.subscribe(nobody).ended
