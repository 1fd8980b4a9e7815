"""Log in, look at oneself, change the password, log out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response, status

from kitchen_watch.backend.auth.callers import Newcomer, VisitorOf, cookie_name
from kitchen_watch.backend.auth.cookies import clear_session_cookie, set_session_cookie
from kitchen_watch.backend.auth.csrf import check_origin
from kitchen_watch.backend.auth.schemas import Credentials, Me, PasswordChange
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(prefix="/api/v1/session", tags=["session"])


@router.post("", summary="Log in")
def log_in(
    credentials: Credentials, request: Request, response: Response, parts: PartsOf, visitor: VisitorOf
) -> Me:
    """Open a session; its token is set as a cookie. 429 says when to try again."""
    check_origin(request, parts.settings.public_url)
    opened = parts.login.log_in(
        credentials.username,
        credentials.password.get_secret_value(),
        visitor,
        old_token=request.cookies.get(cookie_name(parts)),
    )
    set_session_cookie(response, parts, opened)
    return Me.of(opened.person)


@router.get("", summary="Who am I")
def me(person: Newcomer) -> Me:
    """The person of this session."""
    return Me.of(person)


@router.put("/password", summary="Change my password")
def change_password(
    change: PasswordChange, response: Response, person: Newcomer, parts: PartsOf, visitor: VisitorOf
) -> Me:
    """Replace the password; every other session of this person ends."""
    opened = parts.login.change_password(
        person, change.present.get_secret_value(), change.new.get_secret_value(), visitor
    )
    set_session_cookie(response, parts, opened)
    return Me.of(opened.person)


@router.delete("", summary="Log out", status_code=status.HTTP_204_NO_CONTENT)
def log_out(response: Response, person: Newcomer, parts: PartsOf, visitor: VisitorOf) -> None:
    """End this session and what it streams."""
    parts.login.log_out(person, visitor)
    clear_session_cookie(response, parts)
