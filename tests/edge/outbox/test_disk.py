"""When the disk fills up only evidence that the backend holds whole may go, the oldest first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.evidence.package import Packages
from kitchen_watch.edge.evidence.verification import verify
from kitchen_watch.edge.outbox.disk import DiskKeeper, DiskPolicy, plan
from kitchen_watch.edge.outbox.records import EventState, FileState, Outcome, StoredPackage
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.events import EventKind
from tests.edge.outbox.situations import START, draft, opened, package, packages, violation

POLICY = DiskPolicy(warn_free_bytes=500, floor_free_bytes=100, keep=timedelta(days=30))
NOW = START + timedelta(days=10)


def stored(day: int, **changes: Any) -> StoredPackage:
    made = StoredPackage(
        violation_id=uuid4(), folder=f"evidence/{day}", created_at=START + timedelta(days=day),
        size_bytes=50, files=("clean.jpg",), delivered=True, held=False, open=False,
    )  # fmt: skip
    return replace(made, **changes)


def test_with_room_enough_nothing_goes_and_nobody_is_bothered() -> None:
    made = plan([stored(0)], free=1000, now=NOW, policy=POLICY)
    assert made.remove == ()
    assert made.warnings == ()


def test_people_are_told_before_anything_has_to_go() -> None:
    made = plan([stored(0)], free=400, now=NOW, policy=POLICY)
    assert made.remove == ()
    assert "filling up" in made.warnings[0]


def test_below_the_floor_the_oldest_goes_first_and_only_as_many_as_needed() -> None:
    old = [stored(day) for day in range(5)]
    made = plan(old, free=40, now=NOW, policy=POLICY)
    assert made.remove == tuple(old[:2])  # 140: above the floor and its headroom


@pytest.mark.parametrize("protection", [{"delivered": False}, {"held": True}, {"open": True}])
def test_what_is_undelivered_held_or_open_never_goes(protection: dict[str, bool]) -> None:
    kept = [stored(day, **protection) for day in range(3)]
    made = plan(kept, free=0, now=NOW + timedelta(days=1000), policy=POLICY)
    assert made.remove == ()
    assert "nothing on it may be deleted: 3 evidence packages" in made.warnings[0]


def test_delivered_evidence_goes_after_its_time_also_with_room_left() -> None:
    old, young = stored(0), stored(35)
    made = plan([old, young], free=10_000, now=START + timedelta(days=40), policy=POLICY)
    assert made.remove == (old,)


async def deliver_all(store: OutboxStore) -> None:
    while leased := await store.pending_events():
        await store.settle([Outcome(item.event.event_id, EventState.DELIVERED) for item in leased])
    while (upload := await store.next_upload()) is not None:
        await store.upload_settled(upload, FileState.DELIVERED)


async def closed_case(store: OutboxStore, writer: Packages, content: bytes) -> Violation:
    subject = violation()
    await store.open_event(draft(subject, package=package(writer, subject, [content])))
    ended = replace(subject, ended_at=START)
    await store.append(draft(ended, EventKind.CLOSED))
    return ended


def keeper(store: OutboxStore, writer: Packages, clock: ManualClock, floor: int = 0) -> DiskKeeper:
    return DiskKeeper(
        store, writer, warn_free_bytes=0, floor_free_bytes=floor, keep=timedelta(days=30), clock=clock
    )


async def test_only_the_delivered_package_is_removed_and_its_manifest_stays_provable(tmp_path: Path) -> None:
    clock, writer = ManualClock(START), packages(tmp_path)
    async with opened(tmp_path, clock) as store:
        gone = await closed_case(store, writer, b"delivered")
        await deliver_all(store)
        kept = await closed_case(store, writer, b"not delivered")
        made = await keeper(store, writer, clock, floor=1 << 62).look()
        assert [package.violation_id for package in made.remove] == [gone.violation_id]

        left = {path.parent.name for path in tmp_path.rglob("clean-*.jpg")}
        assert left == {str(kept.violation_id)}
        verdict = verify(tmp_path)
        assert verdict.proven
        assert verdict.removed_files == 1
        again = await keeper(store, writer, clock, floor=1 << 62).look()
        assert again.remove == ()


async def test_a_hold_protects_until_it_is_lifted(tmp_path: Path) -> None:
    clock, writer = ManualClock(START), packages(tmp_path)
    async with opened(tmp_path, clock) as store:
        subject = await closed_case(store, writer, b"complaint")
        await deliver_all(store)
        assert await store.hold(subject.violation_id)
        look = keeper(store, writer, clock, floor=1 << 62)
        assert (await look.look()).remove == ()
        assert "held" in look.warnings[0]
        await store.hold(subject.violation_id, held=False)
        assert len((await look.look()).remove) == 1


async def test_a_dead_letter_keeps_its_evidence(tmp_path: Path) -> None:
    clock, writer = ManualClock(START), packages(tmp_path)
    async with opened(tmp_path, clock) as store:
        await closed_case(store, writer, b"refused")
        (item,) = await store.pending_events()
        await store.settle([Outcome(item.event.event_id, EventState.DEAD, "no")])
        await deliver_all(store)
        assert (await keeper(store, writer, clock, floor=1 << 62).look()).remove == ()


async def test_what_is_long_done_is_forgotten_but_the_chain_goes_on(tmp_path: Path) -> None:
    clock, writer = ManualClock(START), packages(tmp_path)
    async with opened(tmp_path, clock) as store:
        await closed_case(store, writer, b"old")
        await deliver_all(store)
        clock.advance(timedelta(days=31))
        look = keeper(store, writer, clock)
        assert len((await look.look()).remove) == 1
        clock.advance(timedelta(days=31))
        await look.look()
        subject = violation()
        event = await store.open_event(draft(subject, package=package(writer, subject, [b"new"])))
        assert event.evidence is not None
        assert event.evidence.chain_index == 1
        assert (await store.counts()).delivered == 2
    assert verify(tmp_path).proven


async def test_a_package_that_somebody_else_deleted_is_no_reason_to_stop(tmp_path: Path) -> None:
    clock, writer = ManualClock(START), packages(tmp_path)
    async with opened(tmp_path, clock) as store:
        await closed_case(store, writer, b"taken")
        await deliver_all(store)
        for path in tmp_path.rglob("clean-*.jpg"):
            path.unlink()
        assert len((await keeper(store, writer, clock, floor=1 << 62).look()).remove) == 1


async def test_a_package_that_cannot_be_removed_is_told_and_another_goes_in_its_place(tmp_path: Path) -> None:
    clock, writer = ManualClock(START), packages(tmp_path)
    async with opened(tmp_path, clock) as store:
        stuck = await closed_case(store, writer, b"stuck")
        gone = await closed_case(store, writer, b"goes")
        await deliver_all(store)
        (picture,) = tmp_path.rglob(f"{stuck.violation_id}/clean-*.jpg")
        content = picture.read_bytes()
        picture.unlink()
        picture.mkdir()  # in the file's place lies what cannot be unlinked
        look = keeper(store, writer, clock, floor=1 << 62)
        made = await look.look()
        assert [package.violation_id for package in made.remove] == [gone.violation_id]
        assert str(stuck.violation_id) in look.warnings[-1]
        picture.rmdir()
        picture.write_bytes(content)
        made = await look.look()
        assert [package.violation_id for package in made.remove] == [stuck.violation_id]
        assert not any("cannot be removed" in warning for warning in look.warnings)


async def test_a_file_system_that_does_not_answer_is_told_and_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, writer = ManualClock(START), packages(tmp_path)

    def broken() -> int:
        raise OSError(5, "Input/output error")

    async with opened(tmp_path, clock) as store:
        monkeypatch.setattr(writer, "free_bytes", broken)
        look = keeper(store, writer, clock)
        task = asyncio.create_task(look.run())
        await asyncio.sleep(0.01)
        assert "Input/output error" in look.warnings[0]
        monkeypatch.undo()
        clock.advance(30)
        async with asyncio.timeout(5):
            while look.warnings:
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.wait({task})
