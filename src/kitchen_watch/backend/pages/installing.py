"""Hangs the pages into a backend: routes, static files, and errors as pages instead of JSON."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from kitchen_watch.backend.pages import (
    administration_routes,
    archive_routes,
    board_routes,
    campaign_routes,
    check_form_routes,
    complaint_routes,
    handling_routes,
    hold_routes,
    letter_routes,
    live_routes,
    login_routes,
    notification_routes,
    patrol_acts,
    patrol_answer_routes,
    patrol_routes,
    patrol_rules_routes,
    public_routes,
    rating_routes,
    receiver_routes,
    report_routes,
    routes,
    rule_set_routes,
    self_check_routes,
    source_code,
    statistics_routes,
    task_routes,
)
from kitchen_watch.backend.pages.answers import frame_for, go_to, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import STATIC, static_version
from kitchen_watch.errors import NotAuthenticated, PasswordChangeNeeded

MACHINES = ("/api/", "/media/", "/static/", "/metrics", "/healthz", "/readyz", "/openapi")
"""Paths whose errors are read by programs."""

Handler = Callable[[Request, Any], Response | Awaitable[Response]]

TEXTS = {
    403: (
        N_("This is not for your role"),
        N_("Your role does not include this page. If you need it, ask your administrator."),
    ),
    404: (
        N_("There is nothing here"),
        N_(
            "The address is wrong, what you look for no longer exists, or it lies outside your area of "
            "responsibility."
        ),
    ),
    409: (
        N_("Somebody was faster"),
        N_("It cannot be done any more in the present state. Go back and look at it again."),
    ),
    422: (
        N_("This request cannot be understood"),
        N_("Something in the address or the form is missing or wrong. Go back and try again."),
    ),
    429: (
        N_("Too many requests"),
        N_("So many came from this network address that it has to wait. Try again in a minute."),
    ),
    500: (
        N_("Something went wrong on our side"),
        N_("Nothing that was saved is lost. Try again; if it happens once more, tell your administrator."),
    ),
    503: (
        N_("The service is busy"),
        N_("It cannot reach its database just now. Try again in a moment; alerts that come in are not lost."),
    ),
}


class _Forever(StaticFiles):
    """Static files under an address that changes with their content: kept by browsers for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer


def install_pages(app: FastAPI) -> None:
    """Add every page to ``app``. Call it last: the handlers of errors that are there are wrapped."""
    app.include_router(login_routes.router)
    app.include_router(routes.router)
    app.include_router(administration_routes.router)
    app.include_router(check_form_routes.router)
    app.include_router(rule_set_routes.router)
    app.include_router(handling_routes.router)
    app.include_router(board_routes.router)
    app.include_router(live_routes.router)
    app.include_router(public_routes.router)
    app.include_router(letter_routes.router)
    app.include_router(notification_routes.router)
    app.include_router(patrol_rules_routes.router)
    app.include_router(patrol_acts.router)
    app.include_router(patrol_answer_routes.router)
    app.include_router(patrol_routes.router)
    app.include_router(receiver_routes.router)
    app.include_router(report_routes.router)
    app.include_router(rating_routes.router)
    app.include_router(statistics_routes.router)
    app.include_router(campaign_routes.router)
    app.include_router(archive_routes.router)
    app.include_router(self_check_routes.router)
    app.include_router(complaint_routes.router)
    app.include_router(hold_routes.router)
    app.include_router(task_routes.router)
    app.include_router(source_code.router)
    app.mount(f"/static/{static_version()}", _Forever(directory=STATIC), name="static")
    for kind, handler in list(app.exception_handlers.items()):
        app.exception_handlers[kind] = _as_page(handler)


def _as_page(handler: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer = handler(request, error)
        if inspect.isawaitable(answer):
            answer = await answer
        if request.url.path.startswith(MACHINES):
            return answer
        shown = _error_page(request, error, answer.status_code)
        if "retry-after" in answer.headers:
            shown.headers["retry-after"] = answer.headers["retry-after"]
        return shown

    return handle


def _error_page(request: Request, error: Exception, status: int) -> Response:
    if isinstance(error, PasswordChangeNeeded):
        return go_to("/password")
    if isinstance(error, NotAuthenticated):
        query = f"?{request.url.query}" if request.url.query else ""
        wanted = request.url.path + query if request.method == "GET" else "/"
        return go_to("/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}")
    near = status if status in TEXTS else 500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 404
    title, text = TEXTS[near]
    frame = frame_for(request, None)
    gettext = frame.language.gettext
    return page("error.html", frame, status=status, code=status, title=gettext(title), text=gettext(text))
