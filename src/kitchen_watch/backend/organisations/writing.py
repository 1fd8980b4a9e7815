"""One write of an administrator or officer: who, from where, under which key, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import AnyPerson, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.handling.repeats import Request as Asked
from kitchen_watch.backend.handling.repeats import once
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.errors import Conflict, InvalidRequest

V = TypeVar("V", bound=BaseModel)

_Key = Annotated[
    str | None,
    Header(
        alias="idempotency-key",
        min_length=8,
        max_length=100,
        pattern=r"^[\x21-\x7e]+$",
        description="asked again with the same key within two days, the answer is the same",
    ),
]


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes something, from where and when."""

    person: Person
    actor: Actor
    now: datetime

    def note(
        self,
        session: Session,
        action: str,
        about: tuple[str, object],
        *,
        premises_id: int | None = None,
        **facts: Any,
    ) -> None:
        """Write it down in the audit log."""
        record(session, self.actor, action, at=self.now, about=about, premises_id=premises_id, **facts)


class Write:
    """One write of a route; roles are the route's own to check."""

    def __init__(
        self, request: Request, parts: PartsOf, person: AnyPerson, visitor: VisitorOf, key: _Key = None
    ) -> None:
        self._target = f"{request.method} {request.url.path}?{request.url.query}"
        self._parts = parts
        self._key = key
        self.author = Author(person, Actor(person.id, visitor.address), parts.clock.now())

    def secretly(
        self, body: BaseModel | bytes | None, kind: type[V], act: Callable[[Session, Author], V]
    ) -> V:
        """The same for an answer that carries a secret: what is kept for a repetition is sealed."""
        return self._once(body, kind, act, self._parts.vault)

    def answer(self, body: BaseModel | bytes | None, kind: type[V], act: Callable[[Session, Author], V]) -> V:
        """Do it once, in one transaction, and tell how it stands then."""
        return self._once(body, kind, act, None)

    def _once(
        self,
        body: BaseModel | bytes | None,
        kind: type[V],
        act: Callable[[Session, Author], V],
        vault: Vault | None,
    ) -> V:
        content = body.model_dump_json().encode() if isinstance(body, BaseModel) else body or b""
        asked = Asked(self.author.person.id, self._key, self._target, content)
        with self._parts.database.write() as session:
            return once(
                session, asked, kind, lambda: act(session, self.author), now=self.author.now, vault=vault
            )


Writing = Annotated[Write, Depends()]


def check_version(present: int, seen: int | None) -> int:
    """The next version, if the writer has seen the present one.

    Raises:
        InvalidRequest: no version was named.
        Conflict: somebody else changed it since.
    """
    if seen is None:
        raise InvalidRequest("Name the version that you have seen, so that nobody's change is lost.")
    if seen != present:
        raise Conflict("Somebody else has changed this meanwhile. Look at it again, then repeat your change.")
    return present + 1


def changes(row: object, values: dict[str, Any]) -> dict[str, list[Any]]:
    """Lay ``values`` over the row; returns what was and what is, for the audit log."""
    found = {}
    for name, value in values.items():
        before = getattr(row, name)
        if before != value:
            found[name] = [_plain(before), _plain(value)]
            setattr(row, name, value)
    return found


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool | list | dict) else str(value)
