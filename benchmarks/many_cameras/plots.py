"""The result as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

COLOURS = {"kitchen_watch": "#0b7a75", "ultralytics": "#b4552d"}


def draw(result: dict[str, Any], target: Path) -> None:
    """Cost per analysed frame, share of the rate, delay and memory over the number of cameras."""
    figure, axes = plt.subplots(2, 2, figsize=(11, 7.5), layout="constrained")
    cost, share, delay, memory = axes.flat
    for system, colour in COLOURS.items():
        samples = [
            one
            for one in result["samples"]
            if one["system"] == system and one["scene"] == "moving" and not one["sub"]
        ]
        samples.sort(key=lambda one: one["cameras"])
        cameras = [one["cameras"] for one in samples]
        for axis, values in (
            (cost, [one["cpu_s"] * 1000 / max(1, one["analysed"]) for one in samples]),
            (share, [100 * one["slowest_share"] for one in samples]),
            (delay, [one["delay_p95_ms"] for one in samples]),
            (memory, [one["memory_mb"] for one in samples]),
        ):
            axis.plot(cameras, values, "o-", color=colour, label=system)
    alone = result["alone_ms"]
    floor = alone["inference_ms"] + 25 / result["rate"] * alone["decode_ms.moving.main"]
    cost.axhline(floor, color="grey", ls="--", label="decoding and one inference, alone")
    share.axhline(95, color="grey", ls="--")
    delay.axhline(1000, color="grey", ls="--")
    cost.set_ylabel("CPU ms per analysed frame")
    share.set_ylabel("slowest camera, % of its rate")
    delay.set_ylabel("frame to decision, p95 ms")
    memory.set_ylabel("memory, MB")
    for axis in axes.flat:
        axis.set_xlabel("1080p25 cameras, people moving")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    cost.legend()
    machine = result["machine"]
    where = f"{machine['cpus']} CPUs · {machine['processor']}"
    figure.suptitle(f"{result['date']} · {where} · {result['commit']}")
    figure.savefig(target, dpi=110)
    plt.close(figure)
