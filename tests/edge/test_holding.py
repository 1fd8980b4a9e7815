"""What an edge is told to hold stays, whatever the disk says, also over a restart."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.control import HeldSpan, HeldSpans, from_backend, from_edge
from kitchen_watch.edge.evidence.holds import FILE_NAME, MARGIN, Holds
from kitchen_watch.edge.holding import HoldDesk
from kitchen_watch.edge.outbox.disk import DiskKeeper
from kitchen_watch.live.segments import Keeping, SegmentStore
from tests.edge.outbox.situations import START, opened, packages
from tests.edge.outbox.test_disk import closed_case, deliver_all

HOUR = timedelta(hours=1)
CAMERA = "cam-1"


def told(since: timedelta, until: timedelta, camera_id: str = CAMERA) -> HeldSpans:
    span = HeldSpan(camera_id=camera_id, since_at=START + since, until_at=START + until)
    return HeldSpans(version="v1", spans=(span,))


def test_the_message_crosses_the_wire_and_an_older_edge_knows_no_such_type() -> None:
    message = told(-HOUR, HOUR)
    assert from_backend.validate_json(message.model_dump_json()) == message
    assert from_edge.validate_json('{"type": "hold_report", "version": "v1"}').type == "hold_report"


@pytest.mark.parametrize(
    ("since", "until", "kept"), [(-HOUR, HOUR, True), (-2 * HOUR, -HOUR, False), (HOUR, 2 * HOUR, False)]
)
def test_a_span_is_held_with_what_the_clock_may_be_off(
    tmp_path: Path, since: timedelta, until: timedelta, kept: bool
) -> None:
    holds = Holds(tmp_path)
    holds.replace(told(since, until), offset=timedelta(seconds=-5))
    assert holds.keeps(CAMERA, START, START + timedelta(seconds=6)) is kept
    assert not holds.keeps("another", START, START)
    edge = START + until + MARGIN + timedelta(seconds=5)
    assert holds.keeps(CAMERA, edge, edge + HOUR)


def test_a_restart_forgets_nothing_and_a_torn_file_only_waits_for_the_backend(tmp_path: Path) -> None:
    violation_id = uuid4()
    held = told(-HOUR, HOUR).model_copy(update={"violations": (violation_id,)})
    Holds(tmp_path).replace(held, offset=None)
    again = Holds(tmp_path)
    assert (again.version, again.keeps_violation(violation_id)) == ("v1", True)
    (tmp_path / FILE_NAME).write_text("{")
    assert Holds(tmp_path).version == ""


def recorded(directory: Path, holds: Holds, keeping: Keeping) -> SegmentStore:
    store = SegmentStore(directory, keeping)
    store.held = lambda since, until: holds.keeps(CAMERA, since, until)
    store.open(START)
    for minute in range(5):
        store.add(bytes(100), begins_at=START + timedelta(minutes=10 * minute), seconds=6.0)
    return store


@pytest.mark.parametrize("keeping", [
    Keeping(timedelta(minutes=1), 10**9, 0),
    Keeping(timedelta(days=9), 150, 0),
    Keeping(timedelta(days=9), 10**9, 1 << 62),
], ids=["too old", "too much", "disk full"])  # fmt: skip
def test_recorded_pieces_in_a_held_span_outlive_time_room_and_disk(tmp_path: Path, keeping: Keeping) -> None:
    holds = Holds(tmp_path)
    everything = Keeping(timedelta(days=9), 10**9, 0)
    before = recorded(tmp_path / "recordings", holds, everything)
    assert len(before.between(START - HOUR, START + HOUR, most=9)) == 5
    holds.replace(told(timedelta(minutes=9), timedelta(minutes=21)), offset=None)
    store = SegmentStore(tmp_path / "recordings", keeping)
    store.held = lambda since, until: holds.keeps(CAMERA, since, until)
    store.open(START + 2 * HOUR)
    kept = [piece.begins_at - START for piece in store.between(START - HOUR, START + 3 * HOUR, most=9)]
    young = [timedelta(minutes=40)] if keeping.most_bytes == 150 else []
    assert kept == [timedelta(minutes=10), timedelta(minutes=20), *young]
    assert [piece.begins_at - START for piece in store.held_now()] == kept[:2]
    holds.replace(HeldSpans(version="v2"), offset=None)
    store.tidy(START + 2 * HOUR)
    assert len(store.between(START - HOUR, START + 3 * HOUR, most=9)) == len(young)


async def test_delivered_evidence_in_a_held_span_stays_on_a_full_disk_and_is_reported(tmp_path: Path) -> None:
    clock, writer = ManualClock(START), packages(tmp_path)
    async with opened(tmp_path, clock) as store:
        subject = await closed_case(store, writer, b"complaint")
        await deliver_all(store)
        holds = Holds(tmp_path)
        desk = HoldDesk(holds, store, recordings=lambda: (), server_offset=lambda: None)
        report = await desk.hold(told(-HOUR, HOUR, subject.camera_id))
        assert (report.version, report.packages, report.segments) == ("v1", 1, 0)
        keeper = DiskKeeper(
            store, writer, warn_free_bytes=0, floor_free_bytes=1 << 62, keep=timedelta(days=30),
            clock=clock, holds=holds,
        )  # fmt: skip
        clock.advance(timedelta(days=40))
        assert (await keeper.look()).remove == ()
        assert "held" in keeper.warnings[0]
        assert (await desk.hold(HeldSpans(version="v2"))).packages == 0
        clock.advance(timedelta(hours=2))
        assert len((await keeper.look()).remove) == 1
