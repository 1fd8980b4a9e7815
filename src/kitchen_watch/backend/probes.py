"""For operators: is it alive, can it work, and what does it count."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.settings import is_loopback
from kitchen_watch.errors import NotFound

router = APIRouter(include_in_schema=False)

_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(parts: PartsOf) -> Response:
    """The database answers and the feed is read; 503 says what is not so."""
    checks = {"database": parts.database.answers(), "feed": parts.feed.healthy}
    return JSONResponse({"ready": all(checks.values()), **checks}, 200 if all(checks.values()) else 503)


@router.get("/metrics")
def metrics(request: Request, parts: PartsOf) -> Response:
    """Prometheus text, for this machine or with the token; others learn nothing.

    Raises:
        NotFound: somebody else asks.
    """
    if not _may_read_metrics(request, parts):
        raise NotFound("Not Found.")
    return Response(generate_latest(parts.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: Request, parts: Parts) -> bool:
    token = parts.settings.metrics_token
    if token is not None:
        expected = f"Bearer {token.get_secret_value()}"
        return secrets.compare_digest(request.headers.get("authorization", "").encode(), expected.encode())
    # A reverse proxy on this machine also comes from loopback: what it forwards is not local.
    forwarded = any(name in request.headers for name in _FORWARDED)
    return request.client is not None and is_loopback(request.client.host) and not forwarded
