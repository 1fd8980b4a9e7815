"""Make and change logins: used by the seed, the command line and administration."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.passwords import check_new_password, hash_password, one_time_password
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.service import find_by_username
from kitchen_watch.backend.auth.sessions import close_sessions_of
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

_USERNAME = re.compile(r"^[a-z0-9][a-z0-9._-]{1,63}$")


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A login to be made. Without ``password`` a one-time password is invented."""

    username: str
    display_name: str
    role: Role
    node_id: int | None = None
    premises_id: int | None = None
    group_id: int | None = None
    password: str | None = field(default=None, repr=False)
    must_change_password: bool = True
    locale: str | None = None


def add_person(session: Session, new: NewPerson, *, now: datetime) -> tuple[PersonRow, str]:
    """Make the login; returns it and the password that its owner must be told.

    Raises:
        InvalidRequest: the login name cannot be used, the role lacks its place, or the password is bad.
        Conflict: the login name is taken.
    """
    username = new.username.strip().lower()
    if not _USERNAME.match(username):
        raise InvalidRequest(
            f"The login name {new.username!r} cannot be used: 2 to 64 of a-z 0-9 . _ - and nothing else."
        )
    check_place(new)
    password = new.password or one_time_password()
    if new.password is not None:
        check_new_password(new.password, username=username)
    row = PersonRow(
        username=username,
        display_name=new.display_name,
        role=new.role,
        password_hash=hash_password(password),
        must_change_password=new.must_change_password,
        node_id=new.node_id,
        premises_id=new.premises_id,
        group_id=new.group_id,
        locale=new.locale,
        created_at=now,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(f"The login name {username} is taken, or its place does not exist.") from None
    return row, password


def check_place(new: NewPerson) -> None:
    """Return if the role has the place it needs and no other.

    Raises:
        InvalidRequest: it has not.
    """
    needed = {
        Role.ADMIN: "nothing",
        Role.SUPERVISOR: "group",
        Role.GRID_OFFICER: "node",
        Role.RESPONSIBLE_OFFICIAL: "node or nothing",
    }.get(new.role, "premises")
    given = {
        name
        for name, value in (("node", new.node_id), ("premises", new.premises_id), ("group", new.group_id))
        if value is not None
    }
    wanted = set() if needed == "nothing" else {needed}
    if given != wanted and not (new.role is Role.RESPONSIBLE_OFFICIAL and given <= {"node"}):
        raise InvalidRequest(f"The role {new.role} is tied to {needed}; {new.username} was given otherwise.")


def reset_password(session: Session, username: str) -> str:
    """A new one-time password; all sessions of that login end.

    Raises:
        NotFound: there is no such login.
    """
    row = find_by_username(session, username)
    if row is None:
        raise NotFound(f"There is no login {username}.")
    password = one_time_password()
    row.password_hash = hash_password(password)
    row.must_change_password = True
    close_sessions_of(session, row.id)
    return password


def count_people(session: Session) -> int:
    """How many logins there are."""
    return session.scalar(select(func.count()).select_from(PersonRow)) or 0
