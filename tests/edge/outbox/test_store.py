"""What goes into the outbox comes out: in order, once, with a chain, after restarts too."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.outbox.records import ClipState, EventState, FileState, Outcome
from kitchen_watch.edge.outbox.store import LEASE
from kitchen_watch.errors import EvidenceError
from kitchen_watch.events import FIRST_LINK, Event, EventKind, manifest_sha256
from tests.edge.outbox import situations
from tests.edge.outbox.situations import START, draft, opened, package, packages, violation


@pytest.fixture(autouse=True, params=["file", pytest.param("postgres", marks=pytest.mark.postgres)])
def _place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here holds for a file and for a cluster's database."""
    if request.param == "postgres":
        monkeypatch.setattr(situations, "CLUSTER", request.getfixturevalue("cluster_database"))


def delivered(*events: Event) -> list[Outcome]:
    return [Outcome(event.event_id, EventState.DELIVERED) for event in events]


async def test_the_steps_of_a_violation_are_numbered_without_gaps(tmp_path: Path) -> None:
    first, other = violation(), violation()
    async with opened(tmp_path) as store:
        events = [
            await store.open_event(draft(first)),
            await store.open_event(draft(other)),
            await store.append(draft(first, EventKind.UPDATED)),
            await store.append(draft(replace(first, ended_at=START), EventKind.CLOSED)),
            await store.append(draft(other, EventKind.UPDATED)),
        ]
    assert [(event.violation_id, event.sequence) for event in events] == [
        (first.violation_id, 0),
        (other.violation_id, 0),
        (first.violation_id, 1),
        (first.violation_id, 2),
        (other.violation_id, 1),
    ]


async def test_a_later_step_is_not_offered_before_the_earlier_is_acknowledged(tmp_path: Path) -> None:
    first, other = violation(), violation()
    async with opened(tmp_path) as store:
        opening = await store.open_event(draft(first))
        update = await store.append(draft(first, EventKind.UPDATED))
        independent = await store.open_event(draft(other))

        offered = [item.event for item in await store.pending_events()]
        assert offered == [opening, independent]
        assert await store.pending_events() == []  # both are leased, the update waits for its opening

        await store.settle(delivered(opening))
        assert [item.event for item in await store.pending_events()] == [update]


async def test_a_refused_event_does_not_hold_up_what_follows(tmp_path: Path) -> None:
    subject = violation()
    async with opened(tmp_path) as store:
        opening = await store.open_event(draft(subject))
        update = await store.append(draft(subject, EventKind.UPDATED))
        await store.pending_events()
        await store.settle([Outcome(opening.event_id, EventState.DEAD, "unknown camera")])
        assert [item.event for item in await store.pending_events()] == [update]

        dead = await store.dead_letters()
        assert [(letter.event_id, letter.last_error) for letter in dead] == [
            (opening.event_id, "unknown camera")
        ]


async def test_a_lease_runs_out(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with opened(tmp_path, clock) as store:
        event = await store.open_event(draft())
        assert len(await store.pending_events()) == 1
        clock.advance(LEASE - timedelta(seconds=1))
        assert await store.pending_events() == []
        clock.advance(1)
        assert [item.event for item in await store.pending_events()] == [event]


async def test_a_postponed_event_comes_back_when_it_is_due(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with opened(tmp_path, clock) as store:
        event = await store.open_event(draft())
        await store.pending_events()
        later = START + timedelta(seconds=30)
        await store.settle([Outcome(event.event_id, EventState.PENDING, "busy", later)])
        assert await store.pending_events() == []
        assert await store.next_due() == later
        clock.advance(30)
        (item,) = await store.pending_events()
        assert item.attempts == 1


async def test_setting_the_clock_back_does_not_postpone_for_hours(tmp_path: Path) -> None:
    clock = ManualClock(START + timedelta(hours=8))
    async with opened(tmp_path, clock) as store:
        event = await store.open_event(draft())
        await store.pending_events()
        await store.settle([Outcome(event.event_id, EventState.PENDING, "busy", clock.now())])
        clock.set_wall(START)
        assert [item.event for item in await store.pending_events()] == [event]


async def test_an_acknowledged_event_stays_acknowledged(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        event = await store.open_event(draft())
        await store.settle(delivered(event))
        await store.settle([Outcome(event.event_id, EventState.DEAD, "a late answer")])
        counts = await store.counts()
        assert (counts.pending, counts.delivered, counts.dead) == (0, 1, 0)


async def test_age_of_the_oldest_undelivered_event(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with opened(tmp_path, clock) as store:
        assert await store.oldest_undelivered_age() is None
        event = await store.open_event(draft())
        clock.advance(90)
        await store.open_event(draft())
        assert await store.oldest_undelivered_age() == timedelta(seconds=90)
        await store.settle(delivered(event))
        assert await store.oldest_undelivered_age() == timedelta(0)


async def test_dead_events_are_queued_again_one_or_all(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        events = [await store.open_event(draft()) for _ in range(3)]
        await store.settle([Outcome(event.event_id, EventState.DEAD, "no") for event in events])
        assert await store.requeue([events[1].event_id]) == 1
        assert [item.event for item in await store.pending_events()] == [events[1]]
        assert await store.requeue() == 2
        assert len(await store.pending_events()) == 2


async def test_whoever_watches_is_called_at_every_new_event(tmp_path: Path) -> None:
    calls: list[None] = []
    async with opened(tmp_path) as store:
        store.watch(lambda: calls.append(None))
        await store.open_event(draft())
        assert len(calls) == 1


async def test_manifests_are_chained_in_the_order_of_their_events(tmp_path: Path) -> None:
    writer = packages(tmp_path)
    async with opened(tmp_path) as store:
        manifests = []
        for number in range(3):
            subject = violation()
            files = package(writer, subject, [b"picture %d" % number])
            event = await store.open_event(draft(subject, package=files))
            assert event.evidence is not None
            manifests.append(event.evidence)
            on_disk = tmp_path / files.folder / f"manifest-{number:08d}.json"
            assert json.loads(on_disk.read_text())["sha256"] == event.evidence.sha256
    assert [manifest.chain_index for manifest in manifests] == [0, 1, 2]
    assert [m.previous_sha256 for m in manifests] == [FIRST_LINK, manifests[0].sha256, manifests[1].sha256]
    assert all(manifest_sha256(manifest) == manifest.sha256 for manifest in manifests)


async def test_the_chain_goes_on_after_a_restart(tmp_path: Path) -> None:
    writer, subject = packages(tmp_path), violation()
    async with opened(tmp_path) as store:
        first = await store.open_event(draft(subject, package=package(writer, subject)))
    async with opened(tmp_path) as store:
        second = await store.append(
            draft(subject, EventKind.UPDATED, package=package(writer, subject, [b"later"]))
        )
    assert first.evidence is not None
    assert second.evidence is not None
    assert second.sequence == 1
    assert second.evidence.chain_index == 1
    assert second.evidence.previous_sha256 == first.evidence.sha256


async def test_files_are_offered_after_their_event_pictures_before_clips(tmp_path: Path) -> None:
    writer, subject = packages(tmp_path), violation()
    async with opened(tmp_path) as store:
        event = await store.open_event(draft(subject, package=package(writer, subject)))
        assert await store.next_upload() is None  # the backend has not heard of it yet
        await store.settle(delivered(event))
        names = []
        while (upload := await store.next_upload()) is not None:
            assert upload.path.read_bytes()
            names.append(upload.kind)
            await store.upload_settled(upload, FileState.DELIVERED)
        assert names == ["annotated_snapshot", "clean_snapshot"]


async def test_how_far_an_upload_came_is_remembered(tmp_path: Path) -> None:
    writer, subject = packages(tmp_path), violation()
    async with opened(tmp_path) as store:
        event = await store.open_event(draft(subject, package=package(writer, subject)))
        await store.settle(delivered(event))
        upload = await store.next_upload()
        assert upload is not None
        await store.upload_advanced(upload, 3)
    async with opened(tmp_path) as store:
        again = await store.next_upload()
        assert again is not None
        assert (again.upload_id, again.offset) == (upload.upload_id, 3)


async def test_open_violations_are_given_back_after_a_restart(tmp_path: Path) -> None:
    going_on, over = violation(), violation()
    async with opened(tmp_path) as store:
        await store.open_event(draft(going_on, state={"hits": 3}, clip=ClipState.DUE))
        await store.remember(replace(going_on, confidence=0.95))
        await store.open_event(draft(over))
        await store.append(draft(replace(over, ended_at=START), EventKind.CLOSED))
    async with opened(tmp_path, ManualClock(START + timedelta(days=1))) as store:
        (found,) = store.recovery.violations
    assert found.violation == replace(going_on, confidence=0.95)
    assert found.state == {"hits": 3}
    assert found.clip is ClipState.DUE


async def test_recently_closed_violations_are_given_back_for_their_cooldown(tmp_path: Path) -> None:
    over = violation()
    async with opened(tmp_path) as store:
        await store.open_event(draft(over))
        closed = replace(over, ended_at=START)
        await store.append(draft(closed, EventKind.CLOSED))
    async with opened(tmp_path, ManualClock(START + timedelta(minutes=5))) as store:
        assert [item.violation for item in store.recovery.violations] == [closed]


async def test_leases_of_a_killed_process_return_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        event = await store.open_event(draft())
        await store.pending_events()
    async with opened(tmp_path) as store:
        assert [item.event for item in await store.pending_events()] == [event]


async def test_evidence_that_vanished_is_reported_and_its_event_still_delivered(tmp_path: Path) -> None:
    writer, subject = packages(tmp_path), violation()
    files = package(writer, subject)
    async with opened(tmp_path) as store:
        event = await store.open_event(draft(subject, package=files))
    gone = tmp_path / files.folder / files.files[0].name
    gone.unlink()
    async with opened(tmp_path) as store:
        assert store.recovery.missing_files == (gone,)
        assert str(gone) in store.recovery.problems[0]
        assert [item.event for item in await store.pending_events()] == [event]
        assert (await store.counts()).uploads_lost == 1


async def test_the_total_of_delivered_events_only_grows(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        event = await store.open_event(draft())
        await store.settle(delivered(event))
        await store.settle(delivered(event))
    async with opened(tmp_path) as store:
        assert (await store.counts()).delivered == 1


async def test_a_step_that_is_recorded_again_is_recorded_once(tmp_path: Path) -> None:
    subject, writer = violation(), packages(tmp_path)
    same = draft(subject, event_id=uuid4(), package=package(writer, subject))
    async with opened(tmp_path) as store:
        first = await store.open_event(same)
        assert await store.open_event(same) == first
        assert (await store.counts()).pending == 1
        assert (await store.append(draft(subject, EventKind.UPDATED))).sequence == 1


async def test_a_recorded_event_is_never_reported_as_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, writer = violation(), packages(tmp_path)
    async with opened(tmp_path) as store:

        def full(_connection: sqlite3.Connection) -> None:
            raise EvidenceError("the disk became full right after the commit")

        monkeypatch.setattr(store, "_write_manifests", full)
        event = await store.open_event(draft(subject, package=package(writer, subject)))
        assert [item.event for item in await store.pending_events()] == [event]
