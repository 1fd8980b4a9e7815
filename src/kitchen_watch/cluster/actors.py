"""The Ray actors: thin shells around a host and the control room. Nothing secret is passed to them:
each reads the cluster's file on its own machine, whose path the node's environment names.
"""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import ray
import structlog

from kitchen_watch.clock import SystemClock
from kitchen_watch.cluster.configuration import ClusterFile
from kitchen_watch.cluster.control_room import ControlRoom
from kitchen_watch.cluster.engine import RayEngine
from kitchen_watch.cluster.placement import Temper
from kitchen_watch.cluster.report import ClusterStatus, HandedOver, HostReport, Reloaded, ReloadReport
from kitchen_watch.errors import ConfigError
from kitchen_watch.logs import configure_logs

CONFIG_VARIABLE = "KITCHEN_WATCH_CLUSTER_CONFIG"
CRASH_PAUSE_S = 2.0
CRASH_EXIT = 70

log = structlog.get_logger(__name__)


def cluster_file() -> ClusterFile:
    """The cluster's file on this machine.

    Raises:
        ConfigError: it is bad, or the node was not started by ``kitchen-watch cluster start``.
    """
    path = os.environ.get(CONFIG_VARIABLE)
    if not path:
        raise ConfigError(
            "This Ray node does not know the cluster's configuration."
            " Start it with kitchen-watch cluster start."
        )
    return ClusterFile(Path(path))


class HostActor:
    """One group's host as a Ray actor. Ray restarts it, on another node if its own is lost."""

    async def __init__(self, edge_id: str) -> None:  # type: ignore[misc]  # Ray awaits it
        from kitchen_watch.cluster.hosting import GroupHost  # noqa: PLC0415 - loads media libraries

        file = cluster_file()
        configure_logs(log_format=file.settings.log_format, level=file.settings.log_level)
        node_id = ray.get_runtime_context().get_node_id()
        self._host = GroupHost(
            file, edge_id, node_id=node_id, node_name=_node_name(node_id), clock=SystemClock()
        )
        self._running = asyncio.create_task(_or_exit(self._host.run()))

    async def report(self) -> HostReport:
        """How it is."""
        return await self._host.report()

    async def hand_over(self) -> HandedOver:
        """Give the group away."""
        return await self._host.hand_over()

    async def reload(self, seal: str, only_check: bool) -> Reloaded:
        """Take over what the file says now."""
        return await self._host.reload(seal, only_check=only_check)


class ControlRoomActor:
    """The control room as a detached Ray actor on the first machine."""

    async def __init__(self) -> None:  # type: ignore[misc]  # Ray awaits it
        self._file = file = cluster_file()
        settings = file.settings
        configure_logs(log_format=settings.log_format, level=settings.log_level)
        placement = settings.placement
        self._room = ControlRoom(
            RayEngine(ray.remote(HostActor), gpus_per_group=settings.gpus_per_group),
            file.groups,
            clock=SystemClock(),
            temper=Temper(
                placement.imbalance,
                timedelta(seconds=placement.pause_s),
                timedelta(seconds=placement.rest_s),
            ),
            guess_cores=placement.guess_cores,
            gpus_per_group=settings.gpus_per_group,
        )
        self._running = asyncio.create_task(_or_exit(self._room.run()))

    async def status(self) -> ClusterStatus:
        """Everything as of the last look."""
        return self._room.status()

    async def drain(self, name: str, undo: bool) -> str:
        """See :meth:`ControlRoom.drain`."""
        return self._room.drain(name, undo=undo)

    async def reload(self) -> ReloadReport:
        """Take over the first machine's file as it is now, everywhere or nowhere.

        Raises:
            KitchenWatchError: why it is refused; everything goes on as it was.
        """
        file = await asyncio.to_thread(cluster_file)
        file.check_may_follow(self._file)
        groups = file.groups
        report = await self._room.reload(groups, {one.edge_id: file.seal(one.edge_id) for one in groups})
        self._file = file
        return report


def _node_name(node_id: str) -> str:
    """As people call the node; it is in messages only."""
    return next((str(node["NodeName"]) for node in ray.nodes() if node["NodeID"] == node_id), node_id)


async def _or_exit(work: Any) -> None:
    """What was not foreseen ends the process, and Ray starts it anew; the pause keeps that from spinning."""
    try:
        await work
    except asyncio.CancelledError:
        raise
    except BaseException:
        log.exception("actor failed; it is started anew")
        time.sleep(CRASH_PAUSE_S)  # noqa: ASYNC251 - nothing else may run any more
        os._exit(CRASH_EXIT)
