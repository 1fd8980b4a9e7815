"""What an edge is told of its cameras, compiled from rule sets, zones, masks and opening hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.local_time import DEFAULT_ZONE
from kitchen_watch.backend.organisations.tables import CameraRow, NodeRow, PremisesRow
from kitchen_watch.backend.rule_sets.areas import AreaKind
from kitchen_watch.backend.rule_sets.effective import Effective, Layer, Place, effective_rules, fitted
from kitchen_watch.backend.rule_sets.tables import RuleSetRow, ZoneVersionRow

_DAYS = {
    "mon": "monday", "tue": "tuesday", "wed": "wednesday", "thu": "thursday", "fri": "friday",
    "sat": "saturday", "sun": "sunday",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compiled:
    """``cameras`` as a configuration offer has them, and the versions that went into it."""

    cameras: dict[str, dict[str, Any] | None]
    made_of: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What is told of one camera depends on this and the rule sets. ``areas`` is None: none ever drawn."""

    place: Place
    hours: Mapping[str, list[str]] = field(default_factory=dict)
    time_zone: str = DEFAULT_ZONE
    areas: list[dict[str, Any]] | None = None
    enabled: bool = True


def camera_settings(
    facts: CameraFacts, layers: Iterable[Layer], at: datetime
) -> tuple[dict[str, Any], Effective]:
    """The keys of one camera in the offer. A key that the backend has no word on is left to the edge."""
    effective = effective_rules(layers, facts.place, at)
    settings: dict[str, Any] = {}
    zones = [area for area in facts.areas or () if area["kind"] == AreaKind.ZONE]
    rules = fitted(effective.rules, {area["zone_id"] for area in zones})
    if rules:
        settings["rules"] = rules
    if facts.areas is not None:
        settings["zones"] = [_polygon(area) for area in zones]
        settings["privacy"] = [_polygon(area) for area in facts.areas if area["kind"] == AreaKind.MASK]
    if facts.hours:
        settings["opening_hours"] = {
            "time_zone": facts.time_zone,
            **{name: list(facts.hours.get(day, ())) for day, name in _DAYS.items()},
        }
    if not facts.enabled:
        settings["enabled"] = False
    return settings, effective


def compile_edge(session: Session, edge_id: str, *, at: datetime) -> Compiled:
    """Everything the backend has to say about the cameras of an edge at a moment."""
    layers = load_layers(session)
    rows = session.execute(
        select(CameraRow, PremisesRow, NodeRow.path)
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .join(NodeRow, NodeRow.id == PremisesRow.node_id)
        .where(CameraRow.edge_id == edge_id)
        .order_by(CameraRow.camera_id)
    ).all()
    areas = newest_areas(session, [row[0].camera_id for row in rows])
    compiled = Compiled({}, {"zones": {}, "rule_sets": {}})
    for camera, premises, path in rows:
        drawn = areas.get(camera.camera_id)
        facts = facts_of(camera, premises, path, drawn.areas if drawn is not None else None)
        settings, effective = camera_settings(facts, layers, at)
        if settings:
            compiled.cameras[camera.camera_id] = settings
        if drawn is not None:
            compiled.made_of["zones"][camera.camera_id] = drawn.version
        compiled.made_of["rule_sets"] |= {str(key): version for key, version in effective.versions.items()}
    return compiled


def facts_of(
    camera: CameraRow, premises: PremisesRow, node_path: str, areas: list[dict[str, Any]] | None
) -> CameraFacts:
    """The facts of a camera from its rows."""
    return CameraFacts(
        place=Place(camera.camera_id, premises.id, node_path, premises.business_type, camera.area_type.value),
        hours=premises.hours,
        time_zone=premises.time_zone,
        areas=areas,
        enabled=camera.enabled,
    )


def load_layers(session: Session) -> list[Layer]:
    """Every rule set that is switched on."""
    rows = session.execute(
        select(RuleSetRow, NodeRow.path)
        .outerjoin(NodeRow, NodeRow.id == RuleSetRow.node_id)
        .where(RuleSetRow.enabled)
    )
    return [layer_of(row, path) for row, path in rows]


def layer_of(row: RuleSetRow, node_path: str | None) -> Layer:
    """A rule set as the pure rules of precedence know it."""
    return Layer(
        rule_set_id=row.id, version=row.version, name=row.name, rules=row.rules,
        business_type=row.business_type, area_type=row.area_type.value if row.area_type else None,
        node_path=node_path, premises_id=row.premises_id, camera_id=row.camera_id,
        starts_at=row.starts_at, ends_at=row.ends_at, enabled=row.enabled,
    )  # fmt: skip


def newest_areas(session: Session, camera_ids: list[str]) -> dict[str, ZoneVersionRow]:
    """The present zones and masks of cameras that ever had any."""
    newest = (
        select(ZoneVersionRow.camera_id, func.max(ZoneVersionRow.version).label("version"))
        .where(ZoneVersionRow.camera_id.in_(camera_ids))
        .group_by(ZoneVersionRow.camera_id)
        .subquery()
    )
    rows = session.scalars(
        select(ZoneVersionRow).join(
            newest,
            (ZoneVersionRow.camera_id == newest.c.camera_id) & (ZoneVersionRow.version == newest.c.version),
        )
    )
    return {row.camera_id: row for row in rows}


def _polygon(area: Mapping[str, Any]) -> dict[str, Any]:
    return {"zone_id": area["zone_id"], "name": area["name"], "polygon": area["polygon"]}
