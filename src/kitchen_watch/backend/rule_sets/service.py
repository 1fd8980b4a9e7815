"""Save and read rule sets, zones and masks; each function is one step of a transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.edges.due import mark_due
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.organisations.service import visible_camera
from kitchen_watch.backend.organisations.tables import CameraRow, NodeRow, PremisesRow
from kitchen_watch.backend.organisations.writing import Author, changes, check_version
from kitchen_watch.backend.rule_sets.answers import answers_of
from kitchen_watch.backend.rule_sets.areas import Area, AreaKind
from kitchen_watch.backend.rule_sets.catalogue import check_rules
from kitchen_watch.backend.rule_sets.compiling import facts_of, layer_of, load_layers, newest_areas
from kitchen_watch.backend.rule_sets.concerned import edges_concerned
from kitchen_watch.backend.rule_sets.effective import effective_rules, fitted
from kitchen_watch.backend.rule_sets.schemas import (
    AreasBody,
    AreasHistory,
    AreasVersion,
    AreasView,
    EffectiveParameter,
    EffectiveRules,
    RuleSetBody,
    RuleSetDetail,
    RuleSetHistory,
    RuleSetVersion,
    RuleSetView,
)
from kitchen_watch.backend.rule_sets.tables import RuleSetRow, RuleSetVersionRow, ZoneVersionRow
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

MAX_EDGES = 200
MAX_VERSIONS = 100
_ORDER = ("refused", "waiting", "due", "accepted")


def save_rule_set(session: Session, author: Author, rule_set_id: int | None, body: RuleSetBody) -> RuleSetRow:
    """Make a rule set, or change one; the edges concerned, before and after, hear of it.

    Raises:
        InvalidRequest: a rule, a parameter or a place does not exist.
        NotFound: there is no such rule set.
        Conflict: somebody was faster.
    """
    check_rules(body.rules)
    _check_places(session, body)
    try:
        starts_at, ends_at = body.span(zone_in(session))
    except ValueError as error:
        raise InvalidRequest(f"{str(error).capitalize()}.") from None
    values = body.model_dump(
        include={"name", "business_type", "area_type", "node_id", "premises_id", "camera_id", "enabled"}
    )
    rules = body.model_dump(mode="json")["rules"]
    values |= {
        "rules": {code: parameters for code, parameters in rules.items() if parameters},
        "starts_at": starts_at,
        "ends_at": ends_at,
        "began": starts_at is None or starts_at <= author.now,
        "ended": ends_at is not None and ends_at <= author.now,
    }
    if rule_set_id is None:
        row = RuleSetRow(**values, version=1, created_at=author.now)
        session.add(row)
        edges: set[str] = set()
    else:
        row = find_rule_set(session, rule_set_id)
        edges = edges_concerned(session, row)
        row.version = check_version(row.version, body.version)
        changes(row, values)
    session.flush()
    session.add(
        RuleSetVersionRow(
            rule_set_id=row.id, version=row.version,
            content=body.model_dump(mode="json", exclude={"version"}),
            at=author.now, person_id=author.person.id, note=body.note,
        )
    )  # fmt: skip
    author.note(session, "rule_set_saved", ("rule_set", row.id), name=row.name, version=row.version)
    mark_due(session, edges | edges_concerned(session, row), by=author.person.id, now=author.now)
    return row


def find_rule_set(session: Session, rule_set_id: int) -> RuleSetRow:
    """The rule set.

    Raises:
        NotFound: there is none.
    """
    row = session.get(RuleSetRow, rule_set_id)
    if row is None:
        raise NotFound(f"There is no rule set {rule_set_id}.")
    return row


def rule_set_list(session: Session, *, now: datetime) -> list[RuleSetView]:
    """Every rule set, the more general first."""
    rows = session.execute(
        select(RuleSetRow, NodeRow.path).outerjoin(NodeRow, NodeRow.id == RuleSetRow.node_id)
    ).all()
    ordered = sorted(rows, key=lambda pair: layer_of(pair[0], pair[1]).rank)
    return [_view(session, row, now) for row, _ in ordered]


def rule_set_detail(session: Session, rule_set_id: int, *, now: datetime) -> RuleSetDetail:
    """One rule set, and what the edges say to it.

    Raises:
        NotFound: there is none.
    """
    row = find_rule_set(session, rule_set_id)
    edges = edges_concerned(session, row)
    answers = sorted(
        answers_of(session, edges, now=now).values(), key=lambda one: (_ORDER.index(one.state), one.edge_id)
    )
    return RuleSetDetail(**dict(_view(session, row, now)), edges=answers[:MAX_EDGES], edge_count=len(answers))


def rule_set_history(session: Session, rule_set_id: int) -> RuleSetHistory:
    """Its versions, the newest first.

    Raises:
        NotFound: there is no such rule set.
    """
    find_rule_set(session, rule_set_id)
    rows = session.execute(
        select(RuleSetVersionRow, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == RuleSetVersionRow.person_id)
        .where(RuleSetVersionRow.rule_set_id == rule_set_id)
        .order_by(RuleSetVersionRow.version.desc())
        .limit(MAX_VERSIONS)
    )
    return RuleSetHistory(
        items=[
            RuleSetVersion(version=row.version, at=row.at, by=name, note=row.note, content=row.content)
            for row, name in rows
        ]
    )


def camera_rules(session: Session, person: Person, camera_id: str, *, now: datetime) -> EffectiveRules:
    """What holds for a camera now, and where it comes from.

    Raises:
        NotFound: there is no such camera in the person's scope.
    """
    camera = visible_camera(session, person, camera_id)
    premises = session.get_one(PremisesRow, camera.premises_id)
    path = session.get_one(NodeRow, premises.node_id).path
    layers = load_layers(session)
    names = {layer.rule_set_id: layer.name for layer in layers}
    effective = effective_rules(layers, facts_of(camera, premises, path, None).place, now)
    drawn = newest_areas(session, [camera_id]).get(camera_id)
    zones = {area["zone_id"] for area in drawn.areas if area["kind"] == AreaKind.ZONE} if drawn else set()
    fits = fitted(effective.rules, zones)
    return EffectiveRules(
        camera_id=camera_id,
        rules={
            code: {
                name: EffectiveParameter(
                    value=value,
                    rule_set_id=effective.origin[code][name],
                    rule_set=names[effective.origin[code][name]],
                )
                for name, value in parameters.items()
            }
            for code, parameters in effective.rules.items()
        },
        switched_off=[
            code for code, own in effective.rules.items() if own.get("zones") and not fits[code].get("zones")
        ],
    )


def save_areas(session: Session, author: Author, camera_id: str, body: AreasBody) -> AreasView:
    """The next version of a camera's zones and masks; its edge hears of it.

    Raises:
        NotFound: there is no such camera in the person's scope.
        Conflict: somebody has drawn meanwhile.
    """
    camera = visible_camera(session, author.person, camera_id)
    exclusive(session, f"areas/{camera_id}")
    present = newest_areas(session, [camera_id]).get(camera_id)
    version = present.version if present is not None else 0
    if version != body.version:
        raise Conflict("Somebody else has drawn here meanwhile. Load the page again, then draw.")
    areas = [area.model_dump(mode="json") for area in body.areas]
    session.add(
        ZoneVersionRow(
            camera_id=camera_id, version=version + 1, areas=areas, at=author.now,
            person_id=author.person.id, note=body.note,
        )
    )  # fmt: skip
    session.flush()
    author.note(
        session, "areas_drawn", ("camera", camera_id), premises_id=camera.premises_id, version=version + 1,
        masks=sum(area.kind is AreaKind.MASK for area in body.areas), zones=len(areas),
    )  # fmt: skip
    mark_due(session, [camera.edge_id], by=author.person.id, now=author.now)
    return areas_view(session, author.person, camera_id, now=author.now)


def areas_view(session: Session, person: Person, camera_id: str, *, now: datetime) -> AreasView:
    """The present zones and masks, and what the edge says to them.

    Raises:
        NotFound: there is no such camera in the person's scope.
    """
    camera = visible_camera(session, person, camera_id)
    row = newest_areas(session, [camera_id]).get(camera_id)
    if row is None:
        answer = answers_of(session, {camera.edge_id}, now=now)[camera.edge_id]
        return AreasView(camera_id=camera_id, version=0, areas=[], at=None, by="", answer=answer)
    answers = answers_of(session, {camera.edge_id}, now=now, has=_has_areas(camera_id, row.version))
    return AreasView(
        camera_id=camera_id, version=row.version, areas=[Area.model_validate(area) for area in row.areas],
        at=row.at, by=session.get_one(PersonRow, row.person_id).display_name, answer=answers[camera.edge_id],
    )  # fmt: skip


def areas_history(session: Session, person: Person, camera_id: str) -> AreasHistory:
    """Every version of a camera's zones and masks, the newest first.

    Raises:
        NotFound: there is no such camera in the person's scope.
    """
    visible_camera(session, person, camera_id)
    rows = session.execute(
        select(ZoneVersionRow, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == ZoneVersionRow.person_id)
        .where(ZoneVersionRow.camera_id == camera_id)
        .order_by(ZoneVersionRow.version.desc())
        .limit(MAX_VERSIONS)
    )
    return AreasHistory(
        items=[
            AreasVersion(
                version=row.version, at=row.at, by=name, note=row.note,
                areas=[Area.model_validate(area) for area in row.areas],
            )
            for row, name in rows
        ]
    )  # fmt: skip


def _has_areas(camera_id: str, version: int) -> Callable[[dict[str, Any]], bool]:
    return lambda made_of: made_of.get("zones", {}).get(camera_id) == version


def _check_places(session: Session, body: RuleSetBody) -> None:
    for table, key, what in (
        (NodeRow, body.node_id, "node"),
        (PremisesRow, body.premises_id, "premises"),
        (CameraRow, body.camera_id, "camera"),
    ):
        if key is not None and session.get(table, key) is None:
            raise InvalidRequest(f"There is no {what} {key}.")


def _view(session: Session, row: RuleSetRow, now: datetime) -> RuleSetView:
    place: NodeRow | PremisesRow | CameraRow | None = None
    if row.camera_id is not None:
        place = session.get(CameraRow, row.camera_id)
    elif row.premises_id is not None:
        place = session.get(PremisesRow, row.premises_id)
    elif row.node_id is not None:
        place = session.get(NodeRow, row.node_id)
    return RuleSetView(
        id=row.id, name=row.name, business_type=row.business_type, area_type=row.area_type,
        node_id=row.node_id, premises_id=row.premises_id, camera_id=row.camera_id,
        place=place.name if place is not None else "", starts_at=row.starts_at, ends_at=row.ends_at,
        holds=row.enabled and (row.starts_at is None or row.starts_at <= now)
        and (row.ends_at is None or now < row.ends_at),
        enabled=row.enabled, rules=row.rules, version=row.version,
    )  # fmt: skip
