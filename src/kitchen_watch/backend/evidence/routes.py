"""Evidence: resumable uploads of edges, and guarded links for people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.auth.callers import AnyPerson, VisitorOf
from kitchen_watch.backend.auth.devices import SignedEdge
from kitchen_watch.backend.evidence.media import open_evidence
from kitchen_watch.backend.evidence.store import Progress, Upload
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.events import UploadState

router = APIRouter()

OFFSET_HEADER = "upload-offset"
_Hash = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@router.get("/api/v1/edge/evidence/{sha256}", tags=["edge"], summary="How far an upload is")
async def upload_state(sha256: _Hash, edge: SignedEdge, parts: PartsOf) -> UploadState:
    """Where to go on with a file that a manifest of this edge has named. Signed by the edge."""
    upload = await run_in_threadpool(parts.uploads.state, edge.edge_id, sha256)
    return _state(parts, sha256, upload)


@router.patch(
    "/api/v1/edge/evidence/{sha256}",
    tags=["edge"],
    summary="Upload a chunk",
    responses={409: {"model": UploadState, "description": "go on from received_bytes"}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload_chunk(
    sha256: _Hash,
    edge: SignedEdge,
    parts: PartsOf,
    response: Response,
    upload_offset: Annotated[int, Header(ge=0, description="where the chunk begins")],
) -> UploadState:
    """Append up to 4 MiB. The file becomes visible when all of it is here and has the right hash.

    409 says where to go on; after a wrong hash that is the beginning. Signed by the edge.
    """
    upload = await run_in_threadpool(
        parts.uploads.append, edge.edge_id, sha256, offset=upload_offset, chunk=edge.body
    )
    if upload.progress in {Progress.WRONG_OFFSET, Progress.WRONG_CONTENT}:
        response.status_code = 409
    else:
        parts.metrics.evidence_bytes.inc(len(edge.body))
    return _state(parts, sha256, upload)


@router.get(
    "/media/evidence/{token}",
    tags=["evidence"],
    summary="Look at an evidence file",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}, "video/mp4": {}}}, 206: {}, 304: {}},
)
def look_at_evidence(
    token: Annotated[str, Path(max_length=400)],
    request: Request,
    person: AnyPerson,
    parts: PartsOf,
    visitor: VisitorOf,
    *,
    download: bool = False,
) -> Response:
    """The file behind a link of an alert; session and scope are asked again, and the view is written down."""
    evidence = open_evidence(
        parts.database,
        parts.links.read(token),
        person,
        visitor,
        now=parts.clock.now(),
        beginning=_from_beginning(request),
        download=download,
    )
    headers = {"etag": f'"{evidence.sha256}"', "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return FileResponse(
        parts.evidence.path(evidence.sha256),
        media_type=evidence.media_type,
        filename=evidence.file_name,
        content_disposition_type="attachment" if download else "inline",
        headers=headers,
    )


def _from_beginning(request: Request) -> bool:
    # A player asks for many ranges of one clip: that is one view.
    wanted = request.headers.get("range")
    return wanted is None or wanted.replace(" ", "").startswith("bytes=0-")


def _state(parts: Parts, sha256: str, upload: Upload) -> UploadState:
    return UploadState(
        sha256=sha256,
        received_bytes=upload.received_bytes,
        complete=upload.progress is Progress.WHOLE,
        server_time=parts.clock.now(),
    )
