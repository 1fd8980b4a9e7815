"""Writes docs/scaling.md: the benchmarks' measured costs turned into machines, network and storage.

python docs/scaling.py            # write it, from the newest benchmarks/results/edge-*.json
python docs/scaling.py --check    # fail if it is not up to date
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
TARGET = DOCS / "scaling.md"
RESULTS = DOCS.parent / "benchmarks" / "results"
CAMERAS = (100, 1_000, 30_000)

# What nobody measured here: assumptions, named on the page.
BUSY_SHARE = 0.4
USED = 0.7
BOX_CORES = 8
SYSTEM_MB = 1_000
CAMERA_MB = 80.0
"""Where a result has no memory per camera, because too few cameras were tried."""
EVENTS_PER_CAMERA_DAY = 3.0
PEAK_TO_MEAN = 5.0
SNAPSHOT_MB = 0.8
CLIP_S = 15.0
MAIN_MBIT, SUB_MBIT = 4.0, 0.5
RING_S = 20.0
EDGE_DAYS, BACKEND_DAYS = 30, 365
DAY_S = 86_400


def newest(name: str) -> tuple[Path, dict[str, Any]]:
    """The newest result of a benchmark.

    Raises:
        FileNotFoundError: there is none.
    """
    files = sorted(RESULTS.glob(f"{name}-*.json"))
    if not files:
        raise FileNotFoundError(f"no {name}-*.json below {RESULTS}; run `make bench` first")
    return files[-1], json.loads(files[-1].read_text(encoding="utf-8"))


def _memory(edge: dict[str, Any]) -> float:
    """Megabytes per camera."""
    return float(edge.get("memory_mb_per_camera", CAMERA_MB))


def _moving_with_sub(cost: dict[str, float]) -> float:
    """Of a camera with a sub stream, by default settings where that was measured."""
    return cost["moving_with_sub"] if "moving_with_sub" in cost else cost["moving_on_sub"]


def sizing(edge: dict[str, Any], cameras: int, *, sub: bool) -> dict[str, float]:
    """Cores, boxes, memory, network and storage for so many cameras."""
    cost = edge["cpu_ms_per_camera_second"]
    moving = _moving_with_sub(cost) / 1000 if sub else cost["moving"] / 1000
    still = cost["still_with_sub" if sub else "still"] / 1000
    # Boxes must carry the hour in which every kitchen works; electricity follows the mean of the day.
    boxes = math.ceil(cameras * moving / (BOX_CORES * USED))
    per_box = math.ceil(cameras / boxes)
    events = cameras * EVENTS_PER_CAMERA_DAY
    evidence_mb = SNAPSHOT_MB + CLIP_S * MAIN_MBIT / 8
    ring_mb = RING_S * MAIN_MBIT / 8
    return {
        "cores_at_peak": cameras * moving,
        "cores_in_the_mean": cameras * (BUSY_SHARE * moving + (1 - BUSY_SHARE) * still),
        "boxes": boxes,
        "cameras_per_box": per_box,
        "memory_gb_per_box": (SYSTEM_MB + edge["memory_mb_at_one_camera"]
                              + per_box * (_memory(edge) + ring_mb)) / 1000,
        "network_in_gbit": cameras * (MAIN_MBIT + (SUB_MBIT if sub else 0)) / 1000,
        "events_per_second_mean": events / DAY_S,
        "events_per_second_peak": events / DAY_S * PEAK_TO_MEAN,
        "evidence_mbit_peak": events / DAY_S * PEAK_TO_MEAN * evidence_mb * 8,
        "edge_storage_tb": events * EDGE_DAYS * evidence_mb / 1e6,
        "backend_storage_tb": events * BACKEND_DAYS * evidence_mb / 1e6,
        "rows_per_year_million": events * 365 / 1e6,
    }  # fmt: skip


def _table(edge: dict[str, Any]) -> list[str]:
    rows = [
        ("Cores while every kitchen works", "cores_at_peak", ",.1f"),
        ("Cores in the mean of a day", "cores_in_the_mean", ",.1f"),
        (f"Boxes of {BOX_CORES} cores", "boxes", ",.0f"),
        ("Cameras per box", "cameras_per_box", ",.0f"),
        ("Memory per box, GB", "memory_gb_per_box", ",.1f"),
        ("Cameras to edges, Gbit/s", "network_in_gbit", ",.2f"),
        ("Events a second, mean", "events_per_second_mean", ",.3f"),
        ("Events a second, busiest hour", "events_per_second_peak", ",.2f"),
        ("Edges to backend, Mbit/s, busiest hour", "evidence_mbit_peak", ",.1f"),
        (f"Evidence at the edges ({EDGE_DAYS} days), TB", "edge_storage_tb", ",.2f"),
        (f"Evidence at the backend ({BACKEND_DAYS} days), TB", "backend_storage_tb", ",.2f"),
        ("Events a year, million", "rows_per_year_million", ",.2f"),
    ]
    cases = [(cameras, sub) for cameras in CAMERAS for sub in (True, False)]
    titles = [f"{cameras:,}, {'sub stream' if sub else 'main alone'}" for cameras, sub in cases]
    lines = ["| cameras | " + " | ".join(titles) + " |", "|---|" + "---:|" * len(cases)]
    sizes = [sizing(edge, cameras, sub=sub) for cameras, sub in cases]
    for title, key, form in rows:
        lines.append(f"| {title} | " + " | ".join(format(size[key], form) for size in sizes) + " |")
    return lines


def _cost_table(edge: dict[str, Any]) -> list[str]:
    cost = edge["cpu_ms_per_camera_second"]
    with_sub = {
        "moving_with_sub": "sub stream, and the main stream while something happens",
        "moving_on_sub": "sub stream alone (`analysis.main_view.enabled: false`)",
    }
    return [
        "| one camera, CPU ms a second | people moving | still |",
        "|---|---:|---:|",
        *(
            f"| {title} | {cost[key]:.0f} | {cost['still_with_sub']:.0f} |"
            for key, title in with_sub.items()
            if key in cost
        ),
        f"| main stream analysed | {cost['moving']:.0f} | {cost['still']:.0f} |",
        f"| Ultralytics' multi-stream prediction, main stream | {cost['moving_ultralytics']:.0f} "
        f"| {cost['still_ultralytics']:.0f} |",
    ]


PAGE = """\
# How many machines

Written by `python docs/scaling.py` from `benchmarks/results/{name}` (measured {date} at {commit} on
{cores} cores of {cpu}); do not edit by hand. `make bench` measures anew and writes this page.

## Measured

{costs}

{trust}

One analysed frame of the main stream costs {ours:.1f} ms ({theirs:.1f} ms with Ultralytics), {floor:.2f} times what
decoding and inference alone cost: one 1080p picture takes {decode:.1f} ms to decode, one inference {infer:.1f} ms.
Every further camera takes {memory:.0f} MB ({remembered}) before its ring of packets is full.

![the edge and Ultralytics by the number of cameras](../benchmarks/results/{stem}.png)

## Turned into machines

The cost per camera was measured with few cameras on one machine. That it stays the same with many boxes is
sure, since they share nothing; that it stays the same in a box with more cores is assumed.

{sizes}

Assumed, not measured:

- Five frames a second are analysed per camera; kitchens are busy {busy:.0%} of the day, all at the same time.
- A box of {box} cores like the measured ones is filled to {used:.0%}; {system} MB are for its system.
- Main streams of {main:g} Mbit/s, sub streams of {sub:g}; a ring of {ring:g} s of packets.
- {events:g} events per camera and day, {peak:g} times the mean in the busiest hour; each with snapshots of
  {snapshot:g} MB and a clip of {clip:g} s.
- Evidence stays {edge_days} days at the edge and {backend_days} at the backend; nobody records continuously.

Change them at the top of `docs/scaling.py`. Money is left to whoever knows the prices: boxes, terabytes and
Mbit/s are what is paid for.

## Where it breaks first, and what then

1. **CPU of the edge.** Where the main stream is analysed, decoding is {decoding:.0%} of all the work. Analyse the sub
   stream alone: while people move, the same box then carries {gain:.1f} times as many cameras, and finds less of
   what is small. What is left is inference: fewer frames a second, or a GPU (`.engine` through Ultralytics;
   not tried here).
2. **Overload.** The newest frame wins, and who cannot decode in time skips to the next keyframe: rates fall and
   show as dropped frames in heartbeats and in the alarm `FramesFallBehind`, but no backlog grows. Another box is
   one line of YAML.
3. **Network of the cameras.** Video leaves the premises or their computer room only when somebody looks; an edge
   beside the cameras needs no more than the evidence's bandwidth to the backend.
4. **Backend.** Two processes with PostgreSQL on the measured machine take {ingest:,.0f} events a second with a
   million alerts in the database; {most:,} cameras send {peak_events:.1f} in their busiest hour. Evidence is what
   weighs: on several machines its files need a shared file system. See [deploy.md](deploy.md).
5. **Live view.** A viewer to whom a 1080p stream is passed costs {viewer:.0f} ms a second at the edge. Where hundreds
   look at the *same* camera, or nobody may reach the edge, put a WHEP gateway (MediaMTX, go2rtc) beside the
   backend and let it pull that one stream.
6. **One control connection per edge** lives in one backend process; pages and live view depend on that process.
   Spreading them, and moving cameras to another box when one dies, is not built yet: the cameras of a dead box
   are unwatched, and the backend says so.
"""


def _trust(edge: dict[str, Any]) -> str:
    """What the machine was busy with while the compared figures were measured."""
    shares = [
        sample["slowest_share"]
        for sample in edge["samples"]
        if sample["system"] == "kitchen_watch" and sample["cameras"] == edge["compared_at_cameras"]
    ]
    kept = min(shares)
    if kept >= 0.95:
        return "Every camera kept its rate meanwhile."
    return (
        f"**Measured on a machine that had other work to do:** the slowest camera kept {kept:.0%} of its rate, and the "
        "costs are too high. Measure again with `make bench` before anything is bought."
    )


def page() -> str:
    """The whole page as Markdown."""
    path, edge = newest("edge")
    _, live = newest("live")
    _, backend = newest("backend")
    cost, alone, machine = edge["cpu_ms_per_camera_second"], edge["alone_ms"], edge["machine"]
    per_frame = edge["cpu_ms_per_analysed_frame"]
    return PAGE.format(
        trust=_trust(edge),
        remembered="measured" if "memory_mb_per_camera" in edge else "assumed",
        name=path.name, stem=path.stem, date=edge["date"], commit=edge["commit"], cores=machine["cores"],
        cpu=machine["cpu"], costs="\n".join(_cost_table(edge)), sizes="\n".join(_table(edge)),
        ours=per_frame["kitchen_watch"], theirs=per_frame["ultralytics"], floor=edge["cpu_ratio_to_floor"],
        decode=alone["decode_ms.moving.main"], infer=alone["inference_ms"], memory=_memory(edge),
        busy=BUSY_SHARE, box=BOX_CORES, used=USED, system=SYSTEM_MB, main=MAIN_MBIT, sub=SUB_MBIT, ring=RING_S,
        events=EVENTS_PER_CAMERA_DAY, peak=PEAK_TO_MEAN, snapshot=SNAPSHOT_MB, clip=CLIP_S, edge_days=EDGE_DAYS,
        backend_days=BACKEND_DAYS, decoding=25 * alone["decode_ms.moving.main"] / cost["moving"],
        gain=cost["moving"] / cost.get("moving_on_sub", _moving_with_sub(cost)), ingest=backend["ingest_events_per_s"], most=max(CAMERAS),
        peak_events=sizing(edge, max(CAMERAS), sub=True)["events_per_second_peak"],
        viewer=1000 * live["raw"]["cpu"]["pass 1920x1080"]["cores_per_viewer"],
    )  # fmt: skip


def main() -> int:
    text = page()
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
            print(f"{TARGET} is not up to date; run `python docs/scaling.py`", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text, encoding="utf-8")
    print(f"wrote {TARGET}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
