"""Which edge a request is from: signed requests, checked before anything of them is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from kitchen_watch.backend.auth.fencing import admit, compare
from kitchen_watch.backend.auth.tables import DeviceRequestRow
from kitchen_watch.backend.organisations.tables import EdgeRow
from kitchen_watch.backend.parts import Parts, parts_of
from kitchen_watch.errors import InvalidRequest, NotAuthenticated
from kitchen_watch.signing import EDGE_HEADER, ID_HEADER, fencing_token, verify

MAX_BODY = 8 * 1024 * 1024
SIGNATURE_LIFE = timedelta(minutes=11)
"""Twice the scheme's tolerance and a little: how long a signature can be presented."""


@dataclass(frozen=True, slots=True)
class EdgeCaller:
    """An edge that has proved who it is, and the body it signed."""

    edge_id: str
    body: bytes = field(repr=False)
    fencing_token: int | None = None


async def signed_edge(request: Request) -> EdgeCaller:
    """The edge behind a signed request.

    Raises:
        NotAuthenticated: unknown or disabled edge, wrong signature, or a timestamp out of tolerance.
        Fenced: the edge has a newer owner than this one.
        InvalidRequest: the body is larger than any that is meant.
    """
    body = await _limited_body(request)
    return await run_in_threadpool(_verify, parts_of(request), request, request.method, body)


SignedEdge = Annotated[EdgeCaller, Depends(signed_edge)]


def verify_connection(connection: HTTPConnection) -> EdgeCaller:
    """The edge that opens a WebSocket; its signed request is honoured once.

    Raises:
        NotAuthenticated: as :func:`signed_edge`, or the same request came before.
        Fenced: as :func:`signed_edge`.
    """
    parts = parts_of(connection)
    caller = _verify(parts, connection, "GET", b"")
    _honour_once(parts, caller.edge_id, connection.headers.get(ID_HEADER, ""), parts.clock.now())
    return caller


def _verify(parts: Parts, connection: HTTPConnection, method: str, body: bytes) -> EdgeCaller:
    edge_id = connection.headers.get(EDGE_HEADER, "")
    with parts.database.read() as session:
        edge = session.get(EdgeRow, edge_id)
        sealed = edge.sealed_secret if edge is not None and edge.enabled else None
        highest = edge.fencing_token if edge is not None else None
    if sealed is None:
        raise NotAuthenticated(
            "The edge is not known here, or is switched off. Register it, or check edge_id."
        )
    verify(
        parts.vault.open(sealed).get_secret_value(),
        headers=connection.headers,
        method=method,
        target=_target(connection),
        body=body,
    )
    token = fencing_token(connection.headers)
    compare(edge_id, token, highest)
    if token is not None and token != highest:
        with parts.database.write() as session:
            admit(session, edge_id, token)
    return EdgeCaller(edge_id, body, token)


def _honour_once(parts: Parts, edge_id: str, request_id: str, now: datetime) -> None:
    try:
        with parts.database.write() as session:
            session.execute(delete(DeviceRequestRow).where(DeviceRequestRow.seen_at < now - SIGNATURE_LIFE))
            session.add(DeviceRequestRow(request_id=request_id[:100], edge_id=edge_id, seen_at=now))
    except IntegrityError:
        raise NotAuthenticated("This signed request was used before. Sign a new one.") from None


def _target(connection: HTTPConnection) -> str:
    raw: bytes = connection.scope.get("raw_path") or connection.scope["path"].encode()
    query: bytes = connection.scope.get("query_string", b"")
    return (raw + b"?" + query if query else raw).decode("latin-1")


async def _limited_body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise InvalidRequest(
                f"The request is larger than {MAX_BODY // (1024 * 1024)} MiB. Send less at once."
            )
        chunks.append(chunk)
    return b"".join(chunks)
