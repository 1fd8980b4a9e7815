"""Photos for the answer to a finding, which a script of the check's page sends one by one."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from kitchen_watch.backend.auth.callers import PremisesPerson
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import RowId
from kitchen_watch.backend.handling.photo_body import read_photo
from kitchen_watch.backend.organisations.writing import Writing
from kitchen_watch.backend.pages.answers import FrameOf, page
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.pages.spoken import said
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.patrols import checks
from kitchen_watch.backend.patrols.routes import keep_finding_photo
from kitchen_watch.backend.patrols.views import check_view
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound, NotPermitted

router = APIRouter(prefix="/patrols", include_in_schema=False)


@router.post("/{check_id}/findings/{finding_id}/photos")
async def upload_answer_photo(
    check_id: RowId,
    finding_id: RowId,
    request: Request,
    person: PremisesPerson,
    frame: FrameOf,
    parts: PartsOf,
    write: Writing,
) -> Response:
    """One photo for the answer to a finding; answers with those that wait to be handed in with it."""
    try:
        content = await read_photo(request)
        await run_in_threadpool(keep_finding_photo, parts, write, finding_id, content)
    except (Conflict, InvalidRequest, NotPermitted) as error:
        return JSONResponse({"problem": said(str(error), frame.language)}, status_code=error.status)
    return await run_in_threadpool(_answer_tray, parts, frame, person, check_id, finding_id)


def _answer_tray(parts: Parts, frame: Frame, person: Person, check_id: int, finding_id: int) -> Response:
    with parts.database.read() as session:
        check = check_view(session, person, checks.visible_check(session, person, check_id), now=frame.now)
    finding = next((one for one in check.finding_list if one.finding_id == finding_id), None)
    if finding is None:
        raise NotFound(f"There is no finding {finding_id} that you may see.")
    return page("patrols/answer_tray.html", frame, check=check, one=finding)
