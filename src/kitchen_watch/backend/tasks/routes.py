"""Tasks over the API: the tree, progress, reports with files, and a file of it all."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import Regulator, VisitorOf
from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.organisations.sheets import MEDIA_TYPES, Format, write_rows
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.paging import Paging
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.tasks import service
from kitchen_watch.backend.tasks.attachments import MAX_BYTES, path_of, take_attachment, visible_attachment
from kitchen_watch.backend.tasks.schemas import Attachment, ProgressView, ReportBody, TaskDetail, TaskTree
from kitchen_watch.errors import InvalidRequest

router = APIRouter(prefix="/api/v1/tasks", tags=["tasks"])

_Id = Annotated[int, Path(ge=0, le=MAX_ID)]
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}
    }
}


def day_of(parts: Parts) -> date:
    """Today, where tasks are due."""
    return service.today(parts.clock.now(), parts.settings.tasks.time_zone)


@router.get("", summary="The tree of tasks")
def list_tasks(
    person: Regulator,
    parts: PartsOf,
    cut: Paging,
    *,
    made: Annotated[bool, Query(description="instead those that complaints made")] = False,
) -> TaskTree:
    """Supervision staff: tasks given to units in your scope, with their headings and progress."""
    with parts.database.read() as session:
        found = service.task_tree(session, person, day=day_of(parts), made=made)
    return found.model_copy(update={"items": cut.of(found.items)})


@router.get("/progress", summary="Progress by department and by unit")
def get_progress(person: Regulator, parts: PartsOf) -> ProgressView:
    """Supervision staff: weighted numerators and denominators; either list sums up to the whole."""
    with parts.database.read() as session:
        return service.progress_view(session, person, day=day_of(parts))


@router.get("/export", summary="Progress as a file", responses=_FILES)
def export(
    person: Regulator,
    parts: PartsOf,
    visitor: VisitorOf,
    form: Annotated[Format, Query(alias="format")] = "xlsx",
) -> Response:
    """Supervision staff: every part of every task in your scope. Exports are written down."""
    with parts.database.write() as session:
        rows = service.progress_rows(session, person, day=day_of(parts))
        record(
            session, Actor(person.id, visitor.address), "tasks_exported", at=parts.clock.now(),
            about=("export", "tasks"), rows=len(rows) - 1, format=form,
        )  # fmt: skip
    name = f"tasks-{day_of(parts):%Y%m%d}.{form}"
    return Response(
        write_rows(rows, form, title="tasks"),
        media_type=MEDIA_TYPES[form],
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )


@router.get(
    "/attachments/{attachment_id}",
    summary="A file of a report",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def get_attachment(attachment_id: _Id, person: Regulator, parts: PartsOf, visitor: VisitorOf) -> FileResponse:
    """Supervision staff: always as a download, never shown in place; it is written down."""
    with parts.database.write() as session:
        row = visible_attachment(session, person, attachment_id)
        record(
            session, Actor(person.id, visitor.address), "task_file_downloaded", at=parts.clock.now(),
            about=("task_unit", row.unit_id),
        )  # fmt: skip
    return FileResponse(
        path_of(parts.settings.attachments_dir, row.sha256),
        media_type=row.media_type,
        filename=row.name,
        content_disposition_type="attachment",
    )


@router.get("/{task_id}", summary="One task")
def get_task(task_id: _Id, person: Regulator, parts: PartsOf) -> TaskDetail:
    """Supervision staff: one task with its units in your scope and what they have reported."""
    with parts.database.read() as session:
        return service.task_detail(session, person, task_id, day=day_of(parts))


@router.post("/units/{unit_id}/reports", summary="Report progress")
def report(unit_id: _Id, body: ReportBody, _person: Regulator, write: Writing, parts: PartsOf) -> TaskDetail:
    """Supervision staff of the unit: how far it is, in words, with a file that was uploaded before."""

    def done(session: Session, by: Author) -> TaskDetail:
        unit = service.report(session, by, unit_id, body, day=day_of(parts))
        return service.task_detail(session, by.person, unit.task_id, day=day_of(parts))

    return write.answer(body, TaskDetail, done)


@router.post(
    "/units/{unit_id}/attachments",
    summary="Upload a file for a report",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def attach(
    unit_id: _Id,
    request: Request,
    _person: Regulator,
    write: Writing,
    parts: PartsOf,
    name: Annotated[str, Query(max_length=200, description="the file's name")] = "",
) -> Attachment:
    """Supervision staff of the unit: PDF, picture or office document as the body; a report names its id."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            raise InvalidRequest(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")

    def done(session: Session, by: Author) -> Attachment:
        directory = parts.settings.attachments_dir
        return service.attachment_view(take_attachment(session, by, unit_id, name, bytes(content), directory))

    return await run_in_threadpool(write.answer, bytes(content), Attachment, done)
