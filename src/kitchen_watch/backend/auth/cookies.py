"""The session cookie: set at login, cleared at logout, never readable by scripts."""

from __future__ import annotations

from starlette.responses import Response

from kitchen_watch.backend.auth.callers import cookie_name
from kitchen_watch.backend.auth.sessions import OpenedSession
from kitchen_watch.backend.parts import Parts


def set_session_cookie(response: Response, parts: Parts, opened: OpenedSession) -> None:
    """Give the browser its token, for this browser session at most for the session's lifetime."""
    response.set_cookie(
        cookie_name(parts),
        opened.token,
        max_age=int(parts.settings.session_lifetime.total_seconds()),
        path="/",
        secure=parts.settings.https,
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response, parts: Parts) -> None:
    """Make the browser forget its token."""
    response.delete_cookie(
        cookie_name(parts), path="/", secure=parts.settings.https, httponly=True, samesite="lax"
    )
