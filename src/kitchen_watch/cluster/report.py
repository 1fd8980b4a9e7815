"""What hosts and the control room say of themselves: plain values that travel through Ray. No secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class HostState(StrEnum):
    """How far a host is with its group."""

    PREPARING = "preparing"
    """It loads the model and connects to the cameras."""
    WAITING = "waiting"
    """Everything is warm; the lease still belongs to another."""
    SERVING = "serving"
    """It holds the lease and analyses."""
    GONE = "gone"
    """It has given the group away."""


@dataclass(frozen=True, slots=True)
class CameraReport:
    """One camera at a host. Times are those at which a frame was judged, by the host's clock."""

    camera_id: str
    state: str
    reason: str | None = None
    frames_analysed: int = 0
    """Still frames, which the model need not see, are in it."""
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HostReport:
    """One host at one moment. ``cores`` is what it costs in CPU seconds per second."""

    edge_id: str
    state: HostState
    node_id: str
    pid: int
    token: int | None = None
    since: datetime | None = None
    """Since when it holds the lease."""
    warm: bool = False
    """Model loaded, and every camera that can has given a picture."""
    cores: float | None = None
    cameras: tuple[CameraReport, ...] = ()
    outbox_pending: int = 0
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What a host did last: when each camera was analysed for the last time."""

    edge_id: str
    last_at: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A host's answer to a new file: whether its group differs from what it runs, and why it refuses it."""

    edge_id: str
    differs: bool = False
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What a new file changed: edge ids of groups."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """Their hosts did not answer: they take it over as soon as they do."""


@dataclass(frozen=True, slots=True)
class MoveReport:
    """A group that changed its node, and what it cost: seconds without analysis, per camera."""

    edge_id: str
    source: str
    target: str
    reason: str
    at: datetime
    gaps: Mapping[str, float] = field(default_factory=dict)
    trouble: str | None = None
    """Why it did not go through, or what is not known of it."""

    @property
    def longest_gap(self) -> timedelta | None:
        """The longest of ``gaps``; ``None`` if nothing was measured."""
        return timedelta(seconds=max(self.gaps.values())) if self.gaps else None


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A machine and how full it is. ``load`` is cost over cores, 1.0: full."""

    node_id: str
    name: str
    cores: float
    load: float
    draining: bool
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """A group, where it is and what is wrong with it."""

    edge_id: str
    camera_ids: tuple[str, ...]
    node: str | None
    report: HostReport | None
    """The last one of its host."""
    answers: bool = False
    """Whether the host answered when it was asked last; otherwise ``report`` is old."""
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """Everything that ``kitchen-watch cluster status`` shows."""

    at: datetime
    nodes: tuple[NodeStatus, ...]
    groups: tuple[GroupStatus, ...]
    moves: tuple[MoveReport, ...] = ()
    """The latest ones, newest last."""
    moving: str | None = None
    """The group that is being moved."""
    troubles: tuple[str, ...] = ()
