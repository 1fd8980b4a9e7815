"""A city's day, compressed, against the real backend: ``python -m benchmarks.city`` (``make bench-city``).

1,000 cameras on edges of some thirty each send events with evidence, signed as real edges sign; officers
verify, assign and review, restaurants rectify and object, at human rates; reminders, supervision, the
night's run and the daily reports come by the clock. Two real backend processes on a real PostgreSQL
server live through it, with clocks and timers that run faster (``factor``).

At the end the truth is checked, hard: every event is there once, every deadline was told of once and in
time, nothing overdue is unseen, every alert reached every stream, and the reports' numbers are the
simulation's own. Measured are the CPU of backend and PostgreSQL, rates, latencies as callers wait, and how
much a database and a store of evidence grow.

Not faithful, and therefore measured apart, on processes of ordinary time: heartbeats come every few
simulated minutes instead of every five seconds, the feed and the outbox of messages are polled less often,
and evidence files are small. The load generator runs on the same machine.

``--short`` is a smaller evening, to see that it still works; its figures mean little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import psutil
import psycopg
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from benchmarks import servers
from benchmarks.city_day import costs
from benchmarks.city_day.drawing import draw_day
from benchmarks.city_day.edges import SimulatedEdge, Told
from benchmarks.city_day.hurry import HurriedClock
from benchmarks.city_day.people import Acted, People
from benchmarks.city_day.places import City, fill_city
from benchmarks.city_day.programme import ZONE, Happening, draw, outages
from benchmarks.city_day.truth import Span, Truth, compare
from benchmarks.machine import command, commit, machine
from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.migrations.apply import upgrade
from kitchen_watch.control import HEARTBEAT_SECONDS

RESULTS = Path(__file__).parent / "results"
SEED = 20260302
SETTLE = timedelta(minutes=12)
"""Simulated time at the end in which only timers act."""
GRACE_S = 4.0
"""Real seconds that a timer may need on a busy machine before it counts as silent."""
EXCUSE_S = 2.0
SAMPLE_S = 3.0
STREAMS = 2
SETTINGS = {
    "session_idle": "P3D",
    "session_lifetime": "P3D",
    "deadline_look_s": 10.0,
    "feed_poll_s": 15.0,
    "stream_ping_s": 600.0,
    "outgoing": {"look_every_s": 10.0},
    "live": {"check_every_s": 1.0},
    "retention": {"disk_floor_bytes": 0},
}
"""Of the backends; in simulated seconds, like everything else of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the city is and how its day runs."""

    cameras: int = 1_000
    per_camera_day: float = 1.0
    begins: clock_time = clock_time(20, 20)
    hours: float = 24.3
    minutes: float = 10.0
    """Real ones."""
    heartbeat_s: float = 150.0
    idle_s: float = 15.0
    beats: int = 2_000
    megabytes: int = 64

    @property
    def factor(self) -> float:
        """How much faster time runs."""
        return self.hours * 60 / self.minutes


SHORT = Plan(
    cameras=40,
    per_camera_day=10.0,
    begins=clock_time(19),
    hours=1.65,
    minutes=0.75,
    idle_s=3.0,
    beats=60,
    megabytes=4,
)


@dataclass
class Lived:
    """What is known after the day."""

    told: Told
    acted: Acted
    span: Span
    cpu: costs.Cpu
    loops: dict[str, float]
    """Cores that loops which look need, their time running faster."""
    seconds: float
    """Real ones that the day lasted."""
    samples: list[dict[str, float]]


def main() -> int:
    """Live through the day, compare, measure, print and write the result; 1 where something is wrong."""
    options = _options()
    plan = SHORT if options.short else Plan(cameras=options.cameras)
    plan = replace(plan, minutes=options.minutes or plan.minutes)
    key, load_before = servers.new_key(), os.getloadavg()
    today = datetime.now(ZONE).date()
    epoch = datetime.combine(today, plan.begins, ZONE).astimezone(UTC)
    with (
        tempfile.TemporaryDirectory(prefix="kw-city-") as temporary,
        servers.postgres(options.data_dir) as url,
    ):
        directory = Path(temporary)
        database = Database(url)
        upgrade(database)
        database.close()
        _say(f"{plan}: {plan.factor:.0f} times faster")
        city = fill_city(url, cameras=plan.cameras, vault=Vault(key.encode()), now=epoch, seed=SEED)
        clock = HurriedClock(epoch, plan.factor, directory / "clock")
        meter, before = costs.Meter(url), costs.sizes(url)
        program = (
            "-m", "benchmarks.city_day.backend_process", "--clock", str(directory / "clock"),
            "--epoch", epoch.isoformat(), "--factor", str(plan.factor),
            "--heartbeat-s", str(plan.heartbeat_s),
        )  # fmt: skip
        with servers.backends(
            url, directory, key, processes=2, settings=SETTINGS, program=program
        ) as addresses:
            lived = asyncio.run(_live(addresses, city, clock, plan, meter, url))
        after = costs.sizes(url)
        truth = compare(url, directory / "data" / "evidence", city, lived.told, lived.acted, lived.span)
        _say("measured apart: idle processes, heartbeats, bytes of evidence")
        with servers.backends(url, directory, key, processes=2) as addresses:
            apart = costs.apart(
                addresses, city, meter, idle_s=plan.idle_s, beats=plan.beats, megabytes=plan.megabytes
            )
    result = _figures(plan, lived, truth, apart, before, after) | {
        "short": options.short,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "command": command("benchmarks.city", sys.argv[1:]),
        "machine": machine()
        | {"load_before": load_before, "load_after": os.getloadavg(), "note": options.note},
        "plan": {**asdict(plan), "begins": plan.begins.isoformat()},
        "settings": SETTINGS,
        "samples": {
            "seconds": lived.samples,
            "lateness_s": {key: [round(x, 2) for x in found] for key, found in truth.lateness_s.items()},
            "ingest_ms": [round(value, 1) for value in lived.told.ingest_ms],
            "feed_ms": [round(value, 1) for value in lived.acted.feed_ms],
        },
    }
    print(json.dumps({k: v for k, v in result.items() if k not in {"samples", "settings"}}, indent=1))
    for sentence in truth.wrong[:20]:
        _say(f"WRONG: {sentence}")
    if options.output != Path("-"):
        path = options.output or RESULTS / f"city-{datetime.now(UTC).date()}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, ensure_ascii=False) + "\n")
        draw_day(result, path.with_suffix(".png"))
        _say(f"written: {path}")
    return 1 if truth.wrong else 0


async def _live(
    addresses: Sequence[str], city: City, clock: HurriedClock, plan: Plan, meter: costs.Meter, url: str
) -> Lived:
    """The day itself."""
    since = clock.now()
    until = since + timedelta(hours=plan.hours)
    told = Told()
    cut_off = outages(city, since=since, until=until, seed=SEED)
    edges = {
        edge_id: SimulatedEdge(
            edge_id, city.secrets[edge_id], cameras, addresses[number % len(addresses)], clock=clock,
            told=told, outages=[one for one in cut_off if one.edge_id == edge_id], seed=SEED + number,
        )
        for number, (edge_id, cameras) in enumerate(city.cameras.items())
    }  # fmt: skip
    happenings = draw(city, since=since, until=until, per_camera_day=plan.per_camera_day, seed=SEED)
    people = People(addresses, city, clock=clock, told=told, until=until, seed=SEED)
    opened = [asyncio.Event() for _ in range(STREAMS)]
    streams = [asyncio.create_task(people.listen(number, one)) for number, one in enumerate(opened)]
    for one in opened:
        await asyncio.wait_for(one.wait(), 60)
    every = timedelta(seconds=plan.heartbeat_s)
    meter.find_backends()
    before, began = meter.now(), time.monotonic()
    await asyncio.sleep(plan.idle_s)  # the clock stands, but every loop looks as often as it will
    loops = (meter.now() - before).per(1000 * (time.monotonic() - began))
    clock.begin()
    begun = time.monotonic()
    before, samples = meter.now(), list[dict[str, float]]()
    running = [
        asyncio.create_task(work)
        for edge in edges.values()
        for work in (edge.deliver(), edge.upload(), edge.converse(every))
    ]
    watching = asyncio.create_task(_watch(clock, since, plan, meter, told, people.acted, samples))
    seen = await _dispatch(clock, edges, happenings, until)
    for one in seen:
        one.cancel()  # what goes on beyond the day stays open
    await asyncio.gather(*seen, return_exceptions=True)
    await people.settled()
    # What is missing after a while, the comparison says.
    await _until(lambda: all(edge.idle for edge in edges.values()), within_s=120)
    await clock.until(clock.now() + SETTLE)
    last_feed = _newest_entry(url)
    await _until(lambda: all(heard and heard[-1] >= last_feed for heard in people.acted.heard), within_s=30)
    end, cpu, seconds = clock.now(), meter.now() - before, time.monotonic() - begun
    watching.cancel()
    for task in [*running, *streams]:
        failed = task.done() and not task.cancelled() and task.exception()
        if failed:
            raise SystemExit(f"the simulation itself failed: {failed!r}")
        task.cancel()
    await asyncio.gather(watching, *running, *streams, return_exceptions=True)
    await people.close()
    for edge in edges.values():
        await edge.close()
    span = Span(
        since,
        end,
        grace=timedelta(seconds=GRACE_S * plan.factor),
        excuse=timedelta(seconds=EXCUSE_S * plan.factor),
        last_feed=last_feed,
    )
    return Lived(told, people.acted, span, cpu, loops, seconds, samples)


async def _until(condition: Callable[[], bool], *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        await asyncio.sleep(0.1)


async def _dispatch(
    clock: HurriedClock, edges: dict[str, SimulatedEdge], happenings: Sequence[Happening], until: datetime
) -> set[asyncio.Task[None]]:
    """Let every camera see what it will, until the day is over; what still goes on then."""
    seen: set[asyncio.Task[None]] = set()
    for happening in happenings:
        await clock.until(happening.at)
        task = asyncio.create_task(edges[happening.edge_id].see(happening))
        seen.add(task)
        task.add_done_callback(seen.discard)
    await clock.until(until)
    return set(seen)


async def _watch(
    clock: HurriedClock,
    since: datetime,
    plan: Plan,
    meter: costs.Meter,
    told: Told,
    acted: Acted,
    samples: list[dict[str, float]],
) -> None:
    """Once a second the bar; every few seconds what was done since."""
    me = psutil.Process()
    last: dict[str, float] = {}
    whole = (timedelta(hours=plan.hours) + SETTLE).total_seconds()
    columns = (
        TextColumn("{task.fields[clock]}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[said]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=whole, clock="", said="")
        while True:
            now = clock.now()
            said = f"{len(told.opened)} alerts, {len(acted.steps)} steps"
            clock_said = f"{now.astimezone(ZONE):%d. %H:%M}"
            progress.update(bar, completed=(now - since).total_seconds(), clock=clock_said, said=said)
            if not last or time.perf_counter() - last["at"] >= SAMPLE_S:
                cpu, own = await asyncio.to_thread(meter.now), me.cpu_times()
                seen = {
                    "at": time.perf_counter(),
                    "events": len(told.events),
                    "files": len(told.files),
                    "heartbeats": told.heartbeats,
                    "steps": len(acted.steps),
                    "cpu_backend": cpu.backend,
                    "cpu_postgres": cpu.postgres,
                    "cpu_generator": own.user + own.system,
                }
                if last:
                    seconds = seen["at"] - last["at"]
                    rates = {key: round((seen[key] - last[key]) / seconds, 3) for key in seen if key != "at"}
                    samples.append({"simulated_s": round((now - since).total_seconds()), **rates})
                last = seen
            await asyncio.sleep(1)


def _newest_entry(url: str) -> int:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) FROM feed_entries").fetchone()
    return int(row[0]) if row else 0


def _figures(
    plan: Plan,
    lived: Lived,
    truth: Truth,
    apart: dict[str, Any],
    before: dict[str, int],
    after: dict[str, int],
) -> dict[str, Any]:
    told, acted, cpu = lived.told, lived.acted, lived.cpu
    alerts, events = truth.figures["alerts"], truth.figures["events"]
    days = (lived.span.until - lived.span.since) / timedelta(days=1)
    beat, beats = apart["cpu_ms_per_heartbeat"], told.heartbeats
    a_day = 86_400 / HEARTBEAT_SECONDS / apart["cameras_per_heartbeat"]
    alerts_ms, per_camera = {}, {}
    for name, seconds in (("backend", cpu.backend), ("postgres", cpu.postgres)):
        without = 1000 * max(0.0, seconds - lived.loops[name] * lived.seconds) - beats * beat[name]
        alerts_ms[name] = round(without / max(1, alerts), 1)
        per_camera[name] = round((without / plan.cameras / days + a_day * beat[name]) / 1000, 3)
    grown = {name: size - before.get(name, 0) for name, size in after.items() if name}
    per_minute = Counter(round((at - lived.span.since).total_seconds() // 60) for at, _ in told.batches)
    return {
        "cameras": plan.cameras,
        "edges": round(plan.cameras / apart["cameras_per_heartbeat"]),
        "factor": round(plan.factor, 1),
        "simulated_days": round(days, 3),
        "truth_holds": not truth.wrong,
        "wrong": truth.wrong,
        "counted": truth.figures
        | {
            "sent_again_because": dict(told.retries),
            "events_repeated": told.repeated,
            "events_called_duplicates": told.duplicates,
            "heartbeats": beats,
            "heartbeats_acknowledged": told.acknowledged,
        },
        "lateness": {
            key: {
                "count": len(found),
                **{name: round(value, 1) for name, value in _shares(found, "simulated_s").items()},
                **{
                    name: round(value, 3)
                    for name, value in _shares([one / plan.factor for one in found], "real_s").items()
                },
            }
            for key, found in truth.lateness_s.items()
        },
        "cpu_s_of_the_day": {"backend": round(cpu.backend, 1), "postgres": round(cpu.postgres, 1)},
        "cores_of_hurried_loops": lived.loops,
        "real_seconds": round(lived.seconds, 1),
        "cpu_s_per_camera_day": per_camera,
        "cpu_ms_per_alert": alerts_ms,
        "apart": apart,
        "peak": {
            "batches_in_a_simulated_minute": max(per_minute.values(), default=0),
            "events_per_real_second": max((one["events"] for one in lived.samples), default=0.0),
            "steps_per_real_second": max((one["steps"] for one in lived.samples), default=0.0),
            "cores_backend": max((one["cpu_backend"] for one in lived.samples), default=0.0),
            "cores_postgres": max((one["cpu_postgres"] for one in lived.samples), default=0.0),
        },
        "latency_ms": {
            name: {key: round(value, 1) for key, value in _shares(found).items()}
            for name, found in (
                ("ingest", told.ingest_ms),
                ("evidence_file", told.upload_ms),
                ("delivery_to_stream", acted.feed_ms),
                ("list_page", acted.list_ms),
                ("alert_page", acted.page_ms),
                ("step", acted.step_ms),
            )
        },
        "database_bytes_per_alert": round(sum(grown.values()) / max(1, alerts)),
        "database_bytes_per_event": round(sum(grown.values()) / max(1, events)),
        "database_growth_by_table": dict(sorted(grown.items(), key=lambda one: -one[1])[:15]),
        "evidence_bytes_per_alert": round(truth.figures["evidence_bytes"] / max(1, alerts)),
    }


def _shares(values: Sequence[float], unit: str = "") -> dict[str, float]:
    if len(values) < 2:
        return {}
    cut = statistics.quantiles(values, n=20, method="inclusive")
    ending = f"_{unit}" if unit else ""
    return {f"p50{ending}": cut[9], f"p95{ending}": cut[18], f"max{ending}": max(values)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--short", action="store_true", help="an evening of few cameras")
    parser.add_argument("--cameras", type=int, default=Plan.cameras)
    parser.add_argument(
        "--minutes", type=float, help="real minutes that the day lasts; more on a busy machine"
    )
    parser.add_argument("--data-dir", type=Path, help="where the database lies; default: temporary")
    parser.add_argument("--output", type=Path, help="result file, - for none; default: benchmarks/results/")
    parser.add_argument("--note", default="", help="what else ran on the machine")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"[{datetime.now(UTC):%H:%M:%S}] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
