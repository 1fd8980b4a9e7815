"""The supervised world: nodes of the tree, premises, edges, cameras, supervision groups, officials."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.local_time import default_zone
from kitchen_watch.backend.tables import JsonValue, PathText, Table, stored_enum


class NodeKind(StrEnum):
    """Usual levels of the tree; any depth and order is allowed."""

    CITY = "city"
    DISTRICT = "district"
    STATION = "station"
    GRID = "grid"


class AreaType(StrEnum):
    """What a camera shows: 灶 (stove), 柜 (cabinet), 区 (area)."""

    STOVE = "stove"
    CABINET = "cabinet"
    AREA = "area"


class NodeRow(Table):
    """One node of the supervision tree.

    ``path`` is ``/1/4/17/``: the ids from the root down to this node, so that a subtree is one
    range of the index.
    """

    __tablename__ = "nodes"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"), index=True)
    kind: Mapped[NodeKind] = mapped_column(stored_enum(NodeKind))
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100), default="")
    path: Mapped[str] = mapped_column(PathText, unique=True)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Counts the changes; who changes something names the version they have seen."""


class PremisesRow(Table):
    """One licensed restaurant, canteen, workshop or stall, in exactly one node (its grid)."""

    __tablename__ = "premises"

    id: Mapped[int] = mapped_column(primary_key=True)
    licence_no: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200), default="")
    business_type: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(300), default="")
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"), index=True)
    time_zone: Mapped[str] = mapped_column(String(64), default=default_zone)
    hours: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    """Opening hours in local time by weekday: ``{"mon": ["10:00-14:00", "17:00-21:30"], ...}``."""
    responsible_person: Mapped[str] = mapped_column(String(100), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    risk_grade: Mapped[str | None] = mapped_column(String(1))
    """风险等级 A (low) to D (high). The two other scales in letters are kept apart from it: 量化等级 with
    the grades as they were awarded, 包保级别 with the responsible official."""
    rollout_batch: Mapped[str] = mapped_column(String(64), default="", server_default="", index=True)
    uniform: Mapped[str] = mapped_column(String(300), default="", server_default="")
    """What counts as work clothes here, in words."""
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    """Whether it is in business."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime]


class EdgeRow(Table):
    """One analysis node and its shared secret, encrypted (see :mod:`.auth.vault`)."""

    __tablename__ = "edges"

    edge_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    sealed_secret: Mapped[str] = mapped_column(String(400))
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    fencing_token: Mapped[int | None] = mapped_column(BigInteger)
    """The highest that its owners have shown; empty for an edge that never changes its owner."""


class CameraRow(Table):
    """One camera of a premises, known to its edge by the same id."""

    __tablename__ = "cameras"

    camera_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"), index=True)
    edge_id: Mapped[str] = mapped_column(ForeignKey("edges.edge_id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100), default="")
    area_type: Mapped[AreaType] = mapped_column(stored_enum(AreaType))
    zone_type: Mapped[str] = mapped_column(String(64), default="")
    public: Mapped[bool] = mapped_column(default=False)
    gb_device_id: Mapped[str | None] = mapped_column(String(20))
    gb_channel_id: Mapped[str | None] = mapped_column(String(20))
    """Ids of GB/T 28181, where the picture comes through such a gateway."""
    enabled: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    """False: its edge leaves it alone."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime]

    __table_args__ = (Index(None, "gb_device_id", "gb_channel_id"),)


class SupervisionGroupRow(Table):
    """A supervision group (督查组) beside the tree: one sees all, others the nodes listed for them."""

    __tablename__ = "supervision_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100), default="")
    sees_all: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class SupervisionGroupNodeRow(Table):
    """A subtree that a supervision group may see."""

    __tablename__ = "supervision_group_nodes"

    group_id: Mapped[int] = mapped_column(
        ForeignKey("supervision_groups.id", ondelete="CASCADE"), primary_key=True
    )
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"), primary_key=True)


class PremisesOfficialRow(Table):
    """Which official is responsible (包保) for a premises, and from when to when."""

    __tablename__ = "premises_officials"

    id: Mapped[int] = mapped_column(primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    level: Mapped[str] = mapped_column(String(1))
    since_at: Mapped[datetime]
    until_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "person_id", "until_at"),
        Index(None, "premises_id", "until_at"),
    )
