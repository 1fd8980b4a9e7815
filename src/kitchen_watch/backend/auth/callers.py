"""Who may call: dependencies that make it visible in a route's signature.

``person: AnyPerson`` admits everybody who is logged in, ``person: Regulator`` the territory side,
and so on. Unsafe methods also need the CSRF token; nothing a route does can forget it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from kitchen_watch.backend.auth.csrf import SAFE_METHODS, check_origin, check_token
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import PREMISES_SIDE, REGULATORS, Role
from kitchen_watch.backend.auth.service import Visitor
from kitchen_watch.backend.auth.sessions import find_person
from kitchen_watch.backend.parts import Parts, parts_of
from kitchen_watch.errors import NotAuthenticated, NotPermitted, PasswordChangeNeeded

COOKIE = "kw_session"
SECURE_COOKIE = "__Host-kw_session"


def cookie_name(parts: Parts) -> str:
    """The session cookie's name; over TLS one that browsers bind to this very host."""
    return SECURE_COOKIE if parts.settings.https else COOKIE


def visitor_of(connection: HTTPConnection) -> Visitor:
    """Network address and browser of a request."""
    host = connection.client.host if connection.client is not None else ""
    return Visitor(address=host, user_agent=connection.headers.get("user-agent", ""))


async def optional_person(request: Request) -> Person | None:
    """Who is logged in, if anybody, also with a one-time password; checks CSRF for unsafe methods.

    Raises:
        NotPermitted: an unsafe request without the session's token, or from another site.
    """
    parts = parts_of(request)
    token = request.cookies.get(cookie_name(parts))
    if not token:
        return None
    person = await run_in_threadpool(
        find_person, parts.database, token, now=parts.clock.now(), times=parts.login.times
    )
    if person is not None and request.method not in SAFE_METHODS:
        check_origin(request, parts.settings.public_url)
        await check_token(request, person.csrf_token)
    return person


MaybePerson = Annotated[Person | None, Depends(optional_person)]


async def newcomer(person: MaybePerson) -> Person:
    """Somebody logged in, also with a one-time password: may only change it, look at it or log out."""
    if person is None:
        raise NotAuthenticated("You are not logged in, or your session has ended. Log in.")
    return person


async def any_person(person: Annotated[Person, Depends(newcomer)]) -> Person:
    """Somebody logged in with a password of their own."""
    if person.must_change_password:
        raise PasswordChangeNeeded("Replace your one-time password first.")
    return person


def _one_of(roles: frozenset[Role], who: str) -> Callable[[Person], Awaitable[Person]]:
    async def permitted(person: Annotated[Person, Depends(any_person)]) -> Person:
        if person.role not in roles:
            raise NotPermitted(f"Only {who} may do this.")
        return person

    return permitted


Newcomer = Annotated[Person, Depends(newcomer)]
AnyPerson = Annotated[Person, Depends(any_person)]
Regulator = Annotated[Person, Depends(_one_of(REGULATORS, "supervision staff"))]
PremisesPerson = Annotated[Person, Depends(_one_of(PREMISES_SIDE, "the restaurant's own people"))]
PremisesManager = Annotated[
    Person, Depends(_one_of(frozenset({Role.PREMISES_MANAGER}), "the restaurant's manager"))
]
Administrator = Annotated[Person, Depends(_one_of(frozenset({Role.ADMIN}), "an administrator"))]
Supervisor = Annotated[
    Person, Depends(_one_of(frozenset({Role.ADMIN, Role.SUPERVISOR}), "supervisors and administrators"))
]
VisitorOf = Annotated[Visitor, Depends(visitor_of)]
