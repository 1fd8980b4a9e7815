"""How fast the supervision backend is with a whole district in it: ``python -m benchmarks.backend``.

Fills a PostgreSQL server of its own with 5,000 premises, 16,000 cameras and 1,000,000 alerts, starts
backend processes over it, and measures over HTTP:

* ``feed_p95_ms``, ``alert_p95_ms``, ``premises_p95_ms``: server time of the pages that people open, as the
  backend itself reports it (``Server-Timing``: from the request's arrival to the first byte of the answer,
  with the database and rendering), for a supervisor, officers of a district, a station and a grid, and
  restaurants, with and without filters, one request at a time;
* ``year_statistics_s``: server time (p95) of all figures of a whole year of the whole city, the months that
  are over summed before, as a backend does by itself;
* ``daily_report_s``: a district's daily report, drawn from the database and laid out, the slowest of 18;
* ``ingest_events_per_s``: signed batches of 100 events over 8 connections, each of another edge, a quarter
  of the events with the manifest of their evidence;
* ``sse_p95_ms``: from the moment an edge begins to deliver an event until each of 1,000 open streams, all
  of people who see everything, has read the alert.

The load generator runs on the same machine. ``--short`` is the same in small, to see that it still works;
its figures mean nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import load, servers
from benchmarks.district import District, Size, fill
from benchmarks.machine import commit, machine
from benchmarks.reports import daily_reports
from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.migrations.apply import upgrade
from kitchen_watch.backend.statistics.timer import MonthsTimer
from kitchen_watch.clock import SystemClock

RESULTS = Path(__file__).parent / "results"
KEYS = (
    "feed_p95_ms",
    "alert_p95_ms",
    "premises_p95_ms",
    "year_statistics_s",
    "daily_report_s",
    "ingest_events_per_s",
    "sse_clients",
    "sse_p95_ms",
)
"""What a result must say, however small the district was."""
FULL = Size()
SHORT = Size(premises=100, cameras=320, alerts=5_000, people=40)


def main() -> None:
    """Measure, print and write the result."""
    options = _options()
    size = SHORT if options.short else FULL
    key = servers.new_key()
    load_before = os.getloadavg()
    with (
        tempfile.TemporaryDirectory(prefix="kw-bench-") as directory,
        servers.postgres(options.data_dir) as url,
    ):
        _say(f"filling: {size}")
        database = Database(url)
        upgrade(database)
        database.close()
        district = fill(url, size, vault=Vault(key.encode()))
        _say(f"filled in {district.seconds:.0f} s: {district.rows}")
        database = Database(url)  # what a backend does by itself within minutes: months that are over
        MonthsTimer(database, SystemClock()).look()
        database.close()
        with servers.backends(url, Path(directory), key, processes=options.processes) as addresses:
            figures, samples = measure(addresses, district, short=options.short)
            _say("daily reports")
            times = daily_reports(url)
            figures["daily_report_s"] = round(max(times), 2)
            samples["daily_report_s"] = [round(value, 2) for value in times]
    result = {
        **figures,
        "short": options.short,
        "targets": {
            "year_statistics_s": 2,
            "daily_report_s": 2,
            "pages_p95_ms": 100,
            "ingest_events_per_s": 2000,
            "sse_p95_ms": 1000,
        },
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "command": "python -m benchmarks.backend " + " ".join(sys.argv[1:]),
        "machine": machine()
        | {"load_before": load_before, "load_after": os.getloadavg(), "note": options.note},
        "backend_processes": options.processes,
        "postgres": servers.SETTINGS,
        "district": district.rows | {"filled_in_s": round(district.seconds, 1)},
        "samples": samples,
    }
    missing = [key for key in KEYS if not isinstance(figures.get(key), (int, float))]
    if missing:
        raise SystemExit(f"not measured: {', '.join(missing)}")
    print(json.dumps(figures, indent=1))
    if options.output == Path("-"):
        return
    path = options.output or RESULTS / f"backend-{datetime.now(UTC).date()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    _say(f"written: {path}")


def measure(
    addresses: list[str], district: District, *, short: bool
) -> tuple[dict[str, float], dict[str, Any]]:
    """The figures, and what they were computed from."""
    count = 30 if short else 300
    tokens = [visitor.token for visitor in district.visitors]
    newest, oldest = district.rows["alerts"], 1
    pages: dict[str, list[str]] = {
        "feed": [
            "/alerts", "/alerts?tier=1", "/alerts?ongoing=1", "/alerts?state=assigned", "/alerts?code=RODENT",
            "/api/v1/alerts", "/api/v1/alerts?tier=1&state=closed", "/api/v1/alerts/counts",
        ],
        "alert": [
            f"{prefix}/{alert_id}"
            for prefix in ("/alerts", "/api/v1/alerts")
            for alert_id in (newest, newest - 7, newest // 2, newest // 3, oldest)
        ],
        "premises": [
            "/premises", "/premises?after=40", "/api/v1/premises", "/api/v1/premises?grid_id=2",
            "/api/v1/premises?cursor=50",
        ],
    }  # fmt: skip
    figures: dict[str, float] = {}
    samples: dict[str, Any] = {}
    for name, paths in pages.items():
        _say(f"{name}: {count} requests")
        times = load.server_times(addresses[0], tokens, paths, count=count)
        figures[f"{name}_p95_ms"] = round(load.p95(times), 1)
        samples[f"{name}_ms"] = [round(value, 1) for value in times]
    _say("statistics of a year")
    until = datetime.now(UTC)
    asked = f"since_at={(until - timedelta(days=365)):%Y-%m-%dT%H:%M:%SZ}&until_at={until:%Y-%m-%dT%H:%M:%SZ}"
    everything = [visitor.token for visitor in district.visitors if visitor.role == "supervisor"]
    times = load.server_times(
        addresses[0], everything, [f"/api/v1/statistics?{asked}"], count=3 if short else 10
    )
    figures["year_statistics_s"] = round(load.p95(times) / 1000, 2)
    samples["year_statistics_ms"] = [round(value) for value in times]
    _say("ingest: 8 connections")
    taken = asyncio.run(load.ingest(addresses, district, connections=8, batches=2 if short else 100))
    figures["ingest_events_per_s"] = round(taken.events / taken.seconds, 1)
    samples["ingest"] = {
        "events": taken.events,
        "seconds": round(taken.seconds, 2),
        "events_in_each_second": taken.per_second,
        "batch_ms": [round(value) for value in taken.batch_ms],
        "batch_server_ms": [round(value) for value in taken.server_ms],
    }
    clients = 20 if short else 1000
    _say(f"streams: {clients} clients")
    told = asyncio.run(
        load.streams(addresses, district, clients=clients, alerts=3 if short else 30, pause_s=0.5)
    )
    figures["sse_clients"] = clients
    figures["sse_p95_ms"] = round(load.p95(told.latencies_ms), 1)
    samples["sse"] = {
        "lost": told.lost,
        "heard": len(told.latencies_ms),
        "p95_ms_of_each_alert": [round(value, 1) for value in told.per_alert_p95_ms],
        "max_ms": round(max(told.latencies_ms), 1),
    }
    return figures, samples


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--short", action="store_true", help="small, to see that it works")
    parser.add_argument(
        "--data-dir", type=Path, help="where the database lies (about 4 GB); default: temporary"
    )
    parser.add_argument("--processes", type=int, default=2, help="backend processes")
    parser.add_argument("--output", type=Path, help="result file, - for none; default: benchmarks/results/")
    parser.add_argument("--note", default="", help="what else ran on the machine")
    options = parser.parse_args()
    wanted = 4096
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard)), hard))
    return options


def _say(text: str) -> None:
    print(f"[{datetime.now(UTC):%H:%M:%S}] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
