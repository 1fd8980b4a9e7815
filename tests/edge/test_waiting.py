"""While the outbox cannot be written nothing is forgotten, nothing overtakes, and memory stays bounded."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge import waiting as module
from kitchen_watch.edge.outbox.records import EventDraft
from kitchen_watch.edge.waiting import Waiting
from kitchen_watch.errors import EvidenceError, LeaseLost
from kitchen_watch.events import EventKind
from tests.edge.outbox.situations import START, draft, violation


class Outbox:
    """Takes steps, or says why not."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.taken: list[EventDraft] = []

    async def append(self, step: EventDraft) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.taken.append(step)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_PAUSE", timedelta(0))


def steps(number: int) -> list[EventDraft]:
    subject = violation()
    return [draft(subject), *(draft(subject, EventKind.UPDATED) for _ in range(number - 1))]


async def test_a_step_is_taken_at_once_where_it_can_be() -> None:
    outbox = Outbox()
    waiting = Waiting(outbox.append, clock=ManualClock(START))
    (step,) = steps(1)
    await waiting.add(step)
    assert (outbox.taken, len(waiting)) == ([step], 0)


async def test_steps_wait_and_follow_in_their_order() -> None:
    outbox = Outbox()
    outbox.trouble = EvidenceError("the database is away")
    waiting = Waiting(outbox.append, clock=ManualClock(START))
    some = steps(5)
    for step in some[:3]:
        await waiting.add(step)
    assert (outbox.taken, len(waiting)) == ([], 3)
    outbox.trouble = None
    for step in some[3:]:
        await waiting.add(step)  # it is back, but these must not overtake
    await waiting.settled()
    assert (outbox.taken, len(waiting)) == (some, 0)
    await waiting.close()


async def test_when_too_much_waits_the_camera_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    outbox = Outbox()
    outbox.trouble = EvidenceError("the database is away")
    waiting = Waiting(outbox.append, clock=ManualClock(START))
    some = steps(3)
    await waiting.add(some[0])
    await waiting.add(some[1])
    third = asyncio.create_task(waiting.add(some[2]))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not third.done()
    outbox.trouble = None
    await third
    await waiting.settled()
    assert outbox.taken == some


async def test_at_the_end_each_is_tried_once_more() -> None:
    outbox = Outbox()
    outbox.trouble = EvidenceError("the database is away")
    waiting = Waiting(outbox.append, clock=ManualClock(START))
    some = steps(2)
    for step in some:
        await waiting.add(step)
    outbox.trouble = None
    await waiting.close()
    assert outbox.taken == some


async def test_what_waits_when_the_edge_is_taken_over_is_the_new_owners_to_see() -> None:
    outbox = Outbox()
    outbox.trouble = EvidenceError("the database is away")
    waiting = Waiting(outbox.append, clock=ManualClock(START))
    await waiting.add(steps(1)[0])
    outbox.trouble = LeaseLost("taken over")
    await waiting.settled()
    assert len(waiting) == 0
    await waiting.close()
    assert outbox.taken == []


async def test_a_lost_lease_is_no_reason_to_wait() -> None:
    outbox = Outbox()
    outbox.trouble = LeaseLost("taken over")
    waiting = Waiting(outbox.append, clock=ManualClock(START))
    with pytest.raises(LeaseLost):
        await waiting.add(steps(1)[0])
    assert len(waiting) == 0
