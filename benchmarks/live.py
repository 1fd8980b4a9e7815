"""Live view, measured: ``python -m benchmarks.live`` (minutes), ``--short`` for a machine that only checks.

Cameras encode live over RTSP, an edge process serves them, real aiortc viewers in processes of their
own watch on loopback (and one Chromium where there is one). In the same run aiortc's ``MediaPlayer``
and ``MediaRelay``, which decode and encode, serve the same viewers. CPU is that of the serving
process alone, counted for one viewer's picture and stated for a viewer's ``RATE`` pictures a second,
so that a machine that is too slow to transcode in time does not flatter the transcoder.

Viewers run at low priority, because they would be other machines. Signalling goes over a pipe, not
through the backend. Results: ``benchmarks/results/live-<date>.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import platform
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.live_view.cameras import RATE
from benchmarks.live_view.chromium import watch
from benchmarks.live_view.talk import ROOT, Child

SMALL, LARGE = "640x360:512", "1920x1080:2000"
NICE = 10
AIMS = {
    "cpu_ratio_vs_transcoding_per_viewer": ("<=", 0.1),
    "first_picture_p95_s": ("<=", 1.0),
    "latency_p95_ms": ("<=", 500.0),
    "detection_rate_with_viewers": (">=", 0.99),
}


@dataclass(frozen=True)
class Plan:
    """How long and how many. Seconds and viewers."""

    added_passing: int = 8
    added_transcoding: int = 1
    cpu_s: float = 20.0
    settle_s: float = 4.0
    first_pictures: int = 40
    latency_s: float = 30.0
    detection_viewers: int = 30
    detection_s: float = 30.0
    rounds: int = 3
    coming_and_going: int = 500
    at_a_time: int = 10


SHORT = Plan(
    added_passing=3, cpu_s=5.0, settle_s=2.0, first_pictures=5, latency_s=5.0,
    detection_viewers=6, detection_s=6.0, rounds=1, coming_and_going=20, at_a_time=5,
)  # fmt: skip


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


async def join(edge: Child, viewers: Child, viewer: int, camera: int = 0) -> None:
    """Let one viewer watch one camera; returns when the media flow can begin."""
    offer = await viewers.ask("offer", viewer=viewer)
    answer = await edge.ask("answer", viewer=viewer, camera=camera, offer=offer)
    await viewers.ask("accept", viewer=viewer, answer=answer)
    await viewers.ask("connected", viewer=viewer)


async def opened(stack: AsyncExitStack, module: str, *arguments: str, nice: int = 0) -> Child:
    """A child process that ends with ``stack``."""
    child = await Child.start(f"benchmarks.live_view.{module}", *arguments, nice=nice)
    stack.push_async_callback(child.stop)
    return child


async def spent(edge: Child, viewers: Child, seconds: float) -> dict[str, float]:
    """CPU seconds of the edge and pictures that all viewers received, over a while."""
    before, received = await edge.ask("usage"), await viewers.ask("report")
    await asyncio.sleep(seconds)
    after, now = await edge.ask("usage"), await viewers.ask("report")
    return {
        "cpu_s": after["cpu_s"] - before["cpu_s"],
        "seconds": after["at_s"] - before["at_s"],
        "pictures": now["received"] - received["received"],
    }


async def cpu_per_viewer(form: str, kind: str, plan: Plan) -> dict[str, Any]:
    """CPU of ``kind`` for one more viewer of one camera: the difference of one viewer and several.

    ``cores_per_viewer`` is for ``RATE`` pictures a second, from the CPU of one viewer's one picture.
    """
    added = plan.added_passing if kind == "pass" else plan.added_transcoding
    async with AsyncExitStack() as stack:
        cameras = await opened(stack, "cameras", form)
        edge = await opened(stack, "edge", kind)
        viewers = await opened(stack, "viewers", "receive", nice=NICE)
        await edge.ask("open", urls=await cameras.ask("urls"), analyse=False)
        await join(edge, viewers, 0)
        await asyncio.sleep(plan.settle_s)
        alone = await spent(edge, viewers, plan.cpu_s)
        for viewer in range(1, added + 1):
            await join(edge, viewers, viewer)
        await asyncio.sleep(plan.settle_s)
        together = await spent(edge, viewers, plan.cpu_s)
    # What one viewer costs beside the camera itself: slopes over pictures actually delivered. Where
    # the machine cannot keep up, the shared part shrinks too, so rates are compared, not totals.
    per_second_alone = alone["cpu_s"] / alone["seconds"]
    per_second = together["cpu_s"] / together["seconds"]
    pictures = together["pictures"] / together["seconds"] - alone["pictures"] / alone["seconds"]
    per_picture = (per_second - per_second_alone) / pictures if pictures > 0 else None
    # A machine without a core left delivers fewer pictures to everybody; then the mean is the honest bound.
    mean = together["cpu_s"] / together["pictures"] if together["pictures"] else None
    short_of = together["pictures"] / together["seconds"] < 0.9 * RATE * (added + 1)
    chosen = mean if (short_of or per_picture is None) else per_picture
    return {
        "kind": kind, "format": form, "added_viewers": added, "one_viewer": alone, "all_viewers": together,
        "kept_up": not short_of, "cpu_s_per_picture": chosen,
        "cores_per_viewer": None if chosen is None else chosen * RATE,
    }  # fmt: skip


async def first_pictures(plan: Plan) -> list[float]:
    """Seconds from a viewer's beginning to its first decoded picture, one viewer after another."""
    async with AsyncExitStack() as stack:
        cameras = await opened(stack, "cameras", SMALL)
        edge = await opened(stack, "edge", "pass")
        viewers = await opened(stack, "viewers", "decode", nice=NICE)
        await edge.ask("open", urls=await cameras.ask("urls"), analyse=False)
        found = []
        for viewer in range(plan.first_pictures):
            await join(edge, viewers, viewer)
            found.append(await viewers.ask("first_picture", viewer=viewer))
            await viewers.ask("leave", viewers=[viewer])
            await edge.ask("close", viewers=[viewer])
            await asyncio.sleep(0.13 + viewer % 7 * 0.21)  # at every place between two keyframes
        return found


async def latency(plan: Plan) -> dict[str, Any]:
    """Age of every picture in a decoding aiortc viewer's hand, and in Chromium's; milliseconds."""
    async with AsyncExitStack() as stack:
        cameras = await opened(stack, "cameras", SMALL)
        edge = await opened(stack, "edge", "pass")
        viewers = await opened(stack, "viewers", "decode")
        await edge.ask("open", urls=await cameras.ask("urls"), analyse=False)
        await join(edge, viewers, 0)
        await viewers.ask("first_picture", viewer=0)
        await asyncio.sleep(plan.settle_s)
        await viewers.ask("forget_ages")
        await asyncio.sleep(plan.latency_s)
        seen = await viewers.ask("report")
        await viewers.ask("leave", viewers=[0])
        await edge.ask("close", viewers=[0])
        chromium = await watch(edge, 0, seconds=plan.latency_s + 2)
    return {"aiortc": seen, "chromium": chromium}


async def detection(plan: Plan) -> dict[str, Any]:
    """Pictures analysed a second on two cameras, without viewers and with them, in turns."""
    async with AsyncExitStack() as stack:
        cameras = await opened(stack, "cameras", SMALL, SMALL)
        edge = await opened(stack, "edge", "pass")
        viewers = await opened(stack, "viewers", "receive", nice=NICE)
        await edge.ask("open", urls=await cameras.ask("urls"), analyse=True, limit_s=120)
        await asyncio.sleep(plan.settle_s)
        rounds = []
        for turn in range(plan.rounds):
            without = await analysed(edge, plan.detection_s)
            ids = [1000 * (turn + 1) + number for number in range(plan.detection_viewers)]
            for viewer in ids:
                await join(edge, viewers, viewer, camera=viewer % 2)
            await asyncio.sleep(plan.settle_s)
            received = (await viewers.ask("report"))["received"]
            watched = await analysed(edge, plan.detection_s)
            received = (await viewers.ask("report"))["received"] - received
            await viewers.ask("leave", viewers=ids)
            await edge.ask("close", viewers=ids)
            await asyncio.sleep(plan.settle_s)
            rounds.append(
                {
                    "without": without,
                    "with": watched,
                    "pictures_per_viewer_s": received / plan.detection_viewers / watched["seconds"],
                }
            )
    without_rate = sum(r["without"]["analysed"] for r in rounds) / sum(
        r["without"]["seconds"] for r in rounds
    )
    with_rate = sum(r["with"]["analysed"] for r in rounds) / sum(r["with"]["seconds"] for r in rounds)
    return {"viewers": plan.detection_viewers, "rounds": rounds, "without": without_rate, "with": with_rate}


async def analysed(edge: Child, seconds: float) -> dict[str, float]:
    """Frames analysed over a while."""
    before, began = await edge.ask("seen"), time.monotonic()
    await asyncio.sleep(seconds)
    after = await edge.ask("seen")
    return {
        "seconds": time.monotonic() - began,
        "analysed": after["analysed"] - before["analysed"],
        "offered": after["offered"] - before["offered"],
    }


async def memory(plan: Plan) -> dict[str, Any]:
    """Resident bytes of the edge while viewers come, receive and go."""
    async with AsyncExitStack() as stack:
        cameras = await opened(stack, "cameras", SMALL)
        edge = await opened(stack, "edge", "pass")
        viewers = await opened(stack, "viewers", "receive", nice=NICE)
        await edge.ask("open", urls=await cameras.ask("urls"), analyse=False)
        samples = [{"viewers": 0, **await edge.ask("usage")}]
        for begin in range(0, plan.coming_and_going, plan.at_a_time):
            ids = list(range(begin, begin + plan.at_a_time))
            await asyncio.gather(*(join(edge, viewers, viewer) for viewer in ids))
            await asyncio.sleep(0.3)
            await viewers.ask("leave", viewers=ids)
            await edge.ask("close", viewers=ids)
            samples.append({"viewers": begin + plan.at_a_time, **await edge.ask("usage")})
    # The first tenth warms caches and the allocator; growth is what comes after it.
    warm = samples[max(1, len(samples) // 10)]
    last = samples[-1]
    grown = last["rss"] - warm["rss"]
    return {
        "samples": [{"viewers": s["viewers"], "rss": s["rss"], "threads": s["threads"]} for s in samples],
        "growth_bytes": grown,
        "growth_bytes_per_viewer": grown / max(1, last["viewers"] - warm["viewers"]),
    }


async def measure(plan: Plan) -> dict[str, Any]:
    """Everything, one after the other."""
    cpu: dict[str, dict[str, Any]] = {}
    for name, form in (("640x360", SMALL), ("1920x1080", LARGE)):
        for kind in ("pass", "transcode"):
            say(f"CPU per viewer: {kind} at {name}")
            cpu[f"{kind} {name}"] = await cpu_per_viewer(form, kind, plan)
    say("time to the first picture")
    firsts = await first_pictures(plan)
    say("glass to glass")
    ages = await latency(plan)
    say("detection with viewers")
    rate = await detection(plan)
    say(f"memory over {plan.coming_and_going} viewers")
    grown = await memory(plan)

    def ratio(name: str) -> float:
        return float(cpu[f"pass {name}"]["cores_per_viewer"] / cpu[f"transcode {name}"]["cores_per_viewer"])

    chromium = ages["chromium"]
    return {
        "cpu_ratio_vs_transcoding_per_viewer": ratio("1920x1080"),
        "first_picture_p95_s": percentile(firsts, 0.95),
        "latency_p95_ms": percentile(ages["aiortc"]["ages_ms"], 0.95),
        "detection_rate_with_viewers": min(1.0, rate["with"] / rate["without"]),
        "cpu_ratio_vs_transcoding_per_viewer_640x360": ratio("640x360"),
        "latency_p95_ms_chromium": percentile(chromium["ages"], 0.95) if chromium else None,
        "first_picture_s_chromium": chromium["first"] if chromium else None,
        "memory_growth_bytes_per_viewer": grown["growth_bytes_per_viewer"],
        "raw": {
            "cpu": cpu,
            "first_pictures_s": firsts,
            "latency": ages,
            "detection": rate,
            "memory": grown,
        },
    }


def conditions(plan: Plan, *, shared: bool) -> dict[str, Any]:
    """Commit, command, machine and its load, so that a number can be doubted."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout.strip()  # fmt: skip

    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else ""),
        "command": "python -m benchmarks.live " + " ".join(sys.argv[1:]),
        "machine": {
            "system": platform.platform(), "processor": processor(), "cores": os.cpu_count(),
            "load_before": os.getloadavg(), "shared_with_other_work": shared,
        },
        "plan": vars(plan),
    }  # fmt: skip


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")


def say(line: str) -> None:
    """One line for the person who waits."""
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Measure, write the file, and say which aims were met; 1 if one was missed."""
    parser = argparse.ArgumentParser(description="Measure live view.")
    parser.add_argument("--short", action="store_true", help="a small run that only shows that it works")
    parser.add_argument("--shared", action="store_true", help="note that other work ran on this machine")
    parser.add_argument(
        "--out", type=Path, help="default: benchmarks/results/live-<date>.json; - writes none"
    )
    arguments = parser.parse_args()
    plan = SHORT if arguments.short else Plan()
    found = conditions(plan, shared=arguments.shared)
    found = {**asyncio.run(measure(plan)), **found, "short": arguments.short}
    found["machine"]["load_after"] = os.getloadavg()
    out = arguments.out or ROOT / "benchmarks" / "results" / f"live-{datetime.now(UTC):%Y-%m-%d}.json"
    if str(out) != "-":
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=1) + "\n")
    missed = 0
    for key, (sign, aim) in AIMS.items():
        met = found[key] <= aim if sign == "<=" else found[key] >= aim
        missed += not met
        print(f"{key:40} {found[key]:10.4f}  aim {sign} {aim:g}  {'met' if met else 'MISSED'}")
    for key in ("latency_p95_ms_chromium", "first_picture_s_chromium", "memory_growth_bytes_per_viewer"):
        print(f"{key:40} {found[key] if found[key] is None else round(found[key], 3)}")
    # A short run has too few samples to judge by; it fails only where something does not work.
    return 1 if missed and not arguments.short else 0


if __name__ == "__main__":
    sys.exit(main())
