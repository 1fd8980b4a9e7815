"""Edges for people, commands to cameras, and the WebSocket that edges open."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import Administrator, Regulator, VisitorOf
from kitchen_watch.backend.auth.devices import verify_connection
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import Visitor
from kitchen_watch.backend.edges import service
from kitchen_watch.backend.edges.control import Action
from kitchen_watch.backend.edges.schemas import (
    CommandRequest,
    CommandResult,
    ConfigurationOffered,
    ConfigurationRequest,
    EdgeView,
)
from kitchen_watch.backend.edges.sockets import deny
from kitchen_watch.backend.headers import SERVER_TIME_HEADER
from kitchen_watch.backend.organisations.service import visible_camera
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.paging import Paging
from kitchen_watch.backend.parts import Parts, PartsOf, parts_of
from kitchen_watch.backend.problems import from_request_error
from kitchen_watch.errors import Fenced, NotAuthenticated

router = APIRouter(prefix="/api/v1")


@router.get("/edges", tags=["edges"], summary="Edges")
def list_edges(person: Regulator, parts: PartsOf, cut: Paging) -> list[EdgeView]:
    """Edges all of whose cameras are in your scope, and what they last said of themselves."""
    with parts.database.read() as session:
        found = service.edge_list(
            session, person, now=parts.clock.now(), first=cut.first, limit=cut.limit + 1
        )
    return cut.of_read(found)


@router.post(
    "/edges/{edge_id}/configuration", tags=["edges"], summary="Offer a configuration", status_code=202
)
async def offer_configuration(
    edge_id: str, request: ConfigurationRequest, person: Administrator, parts: PartsOf, write: Writing
) -> ConfigurationOffered:
    """Store a configuration and send it; the edge's answer shows in the list of edges."""

    def act(session: Session, by: Author) -> ConfigurationOffered:
        cameras, address = dict(request.cameras), by.actor.address
        version = service.offer_configuration(session, person, edge_id, cameras, address=address, now=by.now)
        return ConfigurationOffered(version=version)

    offered = await run_in_threadpool(write.answer, request, ConfigurationOffered, act)
    await parts.control.offer_pending(edge_id)
    return offered


@router.post("/cameras/{camera_id}/commands", tags=["cameras"], summary="Ask something of a camera")
async def command_camera(
    camera_id: str, request: CommandRequest, person: Regulator, parts: PartsOf, visitor: VisitorOf
) -> CommandResult:
    """Reconnect, take a picture, or make the present picture the reference of the health checks."""
    edge_id = await run_in_threadpool(_note_command, parts, person, visitor, camera_id, request.action)
    answer = await parts.control.send_command(edge_id, camera_id=camera_id, action=request.action)
    return CommandResult(accepted=answer.accepted, reason=answer.reason, data=answer.data)


@router.websocket("/edge/control")
async def control(socket: WebSocket) -> None:
    """The control connection of one edge (see ``kitchen_watch.control``)."""
    parts = parts_of(socket)
    try:
        caller = await run_in_threadpool(verify_connection, socket)
    except (NotAuthenticated, Fenced) as error:
        refusal = from_request_error(error)
        refusal.headers[SERVER_TIME_HEADER] = parts.clock.now().isoformat()
        await deny(socket, refusal)
        return
    await socket.accept()
    await parts.control.serve(socket, caller.edge_id, fencing_token=caller.fencing_token)


def _note_command(parts: Parts, person: Person, visitor: Visitor, camera_id: str, action: Action) -> str:
    with parts.database.write() as session:
        camera = visible_camera(session, person, camera_id)
        record(
            session,
            Actor(person.id, visitor.address),
            "camera_command",
            at=parts.clock.now(),
            about=("camera", camera_id),
            premises_id=camera.premises_id,
            command=action,
        )
        return camera.edge_id
