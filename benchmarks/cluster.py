"""Cameras that one and two small machines carry. ``python -m benchmarks.cluster [--short]``.

A "machine" is a node of Ray's local cluster with everything in it (Ray's own processes, the hosts of the
groups) under a CPU quota of half a core, by a control group. The cameras, PostgreSQL, the backend and the
head node are outside. Every camera is due ``RATE`` times a second and moves all the time; gating of still
scenes is off. A number of cameras is carried if all of them together are looked at in 95 % of the due
frames and none in less than 90 %. The number is raised one by one until it is not carried any more, on one
machine and on two.

Results: ``benchmarks/results/cluster-<date>.json``, with every sample.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from tests.backend.support import running
from tests.cluster.machines import MACHINE, machines
from tests.edge.streams.media import moving_box, write_video
from tests.postgres import new_database, postgres_server
from tests.rtsp import RtspServer

from benchmarks.machine import commit, machine
from benchmarks.quota import CpuQuota, why_not
from kitchen_watch.clock import SystemClock
from kitchen_watch.cluster.report import ClusterStatus
from kitchen_watch.signing import new_secret

ROOT = Path(__file__).resolve().parent.parent
RATE = 2.0
CORES = 0.5
GROUPS_PER_MACHINE = 2
KEPT, WORST = 0.95, 0.90
AIM = 1.8
MOST = 40
FILM_RATE, FILM_SIZE = 10, (640, 360)


@dataclass(frozen=True)
class Plan:
    """Seconds to settle and to measure."""

    settle_s: float
    measure_s: float


@dataclass(frozen=True)
class Sample:
    """So many machines with so many cameras, for a while."""

    machines: int
    cameras: int
    seconds: float
    kept: float
    """Judged of the due frames, all cameras together."""
    worst: float
    """The same of the camera that was served worst."""
    cores: tuple[float, ...]
    """What the hosts cost, as the cluster itself measures it."""
    busy: float
    """Share of all cores of the computer in use meanwhile, by whomever."""

    @property
    def carried(self) -> bool:
        """Whether every camera is served."""
        return self.kept >= KEPT and self.worst >= WORST


class Bench:
    """Cameras, database and backend that all trials use."""

    def __init__(self, directory: Path, camera_url: str, database_server: str, backend_url: str) -> None:
        self.samples: list[Sample] = []
        self._directory = directory
        self._camera_url = camera_url
        self._server = database_server
        self._backend_url = backend_url

    def measure(self, number: int, cameras: int, plan: Plan) -> Sample:
        """A fresh cluster of ``number`` machines that watches ``cameras``."""
        directory = self._directory / f"trial-{len(self.samples)}"
        directory.mkdir()
        with ExitStack() as stack:
            quotas = [stack.enter_context(CpuQuota(CORES)) for _ in range(number)]
            names = {f"small-{machine}": CORES for machine in range(number)}
            # All machines are there before groups are dealt out, and pause_s is long: nothing moves.
            found = stack.enter_context(
                machines(directory, self._values(directory, number, cameras), names=names)
            )
            for name, quota in zip(names, quotas, strict=True):
                _under(quota, found.processes(name))
            found.wait_until_all_are_served(300)
            for name, quota in zip(names, quotas, strict=True):
                _under(quota, found.processes(name))  # also what was just being started the first time
            time.sleep(plan.settle_s)
            psutil.cpu_percent()
            before, started = _judged(found.status()), time.monotonic()
            time.sleep(plan.measure_s)
            status, seconds = found.status(), time.monotonic() - started
            busy = psutil.cpu_percent() / 100
            placed = {name: sum(group.node == name for group in status.groups) for name in names}
            if status.moves or len(set(placed.values())) > 1:
                raise SystemExit(
                    f"groups moved or lie unevenly, nothing can be compared: {placed} {status.moves}"
                )
        shares = [(count - before[camera]) / (RATE * seconds) for camera, count in _judged(status).items()]
        cores = tuple(
            round(group.report.cores, 3)
            for group in status.groups
            if group.report is not None and group.report.cores is not None
        )
        sample = Sample(
            number, cameras, round(seconds, 1), round(sum(min(1.0, one) for one in shares) / len(shares), 3),
            round(min(shares), 3), cores, round(busy, 2),
        )  # fmt: skip
        self.samples.append(sample)
        print(
            f"{number} machine(s), {cameras:>3} cameras: {sample.kept:.1%} of the due frames, worst camera"
            f" {sample.worst:.1%}, hosts {sum(cores):.2f} cores, computer {busy:.0%} busy",
            flush=True,
        )
        return sample

    def most_carried(self, number: int, first: int, plan: Plan) -> int:
        """The greatest number of cameras that so many machines carry, looked for from ``first``."""
        cameras = first
        if self.measure(number, cameras, plan).carried:
            while cameras < MOST and self.measure(number, cameras + 1, plan).carried:
                cameras += 1
            return cameras
        while cameras > 1:
            cameras -= 1
            if self.measure(number, cameras, plan).carried:
                return cameras
        return 0

    def _values(self, directory: Path, number: int, cameras: int) -> dict[str, Any]:
        groups = number * GROUPS_PER_MACHINE
        return {
            "database": new_database(self._server).replace("postgresql+psycopg://", "postgresql://"),
            "data_dir": f"{directory}/${{{MACHINE}:-head}}",
            "lease": {"seconds": 60},
            "ray": {"node_silent_s": 30},
            "placement": {"pause_s": 3600},
            "edge": {
                "backend": {"url": self._backend_url},
                "analysis": {"frames_per_second": RATE, "still_scenes": {"enabled": False}},
                "detector": {"threads": 1, "streams": 1},
                "live": {"time_shift_minutes": 0},
            },
            "groups": [
                {
                    "edge_id": f"small-{group}",
                    "secret": new_secret(),
                    "cameras": [
                        {"camera_id": f"camera-{camera}", "main": {"url": self._camera_url}}
                        for camera in range(group, cameras, groups)
                    ],
                }
                for group in range(groups)
                if group < cameras
            ],
        }


def _under(quota: CpuQuota, processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            quota.add(process.pid)


def _judged(status: ClusterStatus) -> dict[str, int]:
    return {
        camera.camera_id: camera.frames_analysed
        for group in status.groups
        if group.report is not None
        for camera in group.report.cameras
    }


@contextmanager
def bench() -> Iterator[Bench]:
    """Everything that stays the same over the trials.

    Raises:
        SystemExit: no quota can be set here.
    """
    reason = why_not()
    if reason is not None:
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory(prefix="kw-cluster-") as name:
        directory = Path(name)
        film = write_video(
            directory / "moving.mp4", moving_box(FILM_RATE * 15, FILM_SIZE), rate=FILM_RATE, gop=FILM_RATE
        )
        with (
            postgres_server() as server,
            RtspServer({"moving": film}) as cameras,
            running(directory / "backend", clock=SystemClock()) as backend,
        ):
            yield Bench(directory, cameras.url("moving"), server, backend.url)


def main(arguments: Sequence[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--short", action="store_true", help="whether twice the machines do twice the work")
    options.add_argument("--first", type=int, default=6, help="cameras on one machine to begin with")
    options.add_argument("--output", default=None, help="a JSON file, or - for none")
    chosen = options.parse_args(arguments)
    with bench() as run:
        if chosen.short:
            plan = Plan(settle_s=3, measure_s=8)
            few = 3
            one, two = run.measure(1, few, plan), run.measure(2, 2 * few, plan)
            figures = {"judged_ratio": round(2 * two.kept / one.kept, 2) if one.kept else 0.0}
        else:
            plan = Plan(settle_s=15, measure_s=20)
            alone = run.most_carried(1, chosen.first, plan)
            together = run.most_carried(2, max(2, 2 * alone), plan)
            figures = {
                "cameras_one_machine": alone,
                "cameras_two_machines": together,
                "ratio": round(together / alone, 2) if alone else 0.0,
                "aim": AIM,
            }
    print(json.dumps(figures))
    if chosen.output != "-" and not chosen.short:
        _keep(figures, run.samples, chosen.output)
    if chosen.short and figures["judged_ratio"] < 1.5:
        raise SystemExit("two machines did not do the work of one and a half")


def _keep(figures: dict[str, Any], samples: Sequence[Sample], output: str | None) -> None:
    now = datetime.now(UTC)
    target = Path(output) if output else ROOT / "benchmarks" / "results" / f"cluster-{now:%Y-%m-%d}.json"
    result = {
        "at": now.isoformat(timespec="seconds"),
        "commit": commit(),
        "command": "python -m benchmarks.cluster",
        "machine": machine(),
        "setting": {
            "cores_per_machine": CORES, "frames_per_second_due": RATE,
            "film": f"{FILM_SIZE} at {FILM_RATE}/s", "groups_per_machine": GROUPS_PER_MACHINE,
            "kept": KEPT, "worst": WORST,
        },
        "figures": figures,
        "samples": [asdict(sample) for sample in samples],
    }  # fmt: skip
    target.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
