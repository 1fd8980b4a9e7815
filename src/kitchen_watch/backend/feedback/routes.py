"""The data set of judged boxes over the API, for administrators and supervisors."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import Supervisor, VisitorOf
from kitchen_watch.backend.bounds import Moment
from kitchen_watch.backend.feedback.service import export
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(prefix="/api/v1/dataset", tags=["dataset"])

_IN_MEMORY = 16 * 1024 * 1024
_BLOCK = 256 * 1024
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"description": "A ZIP archive", "content": {"application/zip": {}}}
}


@router.get("", summary="Judged boxes as training pictures", responses=_ZIP, response_class=StreamingResponse)
def export_dataset(
    person: Supervisor,
    parts: PartsOf,
    visitor: VisitorOf,
    *,
    since: Annotated[Moment | None, Query(description="alerts found from then on")] = None,
    until: Annotated[Moment | None, Query(description="alerts found before then")] = None,
) -> StreamingResponse:
    """What people decided about the alerts of your scope, as a group that `kitchen-watch train` takes.

    Pictures are cut from clean snapshots, privacy masks as they are; the export is written down.
    """
    now = parts.clock.now()
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed when it is sent
    try:
        export(
            parts.database, parts.evidence, person.scope, file,
            by=Actor(person.id, visitor.address), now=now, since=since, until=until,
        )  # fmt: skip
    except BaseException:
        file.close()
        raise
    return StreamingResponse(
        _blocks(file),
        media_type="application/zip",
        headers={
            "content-disposition": f'attachment; filename="feedback-{now:%Y%m%d}.zip"',
            "cache-control": "no-store",
        },
    )


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block
