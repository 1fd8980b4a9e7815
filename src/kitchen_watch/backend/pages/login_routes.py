"""Pages around the session: log in, log out, change the password, choose language and appearance."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from kitchen_watch.backend.auth.callers import MaybePerson, Newcomer, VisitorOf, cookie_name
from kitchen_watch.backend.auth.cookies import clear_session_cookie, set_session_cookie
from kitchen_watch.backend.auth.csrf import check_origin
from kitchen_watch.backend.auth.passwords import MIN_LENGTH
from kitchen_watch.backend.pages import languages
from kitchen_watch.backend.pages.answers import THEME_COOKIE, FrameOf, go_to, own_address, page
from kitchen_watch.backend.pages.navigation import start_page
from kitchen_watch.backend.pages.rendering import THEMES, Frame
from kitchen_watch.backend.pages.spoken import said
from kitchen_watch.backend.pages.times import duration
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.errors import InvalidRequest, LockedOut, NotAuthenticated, Throttled

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
YEAR = timedelta(days=365)


@router.get("/login")
def show_login(frame: FrameOf, next: str = "/") -> Response:  # noqa: A002 - the usual name in addresses
    """The login form; somebody who is logged in already goes on."""
    if frame.person is not None:
        return go_to(own_address(next))
    return _login_page(frame, next)


@router.post("/login")
def log_in(
    request: Request,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
    username: Text,
    password: Text,
    next: Text = "/",  # noqa: A002
) -> Response:
    """Open a session, or say why not in words that help."""
    check_origin(request, parts.settings.public_url)
    gettext = frame.language.gettext
    old = request.cookies.get(cookie_name(parts))
    try:
        opened = parts.login.log_in(username, password, visitor, old_token=old)
    except LockedOut as error:
        wait = duration(timedelta(minutes=-(-error.retry_after // timedelta(minutes=1))), frame.language)
        problem = gettext(
            "Too many wrong passwords. This login is locked for %(wait)s; after that you can try again. "
            "If you have forgotten the password, ask your administrator for a new one."
        ) % {"wait": wait}
        return _login_page(frame, next, problem=problem, username=username, status=error.status)
    except Throttled as error:
        problem = gettext("Too many attempts from this network. Wait a minute and try again.")
        return _login_page(frame, next, problem=problem, username=username, status=error.status)
    except NotAuthenticated as error:
        problem = gettext("The user name or the password is wrong. Check capital letters and try again.")
        return _login_page(frame, next, problem=problem, username=username, status=error.status)
    goal = own_address(next)
    if opened.person.must_change_password:
        goal = "/password"
    answer = go_to(start_page(opened.person) if goal == "/" else goal)
    set_session_cookie(answer, parts, opened)
    return answer


@router.post("/logout")
def log_out(person: Newcomer, parts: PartsOf, visitor: VisitorOf) -> Response:
    """End the session."""
    parts.login.log_out(person, visitor)
    answer = go_to("/login")
    clear_session_cookie(answer, parts)
    return answer


@router.get("/password")
def show_password(person: Newcomer, frame: FrameOf) -> Response:
    """The form for a new password; also where a one-time password leads."""
    return _password_page(frame)


@router.post("/password")
def change_password(
    person: Newcomer,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
    old_password: Text,
    new_password: Text,
    repeated: Text,
) -> Response:
    """Replace the password; the session goes on under a new token."""
    if new_password != repeated:
        problem = frame.language.gettext("The new password was not typed the same way twice.")
        return _password_page(frame, problem=problem, status=422)
    try:
        opened = parts.login.change_password(person, old_password, new_password, visitor)
    except LockedOut as error:
        problem = frame.language.gettext("Too many wrong passwords. Wait %(wait)s and try again.") % {
            "wait": duration(error.retry_after, frame.language)
        }
        return _password_page(frame, problem=problem, status=error.status)
    except InvalidRequest as error:
        return _password_page(frame, problem=said(str(error), frame.language), status=error.status)
    answer = go_to(start_page(opened.person))
    set_session_cookie(answer, parts, opened)
    return answer


@router.post("/preferences")
def choose_preferences(
    request: Request,
    person: MaybePerson,
    parts: PartsOf,
    language: Text = "",
    theme: Text = "",
    next: Text = "/",  # noqa: A002
) -> Response:
    """Remember language and appearance in cookies, the language also with the person."""
    check_origin(request, parts.settings.public_url)
    answer = go_to(own_address(next))
    if language in languages.languages():
        _remember(answer, parts, languages.COOKIE, language)
        if person is not None:
            parts.login.set_locale(person, language)
    if theme in THEMES:
        _remember(answer, parts, THEME_COOKIE, theme)
    return answer


def _remember(answer: Response, parts: Parts, name: str, value: str) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=int(YEAR.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=parts.settings.https,
    )


def _login_page(
    frame: Frame, goal: str, *, problem: str | None = None, username: str = "", status: int = 200
) -> Response:
    return page(
        "login.html", frame, status=status, problem=problem, username=username, next=own_address(goal)
    )


def _password_page(frame: Frame, *, problem: str | None = None, status: int = 200) -> Response:
    one_time = frame.person is not None and frame.person.must_change_password
    return page(
        "password.html", frame, status=status, problem=problem, one_time=one_time, min_length=MIN_LENGTH
    )
