"""From rows to what people see: names, places, pictures and evidence of alerts, read in few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.schemas import (
    AlertDetail,
    AlertEvent,
    AlertSummary,
    CameraBrief,
    EvidenceView,
    ManifestView,
    PremisesBrief,
)
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.evidence.links import MediaLinks
from kitchen_watch.backend.evidence.store import EvidenceStore
from kitchen_watch.backend.evidence.tables import EvidenceFileRow, LinkState, ManifestRow
from kitchen_watch.backend.ingest.tables import EventRow
from kitchen_watch.backend.organisations.places import place_names
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.events import DetectionSeen, EvidenceKind, EvidenceManifest, ModelUsed, RuleUsed

_PICTURES = (EvidenceKind.ANNOTATED, EvidenceKind.CLEAN)


def summaries(
    session: Session, person: Person, rows: Sequence[AlertRow], *, links: MediaLinks
) -> list[AlertSummary]:
    """Lines of the feed for these alerts, in the same order."""
    premises = _premises(session, {row.premises_id for row in rows})
    cameras = {
        row.camera_id: CameraBrief(
            camera_id=row.camera_id,
            name=row.name,
            name_en=row.name_en,
            area_type=row.area_type,
            zone_type=row.zone_type,
        )
        for row in session.scalars(
            select(CameraRow).where(CameraRow.camera_id.in_({row.camera_id for row in rows}))
        )
    }
    ids = [row.id for row in rows]
    files: dict[int, list[EvidenceFileRow]] = defaultdict(list)
    for file in session.scalars(
        select(EvidenceFileRow)
        .where(EvidenceFileRow.alert_id.in_(ids), EvidenceFileRow.completed_at.is_not(None))
        .order_by(EvidenceFileRow.id)
    ):
        files[file.alert_id].append(file)
    broken = set(
        session.scalars(
            select(ManifestRow.alert_id).where(
                ManifestRow.alert_id.in_(ids), ManifestRow.link == LinkState.BROKEN
            )
        )
    )
    return [
        AlertSummary(
            alert_id=row.id,
            code=row.code,
            tier=row.tier,
            state=row.state,
            found_at=row.found_at,
            occurred_at=row.occurred_at,
            server_offset_ms=row.server_offset_ms,
            started_at=row.started_at,
            last_seen_at=row.last_seen_at,
            ended_at=row.ended_at,
            updated_at=row.updated_at,
            confidence=row.confidence,
            zone_id=row.zone_id,
            detail=row.detail,
            reopenings=row.reopenings,
            premises=premises[row.premises_id],
            camera=cameras[row.camera_id],
            snapshot_url=_snapshot(files[row.id], person, links),
            clip_ready=any(file.kind is EvidenceKind.CLIP for file in files[row.id]),
            evidence_sound=row.id not in broken,
            version=row.version,
            due_at=row.due_at,
            reminders=row.reminders,
            supervision_level=row.supervision_level,
        )
        for row in rows
    ]


def detail(
    session: Session, person: Person, row: AlertRow, *, links: MediaLinks, store: EvidenceStore
) -> AlertDetail:
    """Everything about one alert."""
    summary = summaries(session, person, [row], links=links)[0]
    events = [
        AlertEvent(
            event_id=event.event_id,
            kind=event.kind,
            sequence=event.sequence,
            occurred_at=event.occurred_at,
            server_offset_ms=event.server_offset_ms,
            received_at=event.received_at,
            confidence=event.confidence,
            detail=event.detail,
        )
        for event in session.scalars(
            select(EventRow).where(EventRow.alert_id == row.id).order_by(EventRow.sequence)
        )
    ]
    return AlertDetail(
        **dict(summary),
        violation_id=row.violation_id,
        edge_id=row.edge_id,
        model=None if row.model is None else ModelUsed.model_validate(row.model),
        rule=RuleUsed.model_validate(row.rule),
        detections=[DetectionSeen.model_validate(item) for item in row.detections],
        events=events,
        missing_events=row.last_sequence + 1 - row.events_received,
        manifests=_manifests(session, person, row, links, store),
    )


def _manifests(
    session: Session, person: Person, alert: AlertRow, links: MediaLinks, store: EvidenceStore
) -> list[ManifestView]:
    files: dict[object, list[EvidenceView]] = defaultdict(list)
    for file in session.scalars(
        select(EvidenceFileRow).where(EvidenceFileRow.alert_id == alert.id).order_by(EvidenceFileRow.id)
    ):
        files[file.manifest_id].append(_evidence(file, person, links, store))
    return [
        ManifestView(
            manifest_id=manifest.manifest_id,
            chain_index=manifest.chain_index,
            sha256=manifest.sha256,
            previous_sha256=manifest.previous_sha256,
            created_at=EvidenceManifest.model_validate(manifest.body).created_at,
            received_at=manifest.received_at,
            link=manifest.link,
            link_reason=manifest.link_reason,
            files=files[manifest.manifest_id],
        )
        for manifest in session.scalars(
            select(ManifestRow).where(ManifestRow.alert_id == alert.id).order_by(ManifestRow.chain_index)
        )
    ]


def _evidence(file: EvidenceFileRow, person: Person, links: MediaLinks, store: EvidenceStore) -> EvidenceView:
    complete = file.completed_at is not None
    return EvidenceView(
        file_id=file.id,
        name=file.name,
        kind=file.kind,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        received_bytes=file.size_bytes
        if complete or file.deleted_at
        else store.received(file.edge_id, file.sha256),
        complete=complete,
        starts_at=file.starts_at,
        ends_at=file.ends_at,
        url=links.url(person.id, file.id) if complete else None,
        deleted_at=file.deleted_at,
    )


def _snapshot(files: Sequence[EvidenceFileRow], person: Person, links: MediaLinks) -> str | None:
    for kind in _PICTURES:
        for file in files:
            if file.kind is kind:
                return links.url(person.id, file.id)
    return None


def _premises(session: Session, ids: Iterable[int]) -> dict[int, PremisesBrief]:
    rows = list(session.scalars(select(PremisesRow).where(PremisesRow.id.in_(set(ids)))))
    places = place_names(session, {row.node_id for row in rows})
    return {
        row.id: PremisesBrief(
            id=row.id, name=row.name, name_en=row.name_en, time_zone=row.time_zone, place=places[row.node_id]
        )
        for row in rows
    }
