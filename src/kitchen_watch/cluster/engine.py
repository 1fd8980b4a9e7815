"""Ray as the engine: machines, actors, and what is asked of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

import ray
import structlog
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from kitchen_watch.cluster.placement import Node
from kitchen_watch.cluster.report import HandedOver, HostReport, Reloaded
from kitchen_watch.cluster.starting import MILLICORES

NAMESPACE = "kitchen-watch"
SLOT = 0.001
"""What a host takes of it: next to nothing. Placement counts measured cost, and a full machine analyses
less often instead of leaving cameras alone."""
PREFIX = "host/"
ANSWER_S = 3.0
HAND_OVER_S = 30.0
RELOAD_S = 12.0

log = structlog.get_logger(__name__)


class RayEngine:
    """See :class:`kitchen_watch.cluster.hosts.Engine`."""

    def __init__(self, host_actor: Any, *, gpus_per_group: float = 0.0) -> None:
        self._host_actor = host_actor
        self._gpus = gpus_per_group
        self._actors: dict[str, Any] = {}

    async def nodes(self) -> Sequence[Node]:
        """Nodes that are alive and offer cores for groups."""
        known = await asyncio.to_thread(ray.nodes)
        return [
            Node(
                node["NodeID"], node["NodeName"], float(node["Resources"][MILLICORES]) / 1000,
                float(node["Resources"].get("GPU", 0.0)),
            )
            for node in known
            if node["Alive"] and node["Resources"].get(MILLICORES, 0.0) > 0
        ]  # fmt: skip

    async def hosts(self) -> Sequence[str]:
        """Every host actor that is alive or about to be."""
        names = await asyncio.to_thread(ray.util.list_named_actors)
        hosts = [str(name).removeprefix(PREFIX) for name in names if str(name).startswith(PREFIX)]
        self._actors = {host: actor for host, actor in self._actors.items() if host in hosts}
        return hosts

    async def start(self, edge_id: str, node_id: str) -> str:
        """A detached actor on that node, or elsewhere should the node be gone; Ray restarts it for ever."""
        host = f"{edge_id}/{secrets.token_hex(4)}"
        self._actors[host] = self._host_actor.options(
            name=PREFIX + host,
            lifetime="detached",
            max_restarts=-1,
            max_concurrency=8,
            num_cpus=0,
            num_gpus=self._gpus,
            resources={MILLICORES: SLOT},
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=True),
        ).remote(edge_id)
        return host

    async def report(self, host: str) -> HostReport | None:
        """``None`` while the actor is restarted or does not answer."""
        report: HostReport | None = await self._ask(host, "report", ANSWER_S)
        return report

    async def hand_over(self, host: str) -> HandedOver | None:
        """See :class:`kitchen_watch.cluster.hosts.Engine`."""
        handed: HandedOver | None = await self._ask(host, "hand_over", HAND_OVER_S)
        return handed

    async def reload(self, host: str, seal: str, *, only_check: bool) -> Reloaded | None:
        """See :class:`kitchen_watch.cluster.hosts.Engine`."""
        answer: Reloaded | None = await self._ask(host, "reload", RELOAD_S, seal, only_check)
        return answer

    async def end(self, host: str) -> None:
        """Kill the actor; it is not restarted."""
        actor = await self._actor(host)
        if actor is not None:
            await asyncio.to_thread(ray.kill, actor, no_restart=True)
        self._actors.pop(host, None)

    async def _ask(self, host: str, what: str, seconds: float, *arguments: Any) -> Any:
        actor = await self._actor(host)
        if actor is None:
            return None
        try:
            return await asyncio.wait_for(getattr(actor, what).remote(*arguments), seconds)
        except (TimeoutError, RayError):
            return None

    async def _actor(self, host: str) -> Any:
        """A handle; asking for one anew goes through Ray's head, so that it is kept."""
        if host not in self._actors:
            try:
                self._actors[host] = await asyncio.to_thread(ray.get_actor, PREFIX + host)
            except ValueError:
                return None
        return self._actors[host]
