"""Errors as people's programs read them: problem+json (RFC 9457), mapped in this one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from kitchen_watch.errors import (
    BackendBusy,
    Conflict,
    Fenced,
    InvalidRequest,
    KitchenWatchError,
    LockedOut,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    PasswordChangeNeeded,
    RequestError,
    Throttled,
)
from kitchen_watch.signing import FENCED

MEDIA_TYPE = "application/problem+json"
BUSY_RETRY_S = 2

log = structlog.get_logger(__name__)

CODES: Mapping[type[RequestError], str] = {
    NotAuthenticated: "not_authenticated",
    PasswordChangeNeeded: "password_change_needed",
    NotPermitted: "not_permitted",
    NotFound: "not_found",
    Conflict: "conflict",
    Fenced: FENCED,
    InvalidRequest: "invalid_request",
    LockedOut: "locked_out",
    Throttled: "throttled",
}


class FieldProblem(BaseModel):
    """One value that cannot be used."""

    field: str
    problem: str


class Problem(BaseModel):
    """The body of every answer that is an error."""

    type: str = Field(default="about:blank")
    title: str
    status: int
    detail: str
    code: str = Field(examples=["not_found"])
    fields: list[FieldProblem] = Field(default=[])


def problem(
    status: int,
    detail: str,
    *,
    code: str,
    headers: Mapping[str, str] | None = None,
    fields: list[FieldProblem] | None = None,
) -> Response:
    """One problem+json answer."""
    body = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, fields=fields or []
    )
    return JSONResponse(
        body.model_dump(exclude_defaults=False), status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def from_request_error(error: RequestError) -> Response:
    """The answer for one of our own refusals."""
    code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES) if _known(error) else "refused"
    headers: dict[str, str] = {}
    if isinstance(error, Throttled):
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after.total_seconds())))
    fields = (
        [FieldProblem(field=name, problem=why) for name, why in error.fields.items()]
        if isinstance(error, InvalidRequest)
        else None
    )
    return problem(error.status, str(error), code=code, headers=headers, fields=fields)


def _known(error: RequestError) -> bool:
    return any(kind in CODES for kind in type(error).__mro__)


def install_problems(app: FastAPI) -> None:
    """Register the mapping for everything a route can raise."""

    @app.exception_handler(RequestError)
    async def _ours(_request: Request, error: RequestError) -> Response:
        return from_request_error(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> Response:
        fields = [
            FieldProblem(
                field=".".join(str(part) for part in item["loc"]),
                problem=str(item["msg"]).removeprefix("Value error, "),
            )
            for item in error.errors()
        ]
        named = ", ".join(field.field for field in fields[:5])
        return problem(
            422, f"The request cannot be used; see: {named}.", code="invalid_request", fields=fields
        )

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        code = phrase.lower().replace(" ", "_")
        detail = error.detail if error.detail != phrase else f"{phrase}."
        return problem(error.status_code, detail, code=code, headers=error.headers)

    @app.exception_handler(DataError)
    async def _unstorable(request: Request, error: DataError) -> Response:
        log.warning("a value that the database refuses", path=request.url.path, reason=str(error.orig)[:300])
        return problem(
            422,
            "The request carries a value that cannot be looked up or stored, such as the character NUL.",
            code="invalid_request",
        )

    @app.exception_handler(BackendBusy)
    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeout)
    async def _busy(request: Request, error: Exception) -> Response:
        log.warning("database not available", path=request.url.path, reason=str(error)[:300])
        return problem(
            503,
            "The service cannot reach its database just now. Try again in a moment.",
            code="busy",
            headers={"retry-after": str(BUSY_RETRY_S)},
        )

    @app.exception_handler(KitchenWatchError)
    async def _misconfigured(request: Request, error: KitchenWatchError) -> Response:
        log.error("request failed", path=request.url.path, reason=str(error))
        return problem(500, "The service is not set up correctly; its log says why.", code="internal_error")

    @app.exception_handler(500)
    async def _bug(request: Request, error: Exception) -> Response:
        log.error("request failed", path=request.url.path, exc_info=error)
        return problem(500, "Something went wrong in the service; its log says what.", code="internal_error")
