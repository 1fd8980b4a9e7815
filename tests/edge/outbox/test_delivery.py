"""Events reach the backend: at once, once, in order, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.outbox.delivery import LOOK_AGAIN, Delivery
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.events import Event, EventBatch, EventKind, EventResult, EventVerdict
from kitchen_watch.signing import new_secret
from tests.edge.outbox.backend_double import BackendDouble, problem, real_clock
from tests.edge.outbox.situations import draft, opened, violation


@asynccontextmanager
async def running(delivery: Delivery) -> AsyncIterator[None]:
    task = asyncio.create_task(delivery.run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until_delivered(store: OutboxStore, number: int) -> None:
    async with asyncio.timeout(10):
        while (await store.counts()).delivered < number:
            await asyncio.sleep(0.001)


def verdict(kind: EventVerdict, reason: str | None = None) -> object:
    return lambda event: EventResult(event_id=str(event.event_id), verdict=kind, reason=reason)


async def test_a_new_event_is_delivered_without_waiting_for_any_timer(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store, running(backend.delivery(store)):
        for number in range(1, 4):
            event = await store.open_event(draft())
            await until_delivered(store, number)  # the simulated clock never moved
            assert backend.accepted[-1] == event


async def test_a_backlog_goes_out_in_batches_and_in_order_per_violation(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock)
    subjects = [violation() for _ in range(120)]
    async with opened(tmp_path, clock) as store:
        for kind in (EventKind.OPENED, EventKind.UPDATED, EventKind.CLOSED):
            for subject in subjects:
                await store.append(draft(subject, kind))
        async with running(backend.delivery(store)):
            await until_delivered(store, 360)
    sizes = [len(EventBatch.model_validate_json(request.content).events) for request in backend.requests]
    assert max(sizes) <= 100
    assert len(sizes) < 20
    for subject in subjects:
        mine = [event.sequence for event in backend.accepted if event.violation_id == subject.violation_id]
        assert mine == [0, 1, 2]


async def test_what_the_backend_has_already_counts_as_delivered(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, verdict=verdict(EventVerdict.DUPLICATE))  # type: ignore[arg-type]  # a lambda
    async with opened(tmp_path, clock) as store:
        await store.open_event(draft())
        assert await backend.delivery(store).deliver_once()
        assert (await store.counts()).delivered == 1


async def test_a_deferred_event_is_tried_again_and_keeps_its_followers_waiting(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, verdict=verdict(EventVerdict.DEFERRED, "camera not registered"))  # type: ignore[arg-type]  # a lambda
    subject = violation()
    async with opened(tmp_path, clock) as store:
        delivery = backend.delivery(store)
        await store.open_event(draft(subject))
        await store.append(draft(subject, EventKind.UPDATED))
        await delivery.deliver_once()
        assert not await delivery.deliver_once()
        assert (await store.counts()).pending == 2
        backend.verdict = lambda _: None
        clock.advance(1)
        assert await delivery.deliver_once()
        assert await delivery.deliver_once()
        assert [event.sequence for event in backend.accepted] == [0, 1]


async def test_a_refused_event_becomes_a_dead_letter_with_its_reason(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, verdict=verdict(EventVerdict.REFUSED, "belongs to another edge"))  # type: ignore[arg-type]  # a lambda
    async with opened(tmp_path, clock) as store:
        event = await store.open_event(draft())
        await backend.delivery(store).deliver_once()
        (dead,) = await store.dead_letters()
        assert (dead.event_id, dead.last_error) == (event.event_id, "belongs to another edge")


async def test_an_event_without_a_verdict_is_tried_again(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(
        clock, verdict=lambda _: EventResult(event_id="another", verdict=EventVerdict.ACCEPTED)
    )
    async with opened(tmp_path, clock) as store:
        await store.open_event(draft())
        await backend.delivery(store).deliver_once()
        assert (await store.counts()).pending == 1


async def test_one_bad_event_does_not_take_its_batch_with_it(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        events = [await store.open_event(draft()) for _ in range(5)]
        bad = str(events[2].event_id).encode()

        def refuse_bad(request: httpx.Request) -> httpx.Response | None:
            return problem(422, "no such tier") if bad in request.content else None

        backend.faults = [refuse_bad] * 6
        await backend.delivery(store).deliver_once()
        assert [letter.event_id for letter in await store.dead_letters()] == [events[2].event_id]
        assert (await store.counts()).delivered == 4


async def test_a_proxys_refusal_costs_no_event(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, faults=[httpx.Response(400, html="<h1>Log in to the hotel</h1>")])
    async with opened(tmp_path, clock) as store:
        await store.open_event(draft())
        await backend.delivery(store).deliver_once()
        assert (await store.counts()).pending == 1


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("silent"),
        httpx.ReadError("reset"),
        httpx.Response(503),
        httpx.Response(500, text="Internal Server Error"),
        httpx.Response(302, headers={"location": "https://elsewhere.example"}),
        httpx.Response(404, text="nothing here"),
        httpx.Response(200, text="<h1>It works!</h1>"),
        problem(403, "this edge is switched off"),
        problem(429, "slower"),
    ],
    ids=str,
)
async def test_nothing_else_is_final(tmp_path: Path, fault: httpx.Response | Exception) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, faults=[fault])
    async with opened(tmp_path, clock) as store:
        event = await store.open_event(draft())
        delivery = backend.delivery(store)
        assert not await delivery.deliver_once()
        assert delivery.last_error is not None
        counts = await store.counts()
        assert (counts.pending, counts.dead) == (1, 0)
        assert await delivery.deliver_once()
        assert backend.accepted == [event]
        assert delivery.last_error is None


async def test_an_idle_connection_that_just_closed_costs_no_waiting(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, faults=[httpx.RemoteProtocolError("Server disconnected")])
    async with opened(tmp_path, clock) as store:
        await store.open_event(draft())
        assert await backend.delivery(store).deliver_once()
        assert len(backend.requests) == 2


async def test_an_outage_ends_for_all_events_together(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, faults=[httpx.ConnectError("refused")] * 6)
    async with opened(tmp_path, clock) as store:
        for _ in range(3):
            await store.open_event(draft())
        async with running(backend.delivery(store)):
            for _ in range(200):
                clock.advance(1)
                await asyncio.sleep(0.002)
            await until_delivered(store, 3)
    assert len(backend.requests) == 7
    assert len(EventBatch.model_validate_json(backend.requests[-1].content).events) == 3


async def test_a_busy_backend_gets_the_time_it_asks_for(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, faults=[httpx.Response(503, headers={"retry-after": "40"})])
    async with opened(tmp_path, clock) as store, running(backend.delivery(store)):
        await store.open_event(draft())
        for _ in range(39):
            await asyncio.sleep(0.005)
            clock.advance(1)
        await store.open_event(draft())  # a new event is no reason to break the word
        await asyncio.sleep(0.02)
        assert len(backend.requests) == 1
        clock.advance(2)
        await until_delivered(store, 2)


async def test_hearing_of_the_backend_ends_the_wait_for_it(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, faults=[httpx.ConnectError("refused")] * 2)
    async with opened(tmp_path, clock) as store:
        delivery = backend.delivery(store)
        async with running(delivery):
            await store.open_event(draft())
            async with asyncio.timeout(10):
                while delivery.last_error is None:
                    await asyncio.sleep(0.001)
            clock.advance(1)  # the second attempt
            async with asyncio.timeout(10):
                while backend.faults:
                    await asyncio.sleep(0.001)
            while delivery._events.closed_for is None:
                await asyncio.sleep(0.001)
            delivery.learn_server_time(clock.now())
            await until_delivered(store, 1)


async def test_events_are_signed_in_server_time_once_it_is_known(tmp_path: Path) -> None:
    real = real_clock()
    wrong = ManualClock(real.now() - timedelta(hours=3))  # a device without a battery
    backend = BackendDouble(wrong, server_time=real.now)
    async with opened(tmp_path, wrong) as store:
        delivery = backend.delivery(store)
        await store.open_event(draft())
        assert not await delivery.deliver_once()
        assert delivery.server_offset is not None
        assert abs(delivery.server_offset - timedelta(hours=3)) < timedelta(seconds=1)
        assert delivery._events.closed_for is None  # the cure is known: no waiting
        assert await delivery.deliver_once()
        assert (await store.counts()).delivered == 1


async def test_a_wrong_secret_is_retried_for_ever_and_told(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        delivery = backend.delivery(store, secret=SecretStr(new_secret()))
        await store.open_event(draft())
        for _ in range(30):
            assert not await delivery.deliver_once()
        counts = await store.counts()
        assert (counts.pending, counts.dead) == (1, 0)
        assert delivery.last_error is not None
        assert "did not accept this edge's signature" in delivery.last_error


async def test_a_prefix_of_the_address_is_kept_and_signed(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, prefix="/kitchens")
    async with opened(tmp_path, clock) as store:
        await store.open_event(draft())
        assert await backend.delivery(store).deliver_once()
        assert str(backend.requests[0].url) == "http://backend.example/kitchens/api/v1/edge/events"


async def test_dead_letters_queued_by_another_process_are_noticed(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock, verdict=verdict(EventVerdict.REFUSED, "no"))  # type: ignore[arg-type]  # a lambda
    async with opened(tmp_path, clock) as store, running(backend.delivery(store)):
        await store.open_event(draft())
        async with asyncio.timeout(10):
            while (await store.counts()).dead == 0:
                await asyncio.sleep(0.001)
        backend.verdict = lambda _: None
        store._watchers.clear()  # another process cannot call us
        await store.requeue()
        await asyncio.sleep(0.02)
        clock.advance(LOOK_AGAIN)
        await until_delivered(store, 1)


async def test_a_stopped_delivery_gives_its_events_back(tmp_path: Path) -> None:
    clock = real_clock()
    asked = asyncio.Event()

    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            asked.set()
            await asyncio.sleep(3600)
            raise AssertionError

    async with opened(tmp_path, clock) as store:
        event: Event = await store.open_event(draft())
        delivery = Delivery(
            store, edge_id="edge-1", backend_url="http://b.example", secret=SecretStr(new_secret()),
            clock=clock, transport=Silent(),
        )  # fmt: skip
        async with running(delivery):
            await asked.wait()
        assert [item.event for item in await store.pending_events()] == [event]
