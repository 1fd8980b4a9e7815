"""The OpenAPI document: what FastAPI derives from the routes, completed by what it cannot see."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kitchen_watch.backend.alerts.schemas import FeedMessage
from kitchen_watch.backend.auth.callers import COOKIE
from kitchen_watch.backend.auth.csrf import HEADER
from kitchen_watch.backend.problems import MEDIA_TYPE, Problem
from kitchen_watch.backend.webhooks.messages import OutgoingEvent
from kitchen_watch.events import EventBatch
from kitchen_watch.signing import SIGNATURE_HEADER

EXTRA_MODELS: tuple[type[BaseModel], ...] = (Problem, EventBatch, FeedMessage, OutgoingEvent)
"""Models that no route's signature names: read leniently, streamed, or made by error handlers."""

_REFERENCE = "#/components/schemas/{model}"
_PROBLEM = {
    "description": "a problem, in words",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_SCHEMES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"Set by POST /api/v1/session. Unsafe methods also need the header {HEADER}.",
    },
    "edge": {
        "type": "apiKey",
        "in": "header",
        "name": SIGNATURE_HEADER,
        "description": "Standard Webhooks signature of edge id, method, target and body hash.",
    },
}
_OPEN = {("/api/v1/session", "post")}


def install_description(app: FastAPI) -> None:
    """Let ``app.openapi()`` return the completed document."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _describe(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, extra = models_json_schema([(model, "validation") for model in EXTRA_MODELS], ref_template=_REFERENCE)
    for name, schema in extra["$defs"].items():
        schemas.setdefault(name, schema)
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            responses.pop("422", None)
            responses["4XX"] = responses["5XX"] = _PROBLEM
            if (path, method) not in _OPEN:
                operation["security"] = [{"edge" if "edge" in operation["tags"] else "session": []}]
    return document
