"""Rule sets, campaigns, zones and masks over the API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import Administrator, Regulator, Supervisor, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import Visitor
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.edges.control import picture_in
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.backend.organisations.service import visible_camera
from kitchen_watch.backend.organisations.tables import CameraRow
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.paging import Paging
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.rule_sets import progress, service
from kitchen_watch.backend.rule_sets.catalogue import catalogue, settable
from kitchen_watch.backend.rule_sets.schemas import (
    AreasBody,
    AreasHistory,
    AreasView,
    CampaignBrief,
    CampaignProgress,
    EffectiveRules,
    RuleInfo,
    RuleSetBody,
    RuleSetDetail,
    RuleSetHistory,
    RuleSetView,
)
from kitchen_watch.errors import Conflict, NotFound
from kitchen_watch.events import EvidenceKind

router = APIRouter(prefix="/api/v1")

_JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("/rule-catalogue", tags=["rule sets"], summary="The rules there are")
def get_catalogue(_person: Regulator) -> list[RuleInfo]:
    """Every rule with its default parameters and which of them a rule set may change."""
    return [
        RuleInfo(code=code, defaults=dict(defaults), settable=list(settable(code)))
        for code, defaults in catalogue().items()
    ]


@router.get("/rule-sets", tags=["rule sets"], summary="Rule sets and campaigns")
def list_rule_sets(_person: Supervisor, parts: PartsOf, cut: Paging) -> list[RuleSetView]:
    """All of them, the more general first; the later ones lie over the earlier ones."""
    with parts.database.read() as session:
        return cut.of(service.rule_set_list(session, now=parts.clock.now()))


@router.get("/campaigns", tags=["rule sets"], summary="Campaigns")
def list_campaigns(person: Regulator, parts: PartsOf, cut: Paging) -> list[CampaignBrief]:
    """Rule sets with a start or an end that are about any camera in your scope, the newest first."""
    with parts.database.read() as session:
        return cut.of(progress.campaigns(session, person, now=parts.clock.now()))


@router.get("/campaigns/{rule_set_id}/progress", tags=["rule sets"], summary="How a campaign goes")
def get_progress(rule_set_id: PlaceId, person: Regulator, parts: PartsOf) -> CampaignProgress:
    """Premises covered, edges that confirmed it, verified alerts before and during, in your scope."""
    with parts.database.read() as session:
        return progress.campaign_progress(session, person, rule_set_id, now=parts.clock.now())


@router.get("/rule-sets/{rule_set_id}", tags=["rule sets"], summary="One rule set")
def get_rule_set(rule_set_id: PlaceId, _person: Supervisor, parts: PartsOf) -> RuleSetDetail:
    """With what the edges concerned say to their newest configuration: a refusal has its reason."""
    with parts.database.read() as session:
        return service.rule_set_detail(session, rule_set_id, now=parts.clock.now())


@router.get("/rule-sets/{rule_set_id}/versions", tags=["rule sets"], summary="Its versions")
def list_versions(rule_set_id: PlaceId, _person: Supervisor, parts: PartsOf, cut: Paging) -> RuleSetHistory:
    """As it was after every change, who changed it and why; the newest first."""
    with parts.database.read() as session:
        found = service.rule_set_history(session, rule_set_id)
    return found.model_copy(update={"items": cut.of(found.items)})


@router.post("/rule-sets", tags=["rule sets"], summary="Make a rule set or campaign", status_code=201)
def add_rule_set(body: RuleSetBody, _person: Administrator, write: Writing) -> RuleSetDetail:
    """The edges concerned are offered their new configuration at once."""
    return _save(write, None, body)


@router.put("/rule-sets/{rule_set_id}", tags=["rule sets"], summary="Change a rule set or campaign")
def change_rule_set(
    rule_set_id: PlaceId, body: RuleSetBody, _person: Administrator, write: Writing
) -> RuleSetDetail:
    """A new version; the edges concerned, before and after, are offered their new configuration."""
    return _save(write, rule_set_id, body)


def _save(write: Writing, rule_set_id: int | None, body: RuleSetBody) -> RuleSetDetail:
    def act(session: Session, by: Author) -> RuleSetDetail:
        row = service.save_rule_set(session, by, rule_set_id, body)
        return service.rule_set_detail(session, row.id, now=by.now)

    return write.answer(body, RuleSetDetail, act)


@router.get("/cameras/{camera_id}/rules", tags=["cameras"], summary="What is looked for in a camera")
def get_camera_rules(camera_id: str, person: Regulator, parts: PartsOf) -> EffectiveRules:
    """Every parameter that differs from the catalogue now, and the rule set it comes from."""
    with parts.database.read() as session:
        return service.camera_rules(session, person, camera_id, now=parts.clock.now())


@router.get("/cameras/{camera_id}/areas", tags=["cameras"], summary="Zones and masks of a camera")
def get_areas(camera_id: str, person: Regulator, parts: PartsOf) -> AreasView:
    """The present ones, and whether the edge has them in force; a refusal has its reason."""
    with parts.database.read() as session:
        return service.areas_view(session, person, camera_id, now=parts.clock.now())


@router.put("/cameras/{camera_id}/areas", tags=["cameras"], summary="Draw zones and masks")
def put_areas(camera_id: str, body: AreasBody, _person: Regulator, write: Writing) -> AreasView:
    """A new version of all of them; the edge is offered it at once."""
    return write.answer(body, AreasView, lambda session, by: service.save_areas(session, by, camera_id, body))


@router.get("/cameras/{camera_id}/areas/versions", tags=["cameras"], summary="Their versions")
def list_areas(camera_id: str, person: Regulator, parts: PartsOf, cut: Paging) -> AreasHistory:
    """As they were after every change, who drew and why; the newest first."""
    with parts.database.read() as session:
        found = service.areas_history(session, person, camera_id)
    return found.model_copy(update={"items": cut.of(found.items)})


@router.get(
    "/cameras/{camera_id}/picture",
    tags=["cameras"],
    summary="A picture to draw on",
    response_class=Response,
    responses=_JPEG,
)
async def get_picture(camera_id: str, person: Regulator, parts: PartsOf, visitor: VisitorOf) -> Response:
    """From the edge now if it is connected, otherwise the clean snapshot of the newest alert.

    Masks that are in force are burnt in. The header ``x-picture-from`` says which it is.
    """
    edge_id = await run_in_threadpool(_note, parts, person, visitor, camera_id)
    try:
        answer = await parts.control.send_command(edge_id, camera_id=camera_id, action="snapshot")
        picture = picture_in(answer)
        if picture is not None:
            return _jpeg(picture, "edge")
        reason = answer.reason or "its edge sent none"
    except Conflict as error:
        reason = str(error)
    kept = await run_in_threadpool(_evidence, parts, camera_id)
    if kept is None:
        raise NotFound(f"There is no picture of camera {camera_id}: {reason}")
    return _jpeg(kept, "evidence")


def _note(parts: Parts, person: Person, visitor: Visitor, camera_id: str) -> str:
    with parts.database.write() as session:
        camera = visible_camera(session, person, camera_id)
        record(
            session, Actor(person.id, visitor.address), "picture_viewed", at=parts.clock.now(),
            about=("camera", camera_id), premises_id=camera.premises_id, purpose="zones",
        )  # fmt: skip
        return camera.edge_id


def _evidence(parts: Parts, camera_id: str) -> bytes | None:
    with parts.database.read() as session:
        from_alert = (
            select(AlertRow.id)
            .join(CameraRow, CameraRow.camera_id == AlertRow.camera_id)
            .where(AlertRow.camera_id == camera_id, AlertRow.premises_id == CameraRow.premises_id)
        )
        sha256 = session.scalar(
            select(EvidenceFileRow.sha256)
            .where(
                EvidenceFileRow.kind == EvidenceKind.CLEAN,
                EvidenceFileRow.completed_at.is_not(None),
                EvidenceFileRow.alert_id.in_(from_alert.order_by(AlertRow.id.desc()).limit(20)),
            )
            .order_by(EvidenceFileRow.alert_id.desc(), EvidenceFileRow.id.desc())
            .limit(1)
        )
    if sha256 is None:
        return None
    try:
        return parts.evidence.path(sha256).read_bytes()
    except OSError:
        return None


def _jpeg(content: bytes, source: str) -> Response:
    return Response(
        content, media_type="image/jpeg", headers={"cache-control": "no-store", "x-picture-from": source}
    )
