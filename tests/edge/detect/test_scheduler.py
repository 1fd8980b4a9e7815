from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.detect.scheduler import FairScheduler, Together
from kitchen_watch.errors import DetectorError


class Model:
    """Work that ends when told, in the order in which it was started."""

    def __init__(self, parallel: int = 1) -> None:
        self.clock = ManualClock()
        self.started: list[str] = []
        self._gates: list[asyncio.Future[str]] = []
        self.scheduler = FairScheduler[str, str](self._work, parallel=parallel, clock=self.clock)

    async def _work(self, item: str) -> str:
        gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.started.append(item)
        self._gates.append(gate)
        return await gate

    async def ask(self, stream_id: str, item: str) -> asyncio.Task[str | None]:
        task = asyncio.create_task(self.scheduler.submit(stream_id, item))
        await settle()
        return task

    async def finish(self, error: Exception | None = None) -> None:
        gate = self._gates.pop(0)
        if error is None:
            gate.set_result("seen")
        else:
            gate.set_exception(error)
        await settle()

    async def end(self, tasks: list[asyncio.Task[str | None]]) -> None:
        closing = asyncio.create_task(self.scheduler.close())
        await settle()
        while self._gates:
            await self.finish()
        await closing
        await asyncio.gather(*tasks, return_exceptions=True)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_newer_frame_takes_the_place_of_the_waiting_one() -> None:
    model = Model()
    first = await model.ask("a", "a1")
    second = await model.ask("a", "a2")
    third = await model.ask("a", "a3")
    assert await second is None, "nobody looked at it"
    await model.finish()
    await model.finish()
    assert await first == "seen"
    assert await third == "seen"
    assert model.started == ["a1", "a3"]
    statistics = model.scheduler.statistics()["a"]
    assert (statistics.submitted, statistics.finished, statistics.superseded) == (3, 2, 1)


async def test_an_impatient_camera_cannot_starve_a_patient_one() -> None:
    model = Model()
    tasks = [await model.ask("fast", "fast0"), await model.ask("slow", "slow0")]
    for n in range(1, 30):
        tasks.append(await model.ask("fast", f"fast{n}"))
        if n % 5 == 0:
            await model.finish()
    assert model.started[:2] == ["fast0", "slow0"]
    await model.end(tasks)


async def test_cameras_are_served_in_turn() -> None:
    model = Model()
    names = ["a", "b", "c", "d"]
    tasks = [await model.ask(name, f"{name}0") for name in names]
    for turn in range(1, 10):
        for name in names:
            tasks.append(await model.ask(name, f"{name}{turn}"))
            await model.finish()
    served = Counter(item[0] for item in model.started)
    assert max(served.values()) - min(served.values()) <= 1
    await model.end(tasks)


async def test_never_more_than_one_frame_per_camera_waits() -> None:
    model = Model()
    tasks = [await model.ask(name, f"{name}{n}") for n in range(50) for name in ("a", "b")]
    assert model.scheduler.waiting == 2
    await model.end(tasks)


async def test_as_many_at_a_time_as_the_model_can() -> None:
    model = Model(parallel=2)
    tasks = [await model.ask(name, name) for name in ("a", "b", "c")]
    assert model.started == ["a", "b"]
    await model.finish()
    assert model.started == ["a", "b", "c"]
    await model.end(tasks)


async def test_waiting_and_working_times_are_kept() -> None:
    model = Model()
    tasks = [await model.ask("a", "a"), await model.ask("b", "b")]
    model.clock.advance(0.3)
    await model.finish()
    model.clock.advance(0.2)
    await model.finish()
    await asyncio.gather(*tasks)
    b = model.scheduler.statistics()["b"]
    assert b.waiting_s == b.longest_waiting_s == pytest.approx(0.3)
    assert b.working_s == pytest.approx(0.2)


async def test_a_failure_reaches_its_caller_and_nobody_else() -> None:
    model = Model()
    bad, good = await model.ask("a", "a"), await model.ask("b", "b")
    await model.finish(DetectorError("inference failed"))
    await model.finish()
    with pytest.raises(DetectorError, match="inference failed"):
        await bad
    assert await good == "seen"
    assert model.scheduler.statistics()["a"].failed == 1


async def test_a_caller_who_gives_up_frees_the_place() -> None:
    model = Model()
    tasks = [await model.ask("a", "a"), await model.ask("b", "b")]
    tasks[1].cancel()
    await settle()
    assert model.scheduler.waiting == 0
    await model.finish()
    assert await tasks[0] == "seen"
    assert model.started == ["a"]


async def test_a_caller_who_gives_up_during_the_work_blocks_nobody() -> None:
    model = Model()
    gone, next_one = await model.ask("a", "a"), await model.ask("b", "b")
    gone.cancel()
    await settle()
    await model.finish()
    await model.finish()
    assert await next_one == "seen"


async def test_closing_finishes_what_is_under_way_and_refuses_the_rest() -> None:
    model = Model()
    running, waiting = await model.ask("a", "a"), await model.ask("b", "b")
    closing = asyncio.create_task(model.scheduler.close())
    await settle()
    assert not closing.done()
    await model.finish()
    await closing
    assert await running == "seen"
    with pytest.raises(DetectorError, match="closed while this frame waited"):
        await waiting
    with pytest.raises(DetectorError, match="takes no more frames"):
        await model.scheduler.submit("a", "late")


async def served(model: Model, ranks: dict[str, int], rounds: int) -> Counter[str]:
    """Every stream always has a frame waiting; who is looked at in so many looks."""
    model.scheduler.prefer(ranks)
    tasks = [await model.ask(stream, stream) for stream in "abcd"]
    for _ in range(rounds):
        stream = model.started[-1]
        await model.finish()
        tasks.append(await model.ask(stream, stream))
    counts = Counter(model.started)
    await model.end(tasks)
    return counts


async def test_with_too_much_to_do_rates_fall_evenly() -> None:
    counts = await served(Model(), {}, 40)
    assert max(counts.values()) - min(counts.values()) <= 1


async def test_with_too_much_to_do_the_rate_of_what_is_urgent_falls_last() -> None:
    counts = await served(Model(), {"c": 2}, 90)
    others = [counts[stream] for stream in "abd"]
    assert counts["c"] > 1.4 * max(others)
    assert max(others) - min(others) <= 1, "evenly among the rest"
    assert min(others) > 12, "and nobody is forgotten"


class Batches:
    """A model that is cheaper on several items; what has the same first letter goes together."""

    def __init__(self, most: int) -> None:
        self.runs: list[list[str]] = []
        self._gates: list[asyncio.Future[None]] = []
        self.scheduler = FairScheduler[str, str](
            self._one, parallel=1, clock=ManualClock(),
            together=Together(self._several, most, lambda item: item[0]),
        )  # fmt: skip

    async def _one(self, item: str) -> str:
        return (await self._several([item]))[0]

    async def _several(self, items: Sequence[str]) -> list[str]:
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.runs.append(list(items))
        self._gates.append(gate)
        await gate
        return [f"saw {item}" for item in items]

    async def ask(self, *items: str) -> list[asyncio.Task[str | None]]:
        """One stream each."""
        tasks = [asyncio.create_task(self.scheduler.submit(item, item)) for item in items]
        await settle()
        return tasks

    async def finish(self, error: Exception | None = None) -> None:
        gate = self._gates.pop(0)
        if error is None:
            gate.set_result(None)
        else:
            gate.set_exception(error)
        await settle()


async def test_what_waits_for_a_gpu_goes_together_and_each_camera_gets_its_own_answer() -> None:
    model = Batches(most=3)
    tasks = await model.ask("a1", "a2", "a3", "a4", "a5")
    assert model.runs == [["a1"]], "nobody waits for others to come"
    await model.finish()
    assert model.runs[1:] == [["a2", "a3", "a4"]]
    await model.finish()
    assert model.runs[2:] == [["a5"]]
    await model.finish()
    assert [await task for task in tasks] == ["saw a1", "saw a2", "saw a3", "saw a4", "saw a5"]
    assert {one.finished for one in model.scheduler.statistics().values()} == {1}


async def test_only_pictures_of_one_shape_go_together_and_none_is_overtaken() -> None:
    model = Batches(most=8)
    tasks = await model.ask("a1", "a2", "b1", "a3")
    for _ in range(4):
        await model.finish()
        if len(model.runs) == 4:
            break
    assert model.runs == [["a1"], ["a2"], ["b1"], ["a3"]]
    await model.finish()
    assert [await task for task in tasks] == ["saw a1", "saw a2", "saw b1", "saw a3"]


async def test_a_run_that_fails_fails_for_all_that_were_in_it_and_for_nobody_else() -> None:
    model = Batches(most=8)
    first, *others = await model.ask("a1", "a2", "a3")
    await model.finish()
    await model.finish(DetectorError("out of memory"))
    assert await first == "saw a1"
    for task in others:
        with pytest.raises(DetectorError, match="out of memory"):
            await task
    (later,) = await model.ask("a4")
    await model.finish()
    assert await later == "saw a4"
