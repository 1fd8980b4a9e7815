"""Writes docs/scaling.md: the benchmarks' measured costs turned into machines, network, storage and money.

python docs/scaling.py            # write it and its plots, from the newest results and docs/scaling.yaml
python docs/scaling.py --check    # fail if the page is not up to date
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))

from docs.scaling_sums import (  # noqa: E402
    BackendCost,
    assumptions,
    backend_sizing,
    evidence_mb,
    memory_of,
    money,
    moving_with_sub,
    rough,
    sizing,
)

__all__ = ["sizing"]  # for whoever checks the sums

TARGET = DOCS / "scaling.md"
PLOT = DOCS / "pictures" / "scaling.png"
RESULTS = DOCS.parent / "benchmarks" / "results"
CAMERAS = (100, 1_000, 30_000)


def newest(name: str) -> tuple[Path, dict[str, Any]]:
    """The newest result of a benchmark.

    Raises:
        FileNotFoundError: there is none.
    """
    files = sorted(RESULTS.glob(f"{name}-*.json"))
    if not files:
        raise FileNotFoundError(f"no {name}-*.json below {RESULTS}; run the benchmark first")
    return files[-1], json.loads(files[-1].read_text(encoding="utf-8"))


class Sizes:
    """Everything for the numbers of cameras on the page, with sub streams and without."""

    def __init__(self) -> None:
        self.assumed = assumptions()
        self.edge_path, self.edge = newest("edge")
        self.city_path, self.city = newest("city")
        self.cost = BackendCost.measured(self.city)

    def of(self, cameras: int, *, sub: bool) -> dict[str, float]:
        """Machines, network, storage."""
        edge = sizing(self.edge, cameras, sub=sub, assumed=self.assumed)
        return edge | backend_sizing(self.cost, cameras, self.assumed)

    def money_of(self, cameras: int, *, sub: bool) -> dict[str, float]:
        """A year, by part."""
        found = self.of(cameras, sub=sub)
        return money(found, found, self.assumed)


CASES = [(cameras, sub) for cameras in CAMERAS for sub in (True, False)]


def _head() -> list[str]:
    titles = [f"{cameras:,}, {'sub stream' if sub else 'main alone'}" for cameras, sub in CASES]
    return ["| cameras | " + " | ".join(titles) + " |", "|---|" + "---:|" * len(CASES)]


def _machines(sizes: Sizes) -> list[str]:
    use, machines = sizes.assumed["use"], sizes.assumed["machines"]
    rows = [
        ("Edge cores while every kitchen works", "cores_at_peak"),
        ("Edge cores in the mean of a day", "cores_in_the_mean"),
        (f"Edge boxes of {machines['edge_box_cores']} cores", "boxes"),
        ("Cameras per box", "cameras_per_box"),
        ("Memory per box, GB", "memory_gb_per_box"),
        ("Cameras to edges, Gbit/s (beside the cameras)", "network_in_gbit"),
        ("Violations a second, mean", "events_per_second_mean"),
        ("Violations a second, busiest hour", "events_per_second_peak"),
        ("Edges to backend, Mbit/s, busiest hour", "evidence_mbit_peak"),
        ("People who watch live at a time", "viewers"),
        ("Live view, Mbit/s", "live_mbit"),
        ("Backend and PostgreSQL, cores in the mean", "backend_cores_mean"),
        ("Backend and PostgreSQL, cores in the busiest hour", "backend_cores_peak"),
        (f"Servers of {machines['server_cores']} cores", "servers"),
        ("Database, GB a year", "database_gb_a_year"),
        (f"Evidence at the edges ({use['edge_days']} days), TB", "edge_storage_tb"),
        (f"Evidence at the backend ({use['backend_days']} days), TB", "backend_storage_tb"),
    ]
    found = [sizes.of(cameras, sub=sub) for cameras, sub in CASES]
    return _head() + [
        f"| {title} | " + " | ".join(_number(key, one[key]) for one in found) + " |" for title, key in rows
    ]


def _number(key: str, value: float) -> str:
    return f"{value:,.0f}" if key in {"boxes", "servers", "cameras_per_box"} else rough(value)


def _money(sizes: Sizes) -> list[str]:
    found = [sizes.money_of(cameras, sub=sub) for cameras, sub in CASES]
    lines = _head()
    lines += [
        f"| {part} | " + " | ".join(rough(one[part] / 1000) for one in found) + " |" for part in found[0]
    ]
    lines.append("| **together** | " + " | ".join(rough(sum(one.values()) / 1000) for one in found) + " |")
    each = [sum(one.values()) / cameras for one, (cameras, _) in zip(found, CASES, strict=True)]
    lines.append("| a camera, in whole units | " + " | ".join(rough(one) for one in each) + " |")
    return lines


def _assumed_table(assumed: dict[str, Any]) -> list[str]:
    words = {
        "edge_box": "an edge box, once", "server": "a server, once",
        "years_of_use": "years that both are used", "storage_tb_year": "a TB kept twice, a year",
        "uplink_mbit_month": "a Mbit/s of upstream, a month", "kwh": "a kWh",
        "watts_edge_box": "watts of an edge box", "watts_server": "watts of a server",
    }  # fmt: skip
    return ["| price | |", "|---|---:|"] + [
        f"| {words[key]} | {value:,} |" for key, value in assumed["prices"].items()
    ]


def _cost_table(edge: dict[str, Any]) -> list[str]:
    cost = edge["cpu_ms_per_camera_second"]
    needed = any(one.get("main_when") == "needed" for one in edge.get("samples", ()))
    with_sub = {
        "moving_with_sub": "sub stream, and the main stream where it is needed"
        if needed
        else "sub stream, and the main stream while something happens",
        "moving_active": "sub stream, and the main stream while something happens (`when: active`)",
        "moving_on_sub": "sub stream alone (`analysis.main_view.enabled: false`)",
    }
    return [
        "| one camera at the edge, CPU ms a second | people moving | still |",
        "|---|---:|---:|",
        *(
            f"| {title} | {cost[key]:.0f} | {cost['still_with_sub']:.0f} |"
            for key, title in with_sub.items()
            if key in cost
        ),
        f"| main stream analysed | {cost['moving']:.0f} | {cost['still']:.0f} |",
        f"| Ultralytics' multi-stream prediction, main stream | {cost['moving_ultralytics']:.0f} "
        f"| {cost['still_ultralytics']:.0f} |",
        *(
            [
                "",
                "Where it is needed: in the kitchens of this measurement nobody is suspected any more, all is reported.",
                "Where somebody looks bare all the time, the main stream is decoded all the time; machines below are",
                "counted for that.",
            ]
            if needed and "moving_active" in cost
            else []
        ),
    ]


def _backend_table(cost: BackendCost, city: dict[str, Any]) -> list[str]:
    apart = city["apart"]

    def row(title: str, values: dict[str, float]) -> str:
        return f"| {title} | {rough(values['backend'])} | {rough(values['postgres'])} |"

    return [
        "| backend, CPU ms | backend | PostgreSQL |",
        "|---|---:|---:|",
        row("one alert, from its first event to its last step", city["cpu_ms_per_alert"]),
        row(
            f"one heartbeat of an edge with {apart['cameras_per_heartbeat']:g} cameras",
            apart["cpu_ms_per_heartbeat"],
        ),
        row("one MB of evidence", apart["cpu_ms_per_megabyte_of_evidence"]),
        row(
            "a second of two processes with nothing to do",
            {key: 1000 * value for key, value in apart["idle_cores_of_all_processes"].items()},
        ),
    ]


PAGE = """\
# How many machines, and what they cost

Written by `python docs/scaling.py` from the newest results below `benchmarks/results` and from `docs/scaling.yaml`; do
not edit by hand. Edge: `{edge_name}`, at {edge_commit} on {edge_cores} cores of {edge_cpu}. Backend: `{city_name}`, at
{city_commit} on {city_cores} cores of {city_cpu}. Measure anew with `make bench`, `make bench-city`, then run the
script.

## Measured

{edge_costs}

{trust}

One analysed frame of the main stream costs {ours:.1f} ms ({theirs:.1f} ms with Ultralytics), {floor:.2f} times what
decoding and inference alone cost: one 1080p picture takes {decode:.1f} ms to decode, one inference {infer:.1f} ms.
Every further camera takes {memory:.0f} MB ({remembered}) before its ring of packets is full.

![the edge and Ultralytics by the number of cameras](../benchmarks/results/{edge_stem}.png)

{backend_costs}

{city_trust}That is from {days:.1f} days of {cameras:,} cameras in which {alerts:,} alerts were found, handled and reported by the real backend in
{processes} processes on PostgreSQL, time running {factor:g} times faster. An alert leaves {database:.0f} kB in the
database. {truth}

![the city's day](../benchmarks/results/{city_stem}.png)

## Turned into machines

{machines}

Two significant digits; more would be false. What was multiplied, and what that takes for granted:

- An edge's cost per camera was measured with few cameras on one machine. That it stays the same with many boxes is
  sure, since they share nothing; that it stays the same in a box with more cores is assumed.
- Five frames a second are analysed per camera; kitchens are busy {busy:.0%} of the day, all at the same time.
- The backend's costs are taken as proportional: to alerts, to heartbeats (one of each edge in five seconds), to bytes.
  They were measured with {cameras:,} cameras; with a million alerts in the database the pages cost no more than with
  few (`{backend_name}`), and PostgreSQL on one machine is assumed to take what {most:,} cameras bring.
- {events:g} violations per camera and day, {peak:g} times the mean in the busiest hour, each with {evidence:.1f} MB of
  evidence, which stays {edge_days} days at the edge and {backend_days} at the backend; nobody records continuously.
- People act as in the simulation; {viewers:g} of 1,000 cameras are watched live at any time, by sub stream.

All of it stands in [`docs/scaling.yaml`](scaling.yaml).

## Turned into money

Thousands of {currency} a year, with the prices below (as of {as_of}: round figures to show what weighs, no offers):

{money}

{prices}

Not counted: cameras, mounting, people, video lines to a computer room (an edge beside the cameras needs none), taxes.

![what a camera costs in a year](pictures/scaling.png)

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
4. **Evidence** is what weighs at the backend: {evidence:.1f} MB an alert against {database:.0f} kB in the database. Several
   backend machines need one shared file system for it. First shorten the clip or the time it is kept for tier 3.
5. **Backend processes.** One process is one Python: it fills one core. Add processes behind nginx
   ([deploy.md](deploy.md)); with two, PostgreSQL took {ingest:,.0f} events a second in batches, and {most:,} cameras send
   {peak_events:.0f} a second in their busiest hour.
6. **PostgreSQL** is one machine, and numbers the feed's entries one after the other. It is the last part that
   breaks: then cities get a backend each, which share nothing.
7. **Heartbeats.** Every five seconds each edge writes one row per camera: at {most:,} cameras that is
   {beats:.0f} cores all day. Fewer, larger edges write the same rows in fewer transactions.

## When live view needs a gateway

The edge sends every viewer a stream of their own. A viewer costs it {viewer_main:.1f} ms of CPU a second at 1080p and
{viewer_sub:.1f} ms by sub stream, so {cpu_viewers} viewers by sub stream fill what a box leaves free. The line of a
premises is full long before: {uplink:g} Mbit/s carry {uplink_sub:.0f} viewers by sub stream, or {uplink_main:.0f} at 1080p.

So put a WHEP gateway (MediaMTX or go2rtc) in the computer room, which pulls a camera's stream once over RTSP, when

- more than about {uplink_sub:.0f} people look at cameras of the *same* premises at a time (a public screen, an incident), or
- viewers may not reach the edge and every view would go through TURN: then each Mbit/s is paid twice.

Viewers spread over many premises need none: there the edges' lines add up. A gateway knows no sessions, scopes,
masks or watermarks: it must stand behind the backend's own check, and masked cameras must not be given to it.
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


def _city_trust(city: dict[str, Any]) -> str:
    """What keeps the backend's figures from being taken at their word."""
    said = []
    if city["short"]:
        said.append("only a short evening of few cameras was simulated")
    if city["machine"]["load_before"][0] > city["machine"]["cpus"]:
        said.append("the machine had other work to do")
    if city["machine"]["note"]:
        said.append(f"meanwhile {city['machine']['note']}")
    if not said:
        return ""
    return f"**Not to be relied on:** {'; '.join(said)}. Measure again with `make bench-city`.\n\n"


def _truth(city: dict[str, Any]) -> str:
    late = city["lateness"]["supervision"]
    if not city["truth_holds"]:
        return f"**{len(city['wrong'])} comparisons with the truth failed**; see the result."
    counted = city["counted"]
    return (
        f"All {counted['events']:,} events were there once, all {counted['supervisions']:,} supervisions and "
        f"{counted['reminders']:,} reminders came once (supervision {late['p95_simulated_s']:.0f} s late at p95 of the day's "
        f"time), and {counted['report_figures_compared']:,} figures of {counted['daily_reports']:,} daily reports are the "
        "simulation's own."
    )


def page(sizes: Sizes) -> str:
    """The whole page as Markdown."""
    edge, city, assumed = sizes.edge, sizes.city, sizes.assumed
    use, machines = assumed["use"], assumed["machines"]
    _, live = newest("live")
    backend_path, backend = newest("backend")
    cost, alone = edge["cpu_ms_per_camera_second"], edge["alone_ms"]
    per_frame, most = edge["cpu_ms_per_analysed_frame"], max(CAMERAS)
    viewers = {
        name: live["raw"]["cpu"][f"pass {name}"]["cores_per_viewer"] for name in ("1920x1080", "640x360")
    }
    measured_on = edge["machine"]  # older results call it cores and cpu
    return PAGE.format(
        edge_name=sizes.edge_path.name, edge_stem=sizes.edge_path.stem, edge_commit=edge["commit"],
        edge_cores=measured_on.get("cpus", measured_on.get("cores")),
        edge_cpu=measured_on.get("processor", measured_on.get("cpu")),
        city_name=sizes.city_path.name, city_stem=sizes.city_path.stem, city_commit=city["commit"],
        city_cores=city["machine"]["cpus"], city_cpu=city["machine"]["processor"],
        city_trust=_city_trust(city), days=city["simulated_days"], backend_name=backend_path.name,
        edge_costs="\n".join(_cost_table(edge)), trust=_trust(edge),
        ours=per_frame["kitchen_watch"], theirs=per_frame["ultralytics"], floor=edge["cpu_ratio_to_floor"],
        decode=alone["decode_ms.moving.main"], infer=alone["inference_ms"], memory=memory_of(edge),
        remembered="measured" if "memory_mb_per_camera" in edge else "assumed",
        backend_costs="\n".join(_backend_table(sizes.cost, city)), cameras=city["cameras"],
        alerts=city["counted"]["alerts"], processes=2, factor=city["factor"], truth=_truth(city),
        database=city["database_bytes_per_alert"] / 1000,
        machines="\n".join(_machines(sizes)), busy=use["busy_share_of_day"], most=most,
        events=use["events_per_camera_day"], peak=use["peak_to_mean"], evidence=evidence_mb(assumed),
        edge_days=use["edge_days"], backend_days=use["backend_days"], viewers=use["viewers_per_1000_cameras"],
        currency=assumed["currency"], as_of=assumed["as_of"], money="\n".join(_money(sizes)),
        prices="\n".join(_assumed_table(assumed)),
        decoding=25 * alone["decode_ms.moving.main"] / cost["moving"],
        gain=cost["moving"] / cost.get("moving_on_sub", moving_with_sub(cost)), ingest=backend["ingest_events_per_s"],
        peak_events=sizes.of(most, sub=True)["events_per_second_peak"] * city["counted"]["events"]
        / city["counted"]["alerts"],
        beats=most * sizes.cost.ms_per_camera_day / 1000 / 86_400,
        viewer_main=1000 * viewers["1920x1080"], viewer_sub=1000 * viewers["640x360"],
        cpu_viewers=rough(machines["edge_box_cores"] * (1 - machines["filled"]) / viewers["640x360"]),
        uplink=use["uplink_of_a_premises_mbit"], uplink_sub=use["uplink_of_a_premises_mbit"] / use["sub_mbit"],
        uplink_main=use["uplink_of_a_premises_mbit"] / use["main_mbit"],
    )  # fmt: skip


def draw(sizes: Sizes, path: Path) -> None:
    """What a camera costs in a year, by part; and how machines grow with cameras."""
    import matplotlib as mpl  # noqa: PLC0415 - the check needs none

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (bars, lines) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    names = [f"{cameras:,}\n{'sub' if sub else 'main'}" for cameras, sub in CASES]
    below = [0.0] * len(CASES)
    found = [sizes.money_of(cameras, sub=sub) for cameras, sub in CASES]
    for part in found[0]:
        values = [one[part] / cameras for one, (cameras, _) in zip(found, CASES, strict=True)]
        bars.bar(names, values, bottom=below, label=part)
        below = [one + more for one, more in zip(below, values, strict=True)]
    bars.set(
        ylabel=f"{sizes.assumed['currency']} a year", title="One camera, by part", xlabel="cameras, stream"
    )
    bars.legend()
    counts = [round(100 * 10 ** (n / 10)) for n in range(26)]
    for key, label in (
        ("boxes", "edge boxes"), ("servers", "servers"),
        ("backend_cores_peak", "cores of backend and PostgreSQL, busiest hour"),
        ("backend_storage_tb", "TB of evidence"),
    ):  # fmt: skip
        lines.loglog(counts, [sizes.of(count, sub=True)[key] for count in counts], label=label)
    lines.set(xlabel="cameras (sub stream analysed)", title="What grows")
    lines.grid(visible=True, alpha=0.3)
    lines.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main() -> int:
    sizes = Sizes()
    text = page(sizes)
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
            print(f"{TARGET} is not up to date; run `python docs/scaling.py`", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text, encoding="utf-8")
    draw(sizes, PLOT)
    print(f"wrote {TARGET}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
