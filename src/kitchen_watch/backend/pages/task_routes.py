"""The pages of tasks: the tree with its progress, and one task with its units and their reports."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.tasks.attachments import MAX_BYTES, take_attachment
from kitchen_watch.backend.tasks.giving import FULL
from kitchen_watch.backend.tasks.routes import day_of
from kitchen_watch.backend.tasks.schemas import ReportBody
from kitchen_watch.backend.tasks.service import progress_view, report, task_detail, task_tree
from kitchen_watch.backend.tasks.tables import TaskState
from kitchen_watch.errors import Conflict, InvalidRequest

router = APIRouter(include_in_schema=False)

STATES = MappingProxyType(
    {
        "open": (N_("not begun"), "quiet", "wait"),
        "doing": (N_("under way"), "accent", "clock"),
        "done": (N_("done"), "ok", "ok"),
        "stopped": (N_("taken away"), "quiet", "quiet"),
    }
)
PROBLEMS = (
    N_("Somebody else has reported meanwhile, or the task was taken away. See how it stands now."),
    N_("Say in words how far it is; attach a PDF, a picture or a document of at most 15 MB."),
)

_Id = Annotated[int, Path(ge=0, le=MAX_ID)]


@router.get("/tasks")
def show_tasks(person: Regulator, frame: FrameOf, parts: PartsOf, *, made: bool = False) -> Response:
    """The tree, and progress by department and by unit."""
    with parts.database.read() as session:
        tree = task_tree(session, person, day=day_of(parts), made=made)
        progress = progress_view(session, person, day=day_of(parts))
    return page(
        "tasks.html",
        frame,
        tree=tree,
        progress=progress,
        made=made,
        today=day_of(parts),
        may_import=person.role is Role.ADMIN,
    )


@router.get("/tasks/{task_id}")
def show_task(task_id: _Id, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """One task with its units."""
    return _show(task_id, person, frame, parts)


@router.post("/tasks/{task_id}/units/{unit_id}")
async def report_progress(
    task_id: _Id,
    unit_id: _Id,
    request: Request,
    person: Regulator,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
) -> Response:
    """A unit says how far it is."""
    content, name = b"", ""
    async with request.form() as fields:
        file = fields.get("file")
        if isinstance(file, UploadFile):
            content, name = await file.read(MAX_BYTES + 1), file.filename or ""
    given = {key: str(fields.get(key, "")).replace("\0", "") for key in ("version", "done", "text")}
    author = Author(person, Actor(person.id, visitor.address), parts.clock.now())

    def act(session: Session) -> None:
        if len(content) > MAX_BYTES:
            raise InvalidRequest("The file is too large.")
        done = given["done"]
        state = TaskState.DONE if done == str(FULL) else TaskState.OPEN if done == "0" else TaskState.DOING
        body = ReportBody.model_validate({**given, "state": state})
        if content:
            directory = parts.settings.attachments_dir
            kept = take_attachment(session, author, unit_id, name, content, directory)
            body = body.model_copy(update={"attachment_id": kept.id})
        report(session, author, unit_id, body, day=day_of(parts))

    return await run_in_threadpool(_write, act, task_id, person, frame, parts)


def _write(
    act: Callable[[Session], None], task_id: int, person: Person, frame: Frame, parts: Parts
) -> Response:
    try:
        with parts.database.write() as session:
            act(session)
    except Conflict:
        return _show(task_id, person, frame, parts, problem=PROBLEMS[0])
    except (ValidationError, InvalidRequest):
        return _show(task_id, person, frame, parts, problem=PROBLEMS[1])
    return go_to(f"/tasks/{task_id}")


def _show(
    task_id: int, person: Person, frame: Frame, parts: Parts, *, problem: str | None = None
) -> Response:
    with parts.database.read() as session:
        task = task_detail(session, person, task_id, day=day_of(parts))
    return page("task.html", frame, status=422 if problem else 200, task=task, states=STATES, problem=problem)
