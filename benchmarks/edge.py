"""Cameras per core: the edge against Ultralytics' own multi-stream prediction. ``python -m benchmarks.edge``.

Both look at the same RTSP cameras (1080p25 H.264 on loopback) five times a second with the same weights
and input size, one after the other in one run. Counted is processor time (user and system) of whole
process trees, not wall clock; the cameras' own process is not counted. The floor is the decoding of the
frames that were decoded and every inference that was run, each measured alone in the same run.

``--minutes`` bounds the whole; ``--short`` only shows that everything runs. Results:
``benchmarks/results/edge-<date>.json`` and a plot beside it. Cameras at 95 % depend on the machine being
otherwise idle; ratios of processor time depend on it little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import yaml

from benchmarks.live_view.talk import ROOT, Child
from benchmarks.machine import commit, machine
from benchmarks.many_cameras.films import MAIN_RATE, SCENES, film, make_films

RATE = 5
STRIDE = MAIN_RATE // RATE
KEPT, LATEST_MS = 0.95, 1000.0
"""A camera is served if it keeps this share of RATE, and 95 % of its frames are judged in this time."""
AIMS = {
    "cpu_ratio_vs_ultralytics_moving": ("<=", 1 / 2),
    "cpu_ratio_vs_ultralytics_still": ("<=", 1 / 6),
    "cpu_ratio_to_floor": ("<=", 1.25),
    "cameras_ratio_vs_ultralytics": (">=", 2.0),
    "cost_at_most_cameras_to_cost_at_two": ("<=", 1.10),
    "memory_mb_per_camera": ("<=", 40.0),
}
SECRET = "whsec_" + b64encode(b"0123456789abcdef0123456789abcdef").decode()
OURS, THEIRS = "kitchen_watch", "ultralytics"


@dataclass(frozen=True)
class Plan:
    """Seconds per measurement, and how many cameras are tried."""

    settle_s: float
    calm_s: float
    """Settling where costs are compared: the clips of what is found at once are made by then."""
    known_s: float
    """Settling of still scenes: the places in which a clock runs are known by then."""
    measure_s: float
    most: int
    still: int


@dataclass
class Sample:
    """One system with so many cameras, for a while."""

    system: str
    scene: str
    sub: bool
    cameras: int
    seconds: float
    cpu_s: float
    analysed: int
    """Frames given to the model; what the gate left out is not among them."""
    still: int
    """Frames that the gate left out."""
    decoded: int
    """Pictures of the stream that is analysed."""
    inferences: int
    """Of the model, second looks and tiles included; 0 where the system does not say."""
    slowest_share: float
    """Of RATE, by the camera that was served worst (frames that were looked at, or found still)."""
    delay_p50_ms: float
    delay_p95_ms: float
    memory_mb: float
    """Unique set size of the process tree at the end."""
    machine_busy: float
    """Share of all cores in use meanwhile, by whomever."""
    opened: dict[str, int] = field(default_factory=dict)
    decoded_main: int = 0
    """With a sub stream: pictures of the main stream, while something happened."""
    main_view: bool = False
    """With a sub stream: whether the main stream is looked at too."""
    main_when: str = ""
    """And when: needed (as by default) or active, all the time until the scene is still."""
    analysed_main: int = 0
    """Of the analysed frames, pictures of the main stream; with a sub stream the others are its own."""

    @property
    def cpu_per_analysed(self) -> float:
        """Milliseconds."""
        return self.cpu_s * 1000 / self.analysed if self.analysed else float("nan")

    @property
    def cpu_per_camera_second(self) -> float:
        """Milliseconds, of a camera that keeps its rate: one that is served badly costs less."""
        judged = self.analysed + self.still
        return self.cpu_s * 1000 / judged * RATE if judged else float("nan")

    @property
    def served(self) -> bool:
        """Whether every camera keeps its rate and its delay."""
        return self.slowest_share >= KEPT and self.delay_p95_ms < LATEST_MS


class Bench:
    """The cameras' addresses, a place for files, and what has been measured."""

    def __init__(self, folder: Path, urls: dict[str, str], plan: Plan) -> None:
        self.samples: list[Sample] = []
        self._folder, self._urls, self._plan = folder, urls, plan

    async def measure(
        self,
        system: str,
        scene: str,
        cameras: int,
        *,
        sub: bool = False,
        main_view: str = "needed",
        settle_s: float | None = None,
    ) -> Sample:
        """Start the system, let it settle, count for a while, end it."""
        ours = system == OURS
        command = (
            self._edge(scene, cameras, sub=sub, main_view=main_view)
            if ours
            else self._streams(scene, cameras)
        )
        child = await Child.start(*command)
        try:
            before = await self._settled(child, cameras, settle_s or self._plan.settle_s)
            process = psutil.Process(child.pid)
            started, spent = time.monotonic(), _cpu(process)
            psutil.cpu_percent()
            await asyncio.sleep(self._plan.measure_s)
            after = await child.ask("figures")
            seconds, spent = time.monotonic() - started, _cpu(process) - spent
            sample = self._sample(system, scene, cameras, before, after, seconds, spent, sub=sub)
            sample.main_view = sub and main_view != "off"
            sample.main_when = main_view if sample.main_view else ""
            sample.memory_mb = round(_memory(process) / 1e6, 1)
        finally:
            await child.stop()
        self.samples.append(sample)
        print(
            f"{system:<14}{scene:<8}{_streams_used(sample):<11}{cameras:>3} cameras  "
            f"{sample.cpu_per_analysed:>7.1f} ms/frame  {sample.cpu_per_camera_second:>7.1f} ms/camera/s  "
            f"{sample.slowest_share:>5.0%} of {RATE}/s  p95 {sample.delay_p95_ms:>5.0f} ms  "
            f"{sample.memory_mb:>6.0f} MB  machine {sample.machine_busy:.0%}",
            flush=True,
        )
        return sample

    async def _settled(self, child: Child, cameras: int, settle_s: float) -> dict[str, Any]:
        """The counters once every camera has been looked at and the settling time is over."""
        deadline = time.monotonic() + 60
        while True:
            figures = await child.ask("figures", limit_s=60)
            if sum(count > 0 for count in figures["analysed"].values()) >= cameras:
                break
            if time.monotonic() > deadline:
                raise TimeoutError("not every camera has been looked at within a minute")
            await asyncio.sleep(0.2)
        await asyncio.sleep(settle_s)
        answer: dict[str, Any] = await child.ask("figures")
        return answer

    def _sample(
        self, system: str, scene: str, cameras: int, before: dict[str, Any], after: dict[str, Any],
        seconds: float, spent: float, *, sub: bool,
    ) -> Sample:  # fmt: skip
        def grown(name: str) -> dict[str, int]:
            old = before.get(name, {})
            return {key: count - old.get(key, 0) for key, count in after.get(name, {}).items()}

        analysed, still = grown("analysed"), grown("still")
        looked = [analysed[key] + still.get(key, 0) for key in analysed]
        delays = after["delays_ms"] or [float("inf")]
        return Sample(
            system=system, scene=scene, sub=sub, cameras=cameras, seconds=round(seconds, 3),
            cpu_s=round(spent, 3), analysed=sum(analysed.values()), still=sum(still.values()),
            decoded=after.get("decoded", 0) - before.get("decoded", 0),
            decoded_main=after.get("decoded_main", 0) - before.get("decoded_main", 0),
            analysed_main=after.get("analysed_main", 0) - before.get("analysed_main", 0),
            inferences=after.get("inferences", 0) - before.get("inferences", 0),
            slowest_share=round(min(looked) / seconds / RATE, 4),
            delay_p50_ms=round(float(np.percentile(delays, 50)), 1),
            delay_p95_ms=round(float(np.percentile(delays, 95)), 1),
            memory_mb=0.0, machine_busy=round(psutil.cpu_percent() / 100, 3), opened=after.get("opened", {}),
        )  # fmt: skip

    def _edge(self, scene: str, cameras: int, *, sub: bool, main_view: str) -> tuple[str, ...]:
        home = Path(tempfile.mkdtemp(dir=self._folder))
        settings = {
            "edge_id": "bench", "data_dir": str(home / "data"), "status": {"port": 0},
            # Nobody listens there: events stay in the outbox.
            "backend": {"url": "http://127.0.0.1:9", "secret": SECRET},
            "analysis": {
                "main_view": {"enabled": False} if main_view == "off" else {"when": main_view},
            },
            "cameras": [
                {"camera_id": f"camera-{number:02}", "main": {"url": self._urls[f"{scene}-main"]}}
                | ({"sub": {"url": self._urls[f"{scene}-sub"]}} if sub else {})
                for number in range(cameras)
            ],
        }  # fmt: skip
        (home / "edge.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        return ("benchmarks.many_cameras.ours", str(home / "edge.yaml"))

    def _streams(self, scene: str, cameras: int) -> tuple[str, ...]:
        streams = self._folder / "list.streams"
        # Addresses must differ, or their results cannot be told apart.
        address = self._urls[f"{scene}-main"]
        streams.write_text("".join(f"{address}/{number}\n" for number in range(cameras)), encoding="utf-8")
        weights = str(self._folder / "kitchen-yolo26n.pt")
        return ("benchmarks.many_cameras.theirs", weights, str(streams), str(STRIDE))


def _streams_used(sample: Sample) -> str:
    if not sample.sub:
        return "main"
    return f"sub+{sample.main_when}" if sample.main_view else "sub"


def _cpu(process: psutil.Process) -> float:
    """User and system seconds of the process tree, ended children included."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        total += times.user + times.system
        if one is process:
            total += times.children_user + times.children_system
    return total


def _memory(process: psutil.Process) -> float:
    return float(sum(one.memory_full_info().uss for one in (process, *process.children(recursive=True))))


async def most_cameras(bench: Bench, system: str, most: int, deadline: float) -> tuple[int, bool]:
    """The greatest number of moving cameras that are served, and whether the end was reached.

    A number that fails is tried once more, since another process may have come between.
    """
    best, cameras = 0, 1
    while cameras <= most and time.monotonic() < deadline:
        for _ in range(2):
            try:
                served = (await bench.measure(system, "moving", cameras)).served
            except TimeoutError as error:  # so many that not even the first frames were looked at
                print(f"{system}: {cameras} cameras: {error}", flush=True)
                served = False
            if served:
                break
        if not served:
            return best, True
        best, cameras = cameras, cameras + 1
    return best, False


def floor_of(sample: Sample, alone: dict[str, float]) -> float:
    """Seconds of processor time that nobody could have done without."""
    stream = "sub" if sample.sub else "main"
    decoding = sample.decoded * alone[f"decode_ms.{sample.scene}.{stream}"]
    decoding += sample.decoded_main * alone[f"decode_ms.{sample.scene}.main"]
    return (decoding + sample.inferences * alone["inference_ms"]) / 1000


def first(samples: Sequence[Sample], **wanted: object) -> Sample | None:
    """The last of these samples that has the wanted values: a repetition counts, not what it repeats."""
    fitting = [one for one in samples if all(getattr(one, key) == value for key, value in wanted.items())]
    return fitting[-1] if fitting else None


def summary(samples: Sequence[Sample], alone: dict[str, float], capacity: dict[str, int]) -> dict[str, Any]:
    """The figures that are asked for, from the raw samples."""
    ours = [one for one in samples if one.system == OURS and one.scene == "moving" and not one.sub]
    theirs = [one for one in samples if one.system == THEIRS and one.scene == "moving"]
    both = sorted({one.cameras for one in ours} & {one.cameras for one in theirs})
    at = 2 if 2 in both else both[-1]
    # The first of each was given the time to calm down.
    mine, other = (next(one for one in many if one.cameras == at) for many in (ours, theirs))
    shown = {one.main_when for one in samples if one.main_view}
    # Results of before the main stream could be decoded on need have no word for it.
    default = "needed" if "needed" in shown else ""
    with_sub = first(samples, system=OURS, scene="moving", sub=True, main_view=True, main_when=default)
    active = first(samples, system=OURS, scene="moving", sub=True, main_view=True, main_when="active")
    on_sub = first(samples, system=OURS, scene="moving", sub=True, main_view=False)
    still_sub = first(samples, system=OURS, scene="still", sub=True)
    still_main = first(samples, system=OURS, scene="still", sub=False)
    still_other = first(samples, system=THEIRS, scene="still")
    assert with_sub or on_sub
    assert still_sub
    assert still_main
    assert still_other
    served = [one for one in ours if one.served]
    last = max(served, key=lambda one: one.cameras, default=mine)
    fewest = min(ours, key=lambda one: one.cameras)
    most = max(ours, key=lambda one: one.cameras)
    result: dict[str, Any] = {
        "cpu_ratio_vs_ultralytics_moving": mine.cpu_per_analysed / other.cpu_per_analysed,
        "cpu_ratio_vs_ultralytics_still": still_sub.cpu_per_camera_second / still_other.cpu_per_camera_second,
        "cpu_ratio_vs_ultralytics_still_without_sub": still_main.cpu_per_camera_second
        / still_other.cpu_per_camera_second,
        "cpu_ratio_to_floor": mine.cpu_s / floor_of(mine, alone),
        "cpu_ms_per_analysed_frame": {OURS: mine.cpu_per_analysed, THEIRS: other.cpu_per_analysed},
        "cpu_ms_per_camera_second": {
            "moving": mine.cpu_per_camera_second,
            "still": still_main.cpu_per_camera_second,
            "still_with_sub": still_sub.cpu_per_camera_second,
            "moving_ultralytics": other.cpu_per_camera_second,
            "still_ultralytics": still_other.cpu_per_camera_second,
        },
        "compared_at_cameras": at,
        "memory_mb_at_one_camera": fewest.memory_mb,
        "frames_left_out_as_still": {"without_sub": still_main.still, "with_sub": still_sub.still},
    }
    for name, sample in (("with_sub", with_sub), ("active", active), ("on_sub", on_sub)):
        if sample is not None:
            result[f"cpu_ratio_vs_ultralytics_moving_{name}"] = (
                sample.cpu_per_analysed / other.cpu_per_analysed
            )
            result[f"cpu_ratio_to_floor_{name}"] = sample.cpu_s / floor_of(sample, alone)
            result["cpu_ms_per_camera_second"][f"moving_{name}"] = sample.cpu_per_camera_second
    if last.cameras > at:
        result["cost_at_most_cameras_to_cost_at_two"] = last.cpu_per_analysed / mine.cpu_per_analysed
    if most.cameras > fewest.cameras:
        result["memory_mb_per_camera"] = (most.memory_mb - fewest.memory_mb) / (most.cameras - fewest.cameras)
    if capacity[THEIRS]:
        result["cameras_ratio_vs_ultralytics"] = capacity[OURS] / capacity[THEIRS]
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}


async def run(plan: Plan, minutes: float, folder: Path) -> dict[str, Any]:
    """Everything, within the budget; the search for the most cameras takes what is left."""
    began = time.monotonic()
    deadline = began + minutes * 60
    make_films(folder)
    weights = folder / "kitchen-yolo26n.pt"
    subprocess.run(
        [sys.executable, "-m", "benchmarks.many_cameras.weights", str(weights)], check=True, cwd=ROOT
    )
    films = [str(film(folder, scene, stream)) for scene in SCENES for stream in ("main", "sub")]
    async with AsyncExitStack() as stack:
        server = await Child.start("benchmarks.many_cameras.cameras", str(folder))
        stack.push_async_callback(server.stop)
        bench = Bench(folder, await server.ask("addresses"), plan)
        floors = [_floor(films)]
        print(f"alone: {floors[0]}", flush=True)
        calm = plan.calm_s
        for system in (OURS, THEIRS):
            await bench.measure(system, "moving", 2, settle_s=calm)
        for main_view in ("needed", "active", "off"):
            await bench.measure(OURS, "moving", 2, sub=True, main_view=main_view, settle_s=calm)
        for sub in (True, False):
            await bench.measure(OURS, "still", plan.still, sub=sub, settle_s=plan.known_s)
        await bench.measure(THEIRS, "still", 2)
        capacity: dict[str, int] = {}
        reached: dict[str, bool] = {}
        left = deadline - time.monotonic() - 20
        # Theirs first: it ends sooner, and what it leaves goes to ours.
        capacity[THEIRS], reached[THEIRS] = await most_cameras(
            bench, THEIRS, plan.most, time.monotonic() + left * 0.4
        )
        capacity[OURS], reached[OURS] = await most_cameras(bench, OURS, plan.most, deadline - 20)
        floors.append(_floor(films))
    alone = {key: min(one[key] for one in floors) for key in floors[0]}
    return {
        **summary(bench.samples, alone, capacity),
        "cameras_at_95_percent": {system: capacity[system] for system in (OURS, THEIRS)},
        "cameras_search_ended": reached,
        "alone_ms": alone,
        "alone_ms_raw": floors,
        "samples": [asdict(one) for one in bench.samples],
        "took_s": round(time.monotonic() - began),
    }


def _floor(films: Sequence[str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.many_cameras.floor", *films],
        check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    values: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return values


def command(*, short: bool, minutes: float) -> str:
    """How to measure this again; where films are kept meanwhile is nobody else's business."""
    return "python -m benchmarks.edge " + ("--short" if short else f"--minutes {minutes:g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="only show that everything runs")
    parser.add_argument("--minutes", type=float, default=11.0, help="for everything together")
    parser.add_argument("--films", type=Path, help="keep the films there; default: made anew")
    parser.add_argument("--out", default="", help="file for the result; - for none")
    chosen = parser.parse_args()
    plan = Plan(2, 4, 12, 4, 2, 2) if chosen.short else Plan(5, 18, 42, 10, 24, 4)
    today = datetime.now(UTC).date().isoformat()
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as temporary:
        folder = chosen.films or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        result = asyncio.run(run(plan, 2.5 if chosen.short else chosen.minutes, folder))
    result = {
        "date": today, "commit": commit(), "command": command(short=chosen.short, minutes=chosen.minutes),
        "machine": machine(), "rate": RATE, "aims": AIMS, **result,
    }  # fmt: skip
    for name, (sign, aim) in AIMS.items():
        value = result.get(name)
        reached = value is not None and (value <= aim if sign == "<=" else value >= aim)
        verdict = "not measured" if value is None else "reached" if reached else "NOT reached"
        print(f"{name:<40}{value!s:>10}  wanted {sign} {aim:.3g}  {verdict}")
    print(
        f"cameras at 95 %: {result['cameras_at_95_percent']}, search ended: {result['cameras_search_ended']}"
    )
    if chosen.out != "-":
        from benchmarks.many_cameras.plots import draw  # noqa: PLC0415 - slow to load

        target = Path(chosen.out) if chosen.out else ROOT / "benchmarks" / "results" / f"edge-{today}.json"
        target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        draw(result, target.with_suffix(".png"))
        print(f"wrote {target}")


if __name__ == "__main__":
    main()
