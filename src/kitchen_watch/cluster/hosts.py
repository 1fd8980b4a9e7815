"""What the control room asks of whatever runs the hosts: the seam to Ray, or to a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kitchen_watch.cluster.placement import Node
from kitchen_watch.cluster.report import HandedOver, HostReport, Reloaded


class Engine(Protocol):
    """What runs hosts on nodes. A host's name starts with its group: see :func:`group_of`."""

    async def nodes(self) -> Sequence[Node]:
        """The machines that are there and may host groups."""
        ...

    async def hosts(self) -> Sequence[str]:
        """Names of all hosts, also of those that are being restarted."""
        ...

    async def start(self, edge_id: str, node_id: str) -> str:
        """Start a host for a group on a node; its name. It takes the group when the lease is free."""
        ...

    async def report(self, host: str) -> HostReport | None:
        """A host's word on itself; ``None`` if it does not answer in time."""
        ...

    async def hand_over(self, host: str) -> HandedOver | None:
        """Let a host end its analysis and give its lease back; ``None`` if it does not answer."""
        ...

    async def reload(self, host: str, seal: str, *, only_check: bool) -> Reloaded | None:
        """Let a host take over its machine's file, which must bear the seal, or say whether it could;
        ``None`` if it does not answer in time."""
        ...

    async def end(self, host: str) -> None:
        """End a host for good."""
        ...


def group_of(host: str) -> str:
    """The group that a host is for."""
    return host.rpartition("/")[0]
