"""The cluster's configuration file: every key, its default, and how cameras become groups.

The same file lies on every machine of the cluster (secrets best as ``${NAME}`` from the environment),
so that no secret and no camera address travels through Ray.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from kitchen_watch.config import Settings, read_yaml, validate
from kitchen_watch.edge.configuration import Configuration, Offered, merge, read_offer
from kitchen_watch.edge.settings import CameraSettings, EdgeSettings
from kitchen_watch.errors import ConfigError
from kitchen_watch.events import Identifier
from kitchen_watch.logs import LogFormat

OF_THE_CLUSTER = ("edge_id", "data_dir", "outbox", "status", "cameras", "log_format", "log_level")
"""Keys of an edge's file that the cluster decides for its groups."""

RELOADED = ("edge", "groups", "cameras", "deal")
"""Keys that a running cluster takes over."""


class EdgeIdentity(Settings):
    """An edge as the backend issued it."""

    edge_id: Identifier = Field(description="its id at the backend")
    secret: SecretStr = Field(description="its secret, as the backend issued it")


class GroupSettings(EdgeIdentity):
    """An edge and the cameras that move with it."""

    cameras: tuple[CameraSettings, ...] = Field(description="as in an edge's file; few: they move as one")


class DealSettings(Settings):
    """How the cluster deals ``cameras`` into groups."""

    cameras_per_group: Annotated[int, Field(ge=1, le=64)] = 4
    edges: tuple[EdgeIdentity, ...] = Field(
        description="the first edge gets the first cameras, the next the next ones; those left over idle"
    )


class LeaseSettings(Settings):
    """How long a group belongs to a node that is no longer heard of."""

    seconds: Annotated[
        float, Field(ge=2, le=120, description="after so long without a renewal another node may take over")
    ] = 6.0


class RaySettings(Settings):
    """The engine underneath."""

    address: str = Field(
        default="", description="host:port of the first machine's Ray, for the others, status and drain"
    )
    port: Annotated[int, Field(ge=1, le=65535, description="where the first machine listens")] = 6379
    directory: Path | None = Field(
        default=None, description="Ray's logs and sockets, the same on all machines; default: data_dir/ray"
    )
    object_store_bytes: Annotated[
        int, Field(ge=78_643_200, description="memory for Ray's object store; no pictures go through it")
    ] = 80_000_000
    node_silent_s: Annotated[
        float, Field(ge=2, le=60, description="a node that is silent for so long is given up")
    ] = 4.0


class PlacementSettings(Settings):
    """When groups move to another node although nothing is wrong."""

    imbalance: Annotated[
        float, Field(ge=0.05, le=1, description="least difference of load, 1: a whole machine")
    ] = 0.25
    pause_s: Annotated[float, Field(ge=0, description="least time between two such moves")] = 60.0
    rest_s: Annotated[float, Field(ge=0, description="a group that was moved stays so long")] = 600.0
    guess_cores: Annotated[
        float, Field(gt=0, le=16, description="what a camera costs until something was measured")
    ] = 0.25


class ClusterSettings(Settings):
    """Top level of ``cluster.yaml``."""

    database: SecretStr = Field(description="PostgreSQL of the cluster: leases and outbox, postgresql://...")
    data_dir: Path = Field(default=Path("var/cluster"), description="what each machine keeps for itself")
    ray: RaySettings = RaySettings()
    lease: LeaseSettings = LeaseSettings()
    placement: PlacementSettings = PlacementSettings()
    gpus_per_group: Annotated[
        float, Field(ge=0, le=8, description="share of a GPU that a group needs; untested")
    ] = 0.0
    edge: dict[str, Any] = Field(
        description="keys of an edge's file for all groups: backend.url, rules, analysis, ..."
    )
    groups: tuple[GroupSettings, ...] = Field(default=(), description="edges with their cameras")
    cameras: tuple[CameraSettings, ...] = Field(default=(), description="cameras to deal into groups")
    deal: DealSettings | None = Field(default=None, description="how to deal them")
    log_format: LogFormat = "console"
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")

    @field_validator("edge")
    @classmethod
    def _belongs_to_all(cls, edge: dict[str, Any]) -> dict[str, Any]:
        for key in OF_THE_CLUSTER:
            if key in edge:
                raise ValueError(f"{key} is decided by the cluster; remove it")
        backend = edge.get("backend") or {}
        if not isinstance(backend, dict):
            raise ValueError("backend has keys of its own; write backend: {url: ...}")
        if "secret" in backend:
            raise ValueError("backend.secret belongs to each group; remove it here")
        return edge

    @model_validator(mode="after")
    def _groups_fit(self) -> Self:
        if bool(self.cameras) != (self.deal is not None):
            raise ValueError("cameras and deal go together: give both, or groups alone")
        if not self.groups and not self.cameras:
            raise ValueError("there is no camera: give groups, or cameras and deal")
        if self.deal is not None:
            room = self.deal.cameras_per_group * len(self.deal.edges)
            if len(self.cameras) > room:
                raise ValueError(
                    f"deal: {len(self.cameras)} cameras do not fit into {len(self.deal.edges)} edges of"
                    f" {self.deal.cameras_per_group}; add edges, or more cameras per group"
                )
        _differ("edge_id", (identity.edge_id for identity in self._identities()))
        _differ("camera_id", (camera.camera_id for camera in self._all_cameras()))
        return self

    def _identities(self) -> Iterable[EdgeIdentity]:
        return (*self.groups, *(self.deal.edges if self.deal is not None else ()))

    def _all_cameras(self) -> Iterable[CameraSettings]:
        return (*self.cameras, *(camera for group in self.groups for camera in group.cameras))


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """A group by name only: what placement and status need."""

    edge_id: str
    camera_ids: tuple[str, ...]


class ClusterFile:
    """A cluster's file, read and found good; hands every group its configuration as an edge.

    Raises:
        ConfigError: the file is bad, or one of its groups would be a bad edge.
    """

    def __init__(self, path: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._values, lines = read_yaml(path, environment=environment)
        self._content = path.read_bytes()
        self.settings = validate(self._values, ClusterSettings, where=str(path), lines=lines)
        self._groups = {str(group["edge_id"]): group for group in _dealt(self._values, self.settings)}
        for edge_id in self._groups:
            self.group(edge_id)

    @property
    def groups(self) -> tuple[GroupMembers, ...]:
        """Every group that has an enabled camera, in the file's order."""
        return tuple(
            GroupMembers(edge_id, cameras)
            for edge_id in self._groups
            if (
                cameras := tuple(one.camera_id for one in self.group(edge_id).settings.cameras if one.enabled)
            )
        )

    @property
    def lease(self) -> timedelta:
        """How long a lease lasts without renewal."""
        return timedelta(seconds=self.settings.lease.seconds)

    def seal(self, edge_id: str) -> str:
        """By which two machines see that they have the same file and the same secret of a group, without
        telling either."""
        secret = str(self._of(edge_id)["secret"]).encode()
        return hmac.new(secret, self._content, hashlib.sha256).hexdigest()

    def group(self, edge_id: str) -> Configuration:
        """A group's configuration, the offer that it accepted on this machine merged in.

        Raises:
            ConfigError: there is no such group, or it is no good edge.
        """
        values = self._edge_values(edge_id)
        kept = read_offer(Path(str(values["data_dir"])))
        if kept is None:
            return Configuration(self._edge(values, edge_id))
        version, offered = kept
        return Configuration(
            self._edge(merge(values, offered), f"{edge_id} with offer {version}"), version, offered
        )

    def with_offer(self, edge_id: str, version: str, offered: Offered) -> Configuration:
        """A group's configuration merged with a new offer; nothing is stored yet.

        Raises:
            ConfigError: what in the offer cannot be accepted.
        """
        merged = merge(self._edge_values(edge_id), offered)
        return Configuration(self._edge(merged, f"{edge_id} with offer {version}"), version, offered)

    def _of(self, edge_id: str) -> Mapping[str, Any]:
        if edge_id not in self._groups:
            raise ConfigError(f"{self.path}: there is no group {edge_id}. Give all machines the same file.")
        return self._groups[edge_id]

    def check_may_follow(self, old: ClusterFile) -> None:
        """Whether a running cluster may go over from ``old`` to this file.

        Raises:
            ConfigError: something else than groups, their cameras and what all edges share has changed.
        """
        for key in ClusterSettings.model_fields:
            if key not in RELOADED and getattr(self.settings, key) != getattr(old.settings, key):
                raise ConfigError(
                    f"{self.path}: {key} cannot be changed while the cluster runs. Nothing was changed; put"
                    " it back, or restart the machines one by one, the first one last."
                )

    def _edge(self, values: Mapping[str, Any], what: str) -> EdgeSettings:
        return validate(values, EdgeSettings, where=f"{self.path}, group {what}")

    def _edge_values(self, edge_id: str) -> dict[str, Any]:
        group, common = self._of(edge_id), self._values.get("edge") or {}
        return {
            **common,
            "edge_id": edge_id,
            "data_dir": str(self.settings.data_dir / "groups" / edge_id),
            # A group that comes to another machine need not measure again.
            "detector": {
                "choices": str(self.settings.data_dir / "precision.json"),
                **(common.get("detector") or {}),
            },
            "backend": {**(common.get("backend") or {}), "secret": group["secret"]},
            "outbox": {"url": self._values["database"], "lease_s": self.settings.lease.seconds},
            "status": {"port": 0},
            "cameras": group["cameras"],
        }


def _dealt(values: Mapping[str, Any], settings: ClusterSettings) -> list[Mapping[str, Any]]:
    """The groups as they stand in the file, and those dealt: cameras in order, so many to each edge."""
    groups = list(values.get("groups") or [])
    if settings.deal is None:
        return groups
    size, cameras = settings.deal.cameras_per_group, values["cameras"]
    dealt = [
        {**edge, "cameras": cameras[number * size : (number + 1) * size]}
        for number, edge in enumerate(values["deal"]["edges"])
    ]
    return groups + dealt


def _differ(what: str, ids: Iterable[str]) -> None:
    known: set[str] = set()
    for one in ids:
        if one in known:
            raise ValueError(f"{what} {one} is given twice; give each its own")
        known.add(one)
