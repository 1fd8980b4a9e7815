"""Starts Ray on a machine, small and silent, and connects to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitchen_watch.cluster.configuration import ClusterFile, RaySettings
from kitchen_watch.errors import ClusterError, ConfigError, KitchenWatchError

if TYPE_CHECKING:
    from kitchen_watch.cluster.report import ClusterStatus

CONTROL_ROOM = "control-room"
MILLICORES = "kitchen_watch_millicores"
"""The resource by which a node says that it takes groups, and how much it has for them; Ray wants whole
numbers."""
ADDRESS_FILE = "ray-address"
LONGEST_DIRECTORY = 45
"""Ray puts sockets with long names below it, and a socket's path may have 107 characters."""
ANSWER_S = 30.0


def environment(settings: RaySettings, config: Path) -> dict[str, str]:
    """What Ray's processes on a machine find in their environment: no calls home, small logs, and a
    silent machine given up in the configured time."""
    return {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DISABLE_IMPORT_WARNING": "1",
        "RAY_DEDUP_LOGS": "0",
        # Who empties a machine says `drain`, which hands its groups over; Ray's own way would wait half a
        # minute for hosts that never end by themselves.
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
        "RAY_worker_niceness": "0",  # Ray would let everything else on the machine go before the analysis
        "RAY_ROTATION_MAX_BYTES": "10000000",
        "RAY_ROTATION_BACKUP_COUNT": "2",
        # A node that is silent is asked again after each answer that does not come in a second; one whose
        # processes are gone refuses at once, and is given up in half of the time.
        "RAY_health_check_initial_delay_ms": "1000",
        "RAY_health_check_period_ms": "500",
        "RAY_health_check_timeout_ms": "1000",
        "RAY_health_check_failure_threshold": str(round(settings.node_silent_s)),
        "KITCHEN_WATCH_CLUSTER_CONFIG": str(config.resolve()),
    }


def start_command(
    file: ClusterFile, *, head: bool, join: str | None, cores: float, name: str | None
) -> list[str]:
    """``ray start`` for this machine, in the foreground.

    Raises:
        ConfigError: it is not said where the first machine is, or a path is too long for Ray.
    """
    settings = file.settings
    command = [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--block",
        "--num-cpus=0", "--disable-usage-stats" if head else "--log-style=record",
        f"--object-store-memory={settings.ray.object_store_bytes}",
        f"--resources={json.dumps(offer(cores))}",
    ]  # fmt: skip
    if name:
        command.append(f"--node-name={name}")
    if head:
        directory = (settings.ray.directory or settings.data_dir / "ray").absolute()
        if len(str(directory)) > LONGEST_DIRECTORY:
            raise ConfigError(
                f"ray.directory: {directory} is too long for Ray's sockets. Give a path of at most"
                f" {LONGEST_DIRECTORY} characters, the same on all machines."
            )
        directory.mkdir(parents=True, exist_ok=True)
        return [
            *command, "--head", f"--port={settings.ray.port}", "--include-dashboard=false",
            f"--temp-dir={directory}",
        ]  # fmt: skip
    address = join or settings.ray.address
    if not address:
        raise ConfigError(
            "It is not said where the first machine is. Give --join HOST:PORT or ray.address; the first"
            " machine itself is started with --head."
        )
    return [*command, f"--address={address}"]


def offer(cores: float) -> dict[str, int]:
    """What a node with so many cores for groups offers to Ray."""
    return {MILLICORES: max(1, round(cores * 1000))} if cores > 0 else {}


def cores_here() -> float:
    """Cores that this process may use."""
    return float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def start(file: ClusterFile, command: list[str], variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start Ray on this machine."""
    file.settings.data_dir.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(command, env={**os.environ, **variables})  # noqa: S603 - our own command


def keep_address(file: ClusterFile, address: str) -> None:
    """Remember on this machine where Ray is, for ``status`` and ``drain``."""
    (file.settings.data_dir / ADDRESS_FILE).write_text(address + "\n", encoding="utf-8")


def known_address(file: ClusterFile) -> str:
    """Where Ray is: from the configuration, or as ``start`` left it here.

    Raises:
        ClusterError: no cluster was started on this machine.
    """
    if file.settings.ray.address:
        return file.settings.ray.address
    try:
        return (file.settings.data_dir / ADDRESS_FILE).read_text(encoding="utf-8").strip()
    except OSError:
        raise ClusterError(
            "No cluster was started on this machine. Run this on one of the cluster's machines, or give"
            " ray.address."
        ) from None


@contextmanager
def connected(address: str) -> Iterator[None]:
    """A connection to the cluster, quiet and without its workers' logs.

    Raises:
        ClusterError: nobody answers there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray  # noqa: PLC0415 - the extra [cluster]

    from kitchen_watch.cluster.engine import NAMESPACE  # noqa: PLC0415 - as above

    try:
        ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ClusterError(f"{address}: the cluster does not answer: {str(error).splitlines()[0]}") from error
    try:
        yield
    finally:
        ray.shutdown()


def open_control_room() -> Any:
    """The control room, started if there is none. On the first machine."""
    import ray  # noqa: PLC0415

    from kitchen_watch.cluster.actors import ControlRoomActor  # noqa: PLC0415

    return (
        ray.remote(ControlRoomActor)
        .options(
            name=CONTROL_ROOM,
            get_if_exists=True,
            lifetime="detached",
            max_restarts=-1,
            max_concurrency=8,
            num_cpus=0,
            resources={"node:__internal_head__": 0.001},
        )
        .remote()
    )


def ask_control_room(what: str, *arguments: Any) -> Any:
    """Call a method of the control room.

    Raises:
        ClusterError: there is none, or it does not answer.
        KitchenWatchError: what it refuses.
    """
    import ray  # noqa: PLC0415
    from ray.exceptions import GetTimeoutError, RayError, RayTaskError  # noqa: PLC0415

    try:
        room = ray.get_actor(CONTROL_ROOM)
        return ray.get(getattr(room, what).remote(*arguments), timeout=ANSWER_S)
    except ValueError:
        raise ClusterError("The cluster has no control room. Start the first machine with --head.") from None
    except RayTaskError as error:
        if isinstance(error.cause, KitchenWatchError):
            raise error.cause from None
        raise ClusterError(f"The control room failed ({type(error.cause).__name__}); see its log.") from error
    except (GetTimeoutError, RayError) as error:
        raise ClusterError(f"The control room does not answer ({type(error).__name__}).") from error


def ask_status() -> ClusterStatus:
    """What the control room saw last."""
    status: ClusterStatus = ask_control_room("status")
    return status
