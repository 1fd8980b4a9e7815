"""One model for many streams: fair, bounded, newest frame first.

Every stream has at most one frame waiting. A newer one takes its place in the queue, and the older
call ends with ``None``: nobody looked. Streams are served in turn, so that one that asks a hundred
times a second waits as long as one that asks once. Streams of a higher rank go before others while there
is more to do than can be done, and still every third frame is the one that waited longest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from kitchen_watch.clock import Clock, SystemClock
from kitchen_watch.errors import DetectorError

FAVOURS = 2
"""So many frames of higher rank in a row may go before the one that waited longest."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class StreamStatistics:
    """What became of one stream's frames; seconds."""

    submitted: int = 0
    finished: int = 0
    superseded: int = 0
    failed: int = 0
    waiting_s: float = 0.0
    """Sum over the finished frames, from asking to the start of the work."""
    working_s: float = 0.0
    """Sum over the finished frames, from start to end of the work; of work done together its share."""
    longest_waiting_s: float = 0.0


def mean_work(statistics: Iterable[StreamStatistics]) -> float | None:
    """Mean seconds of one piece of work since the start, over all streams."""
    streams = list(statistics)
    finished = sum(stream.finished for stream in streams)
    return sum(stream.working_s for stream in streams) / finished if finished else None


@dataclass(slots=True)
class _Job(Generic[T, R]):
    stream_id: str
    item: T
    asked: float
    answer: asyncio.Future[R | None]
    started: float = 0.0


@dataclass(frozen=True, slots=True)
class Together(Generic[T, R]):
    """Work that is cheaper on several items at once, as on a GPU."""

    work: Callable[[Sequence[T]], Awaitable[Sequence[R]]]
    """Results in the order of the items."""
    most: int
    alike: Callable[[T], Hashable]
    """Only items of which this is equal go together."""


class FairScheduler(Generic[T, R]):
    """Runs ``work`` on at most ``parallel`` items at a time, in turn over the streams.

    With ``together`` whatever waits when the work is free is done at once, one item per stream: nobody
    waits for others to come. Belongs to one event loop.
    """

    def __init__(
        self,
        work: Callable[[T], Awaitable[R]],
        *,
        parallel: int,
        clock: Clock | None = None,
        together: Together[T, R] | None = None,
    ) -> None:
        self._work = work
        self._together = together
        self._parallel = max(1, parallel)
        self._clock = clock or SystemClock()
        self._waiting: dict[str, _Job[T, R]] = {}
        self._running: set[asyncio.Task[Sequence[R]]] = set()
        self._closed = False
        self._ranks: Mapping[str, int] = {}
        self._favours = 0
        self._statistics: dict[str, StreamStatistics] = {}

    @property
    def waiting(self) -> int:
        """Frames that wait now; never more than streams."""
        return len(self._waiting)

    def statistics(self) -> dict[str, StreamStatistics]:
        """Counters by stream id, since the start."""
        return dict(self._statistics)

    def prefer(self, ranks: Mapping[str, int]) -> None:
        """From now on streams of a higher rank go first; those that are not named have rank 0."""
        self._ranks = ranks

    def forget(self, stream_id: str) -> None:
        """Drop the counters of a stream that was removed."""
        self._statistics.pop(stream_id, None)

    async def submit(self, stream_id: str, item: T) -> R | None:
        """The result of the work, or ``None`` if a newer item of the same stream took the place.

        Raises:
            DetectorError: the scheduler is closed, or what the work itself raises.
        """
        if self._closed:
            raise DetectorError("The detector is closed; it takes no more frames.")
        statistics = self._statistics.setdefault(stream_id, StreamStatistics())
        statistics.submitted += 1
        job = _Job[T, R](stream_id, item, self._clock.monotonic(), asyncio.get_running_loop().create_future())
        older = self._waiting.get(stream_id)
        # Assigning to a present key keeps its place in the dict, which is the order of service.
        self._waiting[stream_id] = job
        if older is not None and not older.answer.done():
            statistics.superseded += 1
            older.answer.set_result(None)
        self._start_work()
        try:
            return await job.answer
        finally:
            # Cancelled while waiting: nobody wants this frame any more.
            if self._waiting.get(stream_id) is job:
                del self._waiting[stream_id]

    async def close(self) -> None:
        """Refuse new frames, answer the waiting ones with an error, finish those under way."""
        self._closed = True
        waiting, self._waiting = self._waiting, {}
        for job in waiting.values():
            if not job.answer.done():
                job.answer.set_exception(DetectorError("The detector was closed while this frame waited."))
        if self._running:
            await asyncio.wait(set(self._running))

    def _start_work(self) -> None:
        while self._waiting and len(self._running) < self._parallel:
            jobs = self._next_jobs()
            if not jobs:
                continue
            for job in jobs:
                job.started = self._clock.monotonic()
            task = asyncio.ensure_future(self._work_on([job.item for job in jobs]))
            self._running.add(task)
            task.add_done_callback(partial(self._finished, jobs))

    async def _work_on(self, items: Sequence[T]) -> Sequence[R]:
        if self._together is not None and len(items) > 1:
            return await self._together.work(items)
        return [await self._work(items[0])]

    def _next_jobs(self) -> list[_Job[T, R]]:
        """Whose turn it is, with those that go together with it; empty if nobody waits for it any more."""
        jobs: list[_Job[T, R]] = []
        most = self._together.most if self._together is not None else 1
        while self._waiting and len(jobs) < most:
            stream_id = self._whose_turn()
            job = self._waiting[stream_id]
            if jobs and self._together is not None:
                alike = self._together.alike
                if alike(job.item) != alike(jobs[0].item):
                    break
            del self._waiting[stream_id]
            if not job.answer.done():
                jobs.append(job)
            elif not jobs:
                break
        return jobs

    def _whose_turn(self) -> str:
        longest = next(iter(self._waiting))
        # Of equal ranks the first is the one that waited longest.
        highest = max(self._waiting, key=lambda stream_id: self._ranks.get(stream_id, 0))
        if self._ranks.get(highest, 0) > self._ranks.get(longest, 0) and self._favours < FAVOURS:
            self._favours += 1
            return highest
        self._favours = 0
        return longest

    def _finished(self, jobs: Sequence[_Job[T, R]], task: asyncio.Task[Sequence[R]]) -> None:
        self._running.discard(task)
        for place, job in enumerate(jobs):
            self._answer(job, task, place, share=1 / len(jobs))
        self._start_work()

    def _answer(self, job: _Job[T, R], task: asyncio.Task[Sequence[R]], place: int, *, share: float) -> None:
        statistics = self._statistics.setdefault(job.stream_id, StreamStatistics())
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error is not None:
            statistics.failed += 1
        else:
            waited = job.started - job.asked
            statistics.finished += 1
            statistics.waiting_s += waited
            statistics.working_s += (self._clock.monotonic() - job.started) * share
            statistics.longest_waiting_s = max(statistics.longest_waiting_s, waited)
        if not job.answer.done():
            if task.cancelled():
                job.answer.cancel()
            elif error is not None:
                job.answer.set_exception(error)
            else:
                job.answer.set_result(task.result()[place])
