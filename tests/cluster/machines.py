"""Several "machines" on this one: Ray's local cluster, its nodes killed, paused and capped like machines."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import yaml

from kitchen_watch.cluster import starting
from kitchen_watch.cluster.configuration import ClusterFile
from kitchen_watch.cluster.report import ClusterStatus, GroupStatus, HostState

OBJECT_STORE = 80_000_000
MACHINE = "KITCHEN_WATCH_TEST_MACHINE"


class Machines:
    """A running cluster: its first machine takes no groups; others come and go by name."""

    def __init__(self, file: ClusterFile, cluster: Any) -> None:
        self.file = file
        self._cluster = cluster
        self._nodes: dict[str, Any] = {}
        self._paused: dict[str, list[psutil.Process]] = {}
        self._added = 0

    def add(self, name: str, *, cores: float = 1.0) -> None:
        """Another machine that takes groups; ``MACHINE`` in its environment is its name."""
        os.environ[MACHINE] = name
        self._nodes[name] = self._cluster.add_node(
            node_name=name, num_cpus=0, object_store_memory=OBJECT_STORE,
            resources=starting.offer(cores),
        )  # fmt: skip

    def at_least(self, number: int) -> None:
        """So many machines that take groups; new ones come if there are fewer."""
        while sum(not node.draining for node in self.status().nodes) < number:
            self._added += 1
            self.add(f"spare-{self._added}")
            self.wait(self._last_added_is_there, why="the new machine is there")

    def _last_added_is_there(self, status: ClusterStatus) -> bool:
        return any(node.name == f"spare-{self._added}" for node in status.nodes)

    def processes(self, name: str) -> list[psutil.Process]:
        """Every process of a machine, the parent of all first."""
        found = []
        for processes in self._nodes[name].all_processes.values():
            for one in processes:
                parent = psutil.Process(one.process.pid)
                found += [parent, *parent.children(recursive=True)]
        return found

    def kill(self, name: str) -> None:
        """As a power cut would end it: SIGKILL for every process."""
        for process in self.processes(name):
            _signal(process, signal.SIGKILL)
        del self._nodes[name]

    def pause(self, name: str) -> None:
        """SIGSTOP for every process."""
        self._paused[name] = self.processes(name)
        for process in self._paused[name]:
            _signal(process, signal.SIGSTOP)

    def wake(self, name: str) -> list[psutil.Process]:
        """SIGCONT for every process that was paused."""
        woken = self._paused.pop(name)
        for process in woken:
            _signal(process, signal.SIGCONT)
        return woken

    def status(self) -> ClusterStatus:
        """What the control room says."""
        return starting.ask_status()

    def group(self, edge_id: str) -> GroupStatus:
        """What it says of one group."""
        return next(group for group in self.status().groups if group.edge_id == edge_id)

    def wait(
        self, good: Callable[[ClusterStatus], Any], *, why: str, patience_s: float = 60
    ) -> ClusterStatus:
        """The first status that is ``good``."""
        end = time.monotonic() + patience_s
        while True:
            status = self.status()
            if good(status):
                return status
            assert time.monotonic() < end, (
                f"waited {patience_s:.0f} s in vain: {why}\n{status}\n{self.logs()}"
            )
            time.sleep(0.2)

    def wait_until_all_are_served(self, patience_s: float = 60) -> ClusterStatus:
        """Every camera of every group has been analysed."""
        return self.wait(
            lambda status: all(served(group) for group in status.groups),
            why="every group is served", patience_s=patience_s,
        )  # fmt: skip

    def logs(self) -> str:
        """What the actors wrote, for tests that fail."""
        directory = Path("/tmp/ray/session_latest/logs")
        found = sorted(directory.glob("worker-*.err")) + sorted(directory.glob("worker-*.out"))
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in found)

    def close(self) -> None:
        for name in list(self._paused):
            self.wake(name)


def served(group: GroupStatus) -> bool:
    report = group.report
    return (
        report is not None
        and group.answers
        and report.state is HostState.SERVING
        and len(report.cameras) == len(group.camera_ids)
        and all(camera.first_at is not None for camera in report.cameras)
    )


@contextmanager
def machines(directory: Path, values: Mapping[str, Any], *, names: Mapping[str, float]) -> Iterator[Machines]:
    """A cluster with a head and one node per name, each with so many cores for groups."""
    config = directory / "cluster.yaml"
    config.write_text(yaml.safe_dump(dict(values)), encoding="utf-8")
    file = ClusterFile(config)
    before = dict(os.environ)
    os.environ.update(starting.environment(file.settings.ray, config))
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": OBJECT_STORE},
    )
    found = Machines(file, cluster)
    try:
        for name, cores in names.items():
            found.add(name, cores=cores)
        with starting.connected(cluster.address):
            starting.open_control_room()
            yield found
    finally:
        found.close()
        cluster.shutdown()
        os.environ.clear()
        os.environ.update(before)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
