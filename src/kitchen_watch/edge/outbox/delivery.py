"""Delivery: hands events over as soon as they are recorded, and their files beside them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import httpx
import structlog
from pydantic import SecretStr

from kitchen_watch.clock import Clock
from kitchen_watch.edge.outbox.backend_client import BackendClient
from kitchen_watch.edge.outbox.records import EventState, Outcome, PendingEvent
from kitchen_watch.edge.outbox.retry import LONGEST_ASKED, GiveUp, RetryAt, decide
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.outbox.uploads import Uploads
from kitchen_watch.errors import BackendBusy, BackendUnreachable, DeliveryError, EventRefused, EvidenceError
from kitchen_watch.events import EventBatchResult, EventResult, EventVerdict

LOOK_AGAIN = timedelta(seconds=5)
"""Other processes may queue dead letters again; nobody tells us."""
STORE_PAUSE = timedelta(seconds=2)

log = structlog.get_logger(__name__)


class _Gate:
    """When one of the two loops may talk to the backend again. They wait apart: a clip that gets
    stuck must not hold up an alert."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._not_before: datetime | None = None
        self._unreachable = False
        self.wake = asyncio.Event()
        self.last_error: str | None = None

    def failed(self, error: DeliveryError) -> None:
        """Wait as long as the retry decision says."""
        self._failures += 1
        self._unreachable = isinstance(error, BackendUnreachable)
        decision = decide(error, attempt=self._failures, now=self._clock.now(), jitter=_jitter())
        self._not_before = decision.at if isinstance(decision, RetryAt) else None
        if str(error) != self.last_error:
            log.warning("delivery failed; trying again", reason=str(error))
        self.last_error = str(error)

    def succeeded(self) -> None:
        """Go on at once."""
        if self.last_error is not None:
            log.info("delivery works again")
        self._failures, self._not_before, self._unreachable, self.last_error = 0, None, False, None

    def reachable(self) -> None:
        """The backend was heard of: no reason to wait for it any longer."""
        if self._unreachable:
            self._not_before, self._unreachable = None, False
            self.wake.set()

    @property
    def closed_for(self) -> timedelta | None:
        """How long nothing may be sent; ``None``: now."""
        if self._not_before is None:
            return None
        left = self._not_before - self._clock.now()
        # A clock that was set back must not silence the edge for longer than any decision may.
        if left <= timedelta(0) or left > LONGEST_ASKED:
            self._not_before = None
            return None
        return left


class Delivery:
    """Delivers one outbox to one backend until it is cancelled."""

    def __init__(
        self,
        store: OutboxStore,
        *,
        edge_id: str,
        backend_url: str,
        secret: SecretStr,
        clock: Clock,
        fencing_token: int | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._client = BackendClient(
            edge_id=edge_id, backend_url=backend_url, secret=secret, clock=clock,
            fencing_token=fencing_token, transport=transport,
        )  # fmt: skip
        self._uploads = Uploads(store, self._client, clock)
        self._events = _Gate(clock)
        self._files = _Gate(clock)
        store.watch(self._events.wake.set)

    @property
    def server_offset(self) -> timedelta | None:
        """Server time minus device time, once the backend has answered."""
        return self._client.server_offset

    @property
    def last_error(self) -> str | None:
        """Why events cannot be delivered at present; ``None`` while they can."""
        return self._events.last_error

    def learn_server_time(self, server_time: datetime) -> None:
        """The backend told its time by another way, so it is there: no reason to wait any longer."""
        self._client.learn_server_time(server_time)
        self._events.reachable()
        self._files.reachable()

    async def run(self) -> None:
        """Deliver until cancelled.

        Raises:
            LeaseLost: this edge has a newer owner, which delivers what is left.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._deliver_for_ever())
                tasks.create_task(self._upload_for_ever())
        finally:
            await self._client.close()

    async def deliver_once(self) -> bool:
        """One batch; whether there was anything to deliver and the backend could be talked to."""
        leased = await self._store.pending_events()
        if not leased:
            return False
        try:
            result = await self._client.deliver([item.event for item in leased])
        except EventRefused as error:
            await self._refused(leased, error)
        except DeliveryError as error:
            await self._failed(leased, error)
            return False
        except asyncio.CancelledError:
            # The next run offers them at once, not only when the lease has run out.
            await self._store.release([item.event.event_id for item in leased])
            raise
        else:
            self._events.succeeded()
            await self._taken(leased, result)
        return True

    async def upload_once(self) -> bool:
        """One request for the most urgent file; whether there was anything to do and it went through."""
        try:
            done = await self._uploads.step()
        except DeliveryError as error:
            self._files.failed(error)
            return False
        if done:
            self._files.succeeded()
        return done

    async def _deliver_for_ever(self) -> None:
        await self._for_ever(self._events, self.deliver_once)

    async def _upload_for_ever(self) -> None:
        await self._for_ever(self._files, self.upload_once)

    async def _for_ever(self, gate: _Gate, work: Callable[[], Awaitable[bool]]) -> None:
        while True:
            gate.wake.clear()
            try:
                if gate.closed_for is None and await work():
                    continue
                pause = gate.closed_for or await self._until_due()
            except EvidenceError as error:
                log.error("the outbox cannot be used", reason=str(error))
                pause = STORE_PAUSE
            await self._sleep(gate.wake, pause)

    async def _taken(self, leased: Sequence[PendingEvent], result: EventBatchResult) -> None:
        """Write down the verdicts; an event without one is tried again."""
        verdicts = {answer.event_id: answer for answer in result.results}
        outcomes = [self._outcome(item, verdicts.get(str(item.event.event_id))) for item in leased]
        await self._store.settle(outcomes)
        if result.missing_files:
            await self._store.uploads_wanted(result.missing_files)
        for outcome in outcomes:
            if outcome.state is EventState.DEAD:
                log.error("event refused", event_id=str(outcome.event_id), reason=outcome.reason)
        self._files.wake.set()

    def _outcome(self, item: PendingEvent, answer: EventResult | None) -> Outcome:
        event_id = item.event.event_id
        if answer is not None and answer.verdict in {EventVerdict.ACCEPTED, EventVerdict.DUPLICATE}:
            return Outcome(event_id, EventState.DELIVERED)
        error: DeliveryError
        if answer is not None and answer.verdict is EventVerdict.REFUSED:
            error = EventRefused(answer.reason or "refused without a reason")
        else:
            error = BackendBusy((answer and answer.reason) or "the backend gave no verdict")
        return self._outcome_of(item, error)

    def _outcome_of(self, item: PendingEvent, error: DeliveryError) -> Outcome:
        decision = decide(error, attempt=item.attempts + 1, now=self._clock.now(), jitter=_jitter())
        if isinstance(decision, GiveUp):
            return Outcome(item.event.event_id, EventState.DEAD, decision.reason)
        return Outcome(item.event.event_id, EventState.PENDING, str(error), decision.at)

    async def _refused(self, leased: Sequence[PendingEvent], error: EventRefused) -> None:
        """The request as a whole was refused: find the event that it is about, so that it alone dies."""
        self._events.succeeded()
        if len(leased) == 1:
            log.error("event refused", event_id=str(leased[0].event.event_id), reason=str(error))
            await self._store.settle([self._outcome_of(leased[0], error)])
            return
        for position, item in enumerate(leased):
            try:
                result = await self._client.deliver([item.event])
            except EventRefused as refusal:
                await self._refused([item], refusal)
            except DeliveryError as failure:
                await self._failed(leased[position:], failure)
                return
            else:
                await self._taken([item], result)

    async def _failed(self, leased: Sequence[PendingEvent], error: DeliveryError) -> None:
        """Nothing of the batch went through. The whole delivery waits; no event is put off by itself,
        so that all of them go out the moment the backend is back."""
        self._events.failed(error)
        now = self._clock.now()
        await self._store.settle(
            [Outcome(item.event.event_id, EventState.PENDING, str(error), now) for item in leased]
        )

    async def _until_due(self) -> timedelta:
        """Until the next thing is due, or to look whether another process changed something."""
        due = await self._store.next_due()
        return LOOK_AGAIN if due is None else min(LOOK_AGAIN, due - self._clock.now())

    async def _sleep(self, wake: asyncio.Event, pause: timedelta) -> None:
        """Sleep for ``pause``, but not through a wake-up."""
        sleeping = {asyncio.create_task(wake.wait()), asyncio.create_task(self._clock.sleep(pause))}
        try:
            await asyncio.wait(sleeping, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in sleeping:
                task.cancel()


def _jitter() -> float:
    return random.random()  # noqa: S311 - spreads load, no secret
