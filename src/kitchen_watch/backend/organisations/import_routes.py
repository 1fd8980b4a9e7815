"""Import and export over the API: a file in, a preview out, and nothing done until it is applied."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import Administrator, Regulator, VisitorOf
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.organisations.columns import COLUMNS, ImportKind
from kitchen_watch.backend.organisations.importing import (
    Imported,
    ImportPreview,
    apply_import,
    export_rows,
    preview_again,
    take_file,
)
from kitchen_watch.backend.organisations.sheets import MAX_BYTES, MEDIA_TYPES, Format, write_rows
from kitchen_watch.backend.organisations.writing import Writing
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.errors import InvalidRequest, NotPermitted

router = APIRouter(prefix="/api/v1", tags=["imports"])

_Form = Annotated[Format, Query(alias="format")]
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}
    }
}


@router.post(
    "/imports/{kind}",
    summary="Send a file and see what it would do",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()
            },
        }
    },
)
async def send_file(
    kind: ImportKind,
    request: Request,
    _person: Administrator,
    write: Writing,
    name: Annotated[str, Query(max_length=200, description="the file's name")] = "",
) -> ImportPreview:
    """A CSV (UTF-8, UTF-16 or GBK) or XLSX file as the body. Every bad cell is told; nothing is changed."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            raise InvalidRequest(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it.")
    file = bytes(content)
    return await run_in_threadpool(
        write.secretly, file, ImportPreview, lambda session, by: take_file(session, by, kind, name, file)
    )


@router.get("/imports/{import_id}", summary="See once more what an import would do")
def get_import(import_id: UUID, person: Administrator, parts: PartsOf) -> ImportPreview:
    """By what is registered now. Only whoever sent the file may see it."""
    with parts.database.read() as session:
        return preview_again(session, person, import_id, now=parts.clock.now())


@router.post("/imports/{import_id}/apply", summary="Do what the preview says")
def apply(import_id: UUID, _person: Administrator, write: Writing) -> Imported:
    """In one transaction: everything, or nothing if anything is wrong by now."""
    return write.secretly(None, Imported, lambda session, by: apply_import(session, by, import_id))


@router.get("/templates/{kind}", summary="An empty file to fill in", responses=_FILES)
def get_template(kind: ImportKind, _person: Regulator, form: _Form = "xlsx") -> Response:
    """The headings of every column, those that must be filled in marked with a star."""
    header = [column.heading + ("*" if column.required else "") for column in COLUMNS[kind]]
    return _file(write_rows([header], form, title=kind.value), f"{kind.value}-template", form)


@router.get("/exports/{kind}", summary="Export what is registered", responses=_FILES)
def export(
    kind: ImportKind, person: Regulator, parts: PartsOf, visitor: VisitorOf, form: _Form = "xlsx"
) -> Response:
    """What is in your scope, as a file that can be imported again; people only for administrators."""
    if kind is ImportKind.PEOPLE and person.role is not Role.ADMIN:
        raise NotPermitted("Only an administrator may export people.")
    now = parts.clock.now()
    with parts.database.write() as session:
        rows = list(export_rows(session, person, kind))
        record(
            session, Actor(person.id, visitor.address), "organisation_exported", at=now,
            about=("export", kind.value), rows=len(rows) - 1, format=form,
        )  # fmt: skip
    return _file(write_rows(rows, form, title=kind.value), f"{kind.value}-{now:%Y%m%d}", form)


def _file(content: bytes, name: str, form: Format) -> Response:
    return Response(
        content,
        media_type=MEDIA_TYPES[form],
        headers={"content-disposition": f'attachment; filename="{name}.{form}"', "cache-control": "no-store"},
    )
