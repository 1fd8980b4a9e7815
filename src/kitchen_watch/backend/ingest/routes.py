"""Where edges deliver their events."""

from __future__ import annotations

from datetime import timedelta

import structlog
from fastapi import APIRouter
from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.auth.devices import EdgeCaller, SignedEdge
from kitchen_watch.backend.auth.fencing import admit
from kitchen_watch.backend.ingest.fitness import may_hold_nul
from kitchen_watch.backend.ingest.service import Taken, take_events
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.errors import InvalidRequest
from kitchen_watch.events import MAX_EVENTS_PER_BATCH, EventBatchResult

router = APIRouter(prefix="/api/v1/edge", tags=["edge"])

log = structlog.get_logger(__name__)


@router.post(
    "/events",
    summary="Deliver events",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EventBatch"}}},
        }
    },
    response_description="one verdict per event, in order",
)
async def deliver_events(edge: SignedEdge, parts: PartsOf) -> EventBatchResult:
    """Take 1 to 100 events of one edge (body: EventBatch), each exactly once. Signed by the edge.

    Only ``refused`` is final; ``deferred`` asks to come again later.
    """
    raw_events = _events_of(edge)
    taken = await run_in_threadpool(_take, parts, edge, raw_events)
    return EventBatchResult(
        server_time=parts.clock.now(), results=taken.results, missing_files=taken.missing_files
    )


def _events_of(edge: EdgeCaller) -> list[object]:
    try:
        body = from_json(edge.body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from None
    events = body.get("events") if isinstance(body, dict) else None
    if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS_PER_BATCH:
        raise InvalidRequest(f'The body must be {{"events": [...]}} with 1 to {MAX_EVENTS_PER_BATCH} events.')
    return events


def _take(parts: Parts, edge: EdgeCaller, raw_events: list[object]) -> Taken:
    now, edge_id = parts.clock.now(), edge.edge_id
    with parts.database.write() as session:
        admit(session, edge_id, edge.fencing_token)
        taken = take_events(
            session,
            edge_id,
            raw_events,
            now=now,
            max_file_bytes=parts.settings.max_evidence_bytes,
            policy=parts.settings.deadlines,
            look_for_nul=may_hold_nul(edge.body),
        )
    for result in taken.results:
        parts.metrics.events.labels(result.verdict.value).inc()
        if result.reason is not None:
            log.warning(
                "event not taken",
                edge=edge_id,
                event_id=result.event_id,
                verdict=result.verdict.value,
                reason=result.reason,
            )
    log.info("events taken", edge=edge_id, received=len(raw_events), accepted=len(taken.accepted))
    for event in taken.accepted:
        offset = timedelta(milliseconds=event.server_offset_ms or 0)
        delay = (now - event.occurred_at - offset).total_seconds()
        parts.metrics.event_delay.observe(max(0.0, delay))
    return taken
