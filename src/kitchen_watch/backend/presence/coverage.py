"""How much of a subtree is watched: premises with an active camera, zones without one, who is blind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.organisations.camera_lists import HEALTHY
from kitchen_watch.backend.organisations.service import SILENT_AFTER
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow


@dataclass(frozen=True, slots=True)
class Batch:
    """Premises of a roll-out batch and how many of them have an active camera."""

    name: str
    premises: int
    covered: int


def seen_now(now: datetime) -> ColumnElement[bool]:
    """Condition on cameras joined with their state and their edge's: the picture comes."""
    return (
        CameraRow.enabled.is_(True)
        & CameraStateRow.state.in_(HEALTHY)
        & EdgeStateRow.connection_id.is_not(None)
        & (EdgeStateRow.last_heard_at > now - SILENT_AFTER)
    )


def active_premises(now: datetime) -> ColumnElement[bool]:
    """Condition on :class:`PremisesRow`: at least one camera whose picture comes."""
    return PremisesRow.id.in_(
        select(CameraRow.premises_id)
        .join(CameraStateRow, CameraStateRow.camera_id == CameraRow.camera_id)
        .join(EdgeStateRow, EdgeStateRow.edge_id == CameraRow.edge_id)
        .where(seen_now(now))
    )


def covered_by_grid(session: Session, now: datetime) -> dict[int, tuple[int, int]]:
    """(premises in business, those with an active camera) by grid."""
    active = func.sum(case((active_premises(now), 1), else_=0))
    rows = session.execute(
        select(PremisesRow.node_id, func.count(), active)
        .where(PremisesRow.active.is_(True))
        .group_by(PremisesRow.node_id)
    )
    return {node_id: (count, int(covered or 0)) for node_id, count, covered in rows}


def batches(session: Session, place: ColumnElement[bool], now: datetime) -> list[Batch]:
    """Coverage by roll-out batch; premises without one come last."""
    active = func.sum(case((active_premises(now), 1), else_=0))
    rows = session.execute(
        select(PremisesRow.rollout_batch, func.count(), active)
        .where(PremisesRow.active.is_(True), place)
        .group_by(PremisesRow.rollout_batch)
    )
    found = [Batch(name, count, int(covered or 0)) for name, count, covered in rows]
    return sorted(found, key=lambda one: (not one.name, one.name))


@dataclass(frozen=True, slots=True)
class ZoneGap:
    """A premises whose business type asks for zones that no camera shows."""

    premises_id: int
    name: str
    name_en: str
    missing: tuple[str, ...]


def zone_coverage(
    session: Session, place: ColumnElement[bool], required: Mapping[str, tuple[str, ...]]
) -> tuple[int, int, list[ZoneGap]]:
    """(zones required, of these with a camera in use, premises with gaps) by the business types."""
    rows = session.execute(
        select(PremisesRow.id, PremisesRow.name, PremisesRow.name_en, PremisesRow.business_type)
        .where(PremisesRow.active.is_(True), place, PremisesRow.business_type.in_(list(required)))
        .order_by(PremisesRow.id)
    ).all()
    shown: dict[int, set[str]] = {}
    wanted = select(PremisesRow.id).where(
        PremisesRow.active.is_(True), place, PremisesRow.business_type.in_(list(required))
    )
    for premises_id, zone in session.execute(
        select(CameraRow.premises_id, CameraRow.zone_type).where(
            CameraRow.enabled.is_(True), CameraRow.premises_id.in_(wanted)
        )
    ):
        shown.setdefault(premises_id, set()).add(zone)
    asked = there = 0
    gaps = []
    for premises_id, name, name_en, kind in rows:
        zones = required[kind]
        missing = tuple(zone for zone in zones if zone not in shown.get(premises_id, set()))
        asked += len(zones)
        there += len(zones) - len(missing)
        if missing:
            gaps.append(ZoneGap(premises_id, name, name_en, missing))
    return asked, there, gaps
