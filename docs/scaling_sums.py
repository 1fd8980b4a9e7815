"""The sums behind docs/scaling.md: measured costs and assumed use turned into machines and money."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ASSUMPTIONS = Path(__file__).parent / "scaling.yaml"
DAY_S = 86_400
HEARTBEATS_A_DAY = DAY_S / 5
CAMERA_MB = 80.0
"""Where a result has no memory per camera, because too few cameras were tried."""


def assumptions() -> dict[str, Any]:
    """What the YAML file beside the page says."""
    found: dict[str, Any] = yaml.safe_load(ASSUMPTIONS.read_text(encoding="utf-8"))
    return found


def moving_with_sub(cost: Mapping[str, float]) -> float:
    """Of a camera with a sub stream while its main stream is decoded, where that was measured: machines must
    do for a kitchen in which somebody is suspected all the time.
    """
    measured = ("moving_active", "moving_with_sub", "moving_on_sub")
    return next(cost[key] for key in measured if key in cost)


def memory_of(edge: Mapping[str, Any]) -> float:
    """Megabytes per camera."""
    return float(edge.get("memory_mb_per_camera", CAMERA_MB))


def evidence_mb(assumed: Mapping[str, Any]) -> float:
    """Of one violation: snapshots and a clip of the main stream."""
    use = assumed["use"]
    return float(use["snapshot_mb"] + use["clip_s"] * use["main_mbit"] / 8)


def sizing(
    edge: Mapping[str, Any], cameras: int, *, sub: bool, assumed: Mapping[str, Any] | None = None
) -> dict[str, float]:
    """Cores, boxes, memory, network and storage for so many cameras."""
    assumed = assumed or assumptions()
    use, machines = assumed["use"], assumed["machines"]
    cost = edge["cpu_ms_per_camera_second"]
    moving = (moving_with_sub(cost) if sub else cost["moving"]) / 1000
    still = cost["still_with_sub" if sub else "still"] / 1000
    # Boxes must carry the hour in which every kitchen works; electricity follows the mean of the day.
    boxes = math.ceil(cameras * moving / (machines["edge_box_cores"] * machines["filled"]))
    per_box = math.ceil(cameras / boxes)
    events, busy = cameras * use["events_per_camera_day"], use["busy_share_of_day"]
    per_event = evidence_mb(assumed)
    ring_mb = use["ring_s"] * use["main_mbit"] / 8
    peak = events / DAY_S * use["peak_to_mean"]
    return {
        "cores_at_peak": cameras * moving,
        "cores_in_the_mean": cameras * (busy * moving + (1 - busy) * still),
        "boxes": boxes,
        "cameras_per_box": per_box,
        "memory_gb_per_box": (machines["edge_box_system_mb"] + edge["memory_mb_at_one_camera"]
                              + per_box * (memory_of(edge) + ring_mb)) / 1000,
        "network_in_gbit": cameras * (use["main_mbit"] + (use["sub_mbit"] if sub else 0)) / 1000,
        "events_per_second_mean": events / DAY_S,
        "events_per_second_peak": peak,
        "evidence_mbit_mean": events / DAY_S * per_event * 8,
        "evidence_mbit_peak": peak * per_event * 8,
        "edge_storage_tb": events * use["edge_days"] * per_event / 1e6,
        "backend_storage_tb": events * use["backend_days"] * per_event / 1e6,
        "rows_per_year_million": events * 365 / 1e6,
        "viewers": cameras * use["viewers_per_1000_cameras"] / 1000,
        "live_mbit": cameras * use["viewers_per_1000_cameras"] / 1000 * use["sub_mbit"],
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class BackendCost:
    """CPU of backend and PostgreSQL together, as the city's day measured it."""

    idle_cores: float
    ms_per_camera_day: float
    """Heartbeats."""
    ms_per_alert: float
    """From its first event to its last step, with what people look at."""
    ms_per_mb: float
    bytes_per_alert: float

    @classmethod
    def measured(cls, city: Mapping[str, Any]) -> BackendCost:
        """From a result of ``benchmarks.city``."""
        apart = city["apart"]
        beat = sum(apart["cpu_ms_per_heartbeat"].values()) / apart["cameras_per_heartbeat"]
        return cls(
            idle_cores=sum(apart["idle_cores_of_all_processes"].values()),
            ms_per_camera_day=HEARTBEATS_A_DAY * beat,
            ms_per_alert=sum(city["cpu_ms_per_alert"].values()),
            ms_per_mb=sum(apart["cpu_ms_per_megabyte_of_evidence"].values()),
            bytes_per_alert=city["database_bytes_per_alert"],
        )


def backend_sizing(cost: BackendCost, cameras: int, assumed: Mapping[str, Any]) -> dict[str, float]:
    """Cores, servers and database for so many cameras."""
    use, machines = assumed["use"], assumed["machines"]
    per_event = cost.ms_per_alert + cost.ms_per_mb * evidence_mb(assumed)
    beats = cameras * cost.ms_per_camera_day / 1000 / DAY_S
    alerts = cameras * use["events_per_camera_day"] * per_event / 1000 / DAY_S
    peak = cost.idle_cores + beats + alerts * use["peak_to_mean"]
    least = machines["least_backend_servers"] + (cameras >= machines["two_servers_from_cameras"])
    yearly = cameras * use["events_per_camera_day"] * 365
    return {
        "backend_cores_mean": cost.idle_cores + beats + alerts,
        "backend_cores_peak": peak,
        "servers": max(least, math.ceil(peak / (machines["server_cores"] * machines["filled"]))),
        "database_gb_a_year": yearly * cost.bytes_per_alert / 1e9,
    }


def money(
    edge: Mapping[str, float], backend: Mapping[str, float], assumed: Mapping[str, Any]
) -> dict[str, float]:
    """A year, in the currency of the prices: boxes and servers shared out over their years of use."""
    prices = assumed["prices"]
    years = prices["years_of_use"]
    watts = edge["boxes"] * prices["watts_edge_box"] + backend["servers"] * prices["watts_server"]
    parts = {
        "edge boxes": edge["boxes"] * prices["edge_box"] / years,
        "servers": backend["servers"] * prices["server"] / years,
        "electricity": watts / 1000 * 24 * 365 * prices["kwh"],
        "storage": (edge["backend_storage_tb"] + backend["database_gb_a_year"] / 1000)
        * prices["storage_tb_year"],
        "network": (edge["evidence_mbit_peak"] + edge["live_mbit"]) * 12 * prices["uplink_mbit_month"],
    }
    return parts


def rough(value: float) -> str:
    """Two significant digits: more would be false."""
    if value == 0:
        return "0"
    digits = 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:,.{max(0, digits)}f}"
