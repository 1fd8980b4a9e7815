"""The day as one picture: load by the hour, CPU, and how late timers were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def draw_day(result: dict[str, Any], path: Path) -> None:
    """Write the plots of a result as PNG."""
    samples, factor = result["samples"]["seconds"], result["factor"]
    hours = [one["simulated_s"] / 3600 for one in samples]
    figure, ((rates, cpu), (late, wait)) = plt.subplots(2, 2, figsize=(12, 7.5), layout="constrained")
    for key, label in (("events", "events"), ("files", "evidence files"), ("steps", "steps of people")):
        rates.plot(hours, [60 * one[key] / factor for one in samples], label=label, linewidth=1)
    rates.set(xlabel="hours of the day", ylabel="per simulated minute", title=f"{result['cameras']} cameras")
    rates.legend()
    for key in ("backend", "postgres", "generator"):
        cpu.plot(hours, [one[f"cpu_{key}"] for one in samples], label=key, linewidth=1)
    cpu.set(xlabel="hours of the day", ylabel="cores", title=f"CPU, time running {factor:g} times faster")
    cpu.legend()
    for key, label in (("reminder", "reminders"), ("supervision", "supervision")):
        values = result["samples"]["lateness_s"][key]
        if values:
            late.hist([value / factor for value in values], bins=40, alpha=0.6, label=label)
    late.set(xlabel="real seconds after they were due", ylabel="how many", title="Reminders and supervision")
    late.legend()
    kinds = [key for key, value in result["latency_ms"].items() if value]
    for place, share in enumerate(("p50", "p95")):
        values = [result["latency_ms"][key][share] for key in kinds]
        wait.barh([n + 0.4 * place for n in range(len(kinds))], values, height=0.4, label=share)
    wait.set_yticks([n + 0.2 for n in range(len(kinds))], [key.replace("_", " ") for key in kinds])
    wait.set(xlabel="ms, as the caller waits", title="Latency")
    wait.legend()
    figure.savefig(path, dpi=80)
    plt.close(figure)
