"""Make and change logins as an administrator; nobody leaves a grid without an officer."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.people import NewPerson, add_person, check_place, reset_password
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.sessions import close_sessions_of
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.bodies import PersonBody
from kitchen_watch.backend.organisations.changing_tree import flush
from kitchen_watch.backend.organisations.orphans import check_still_answered
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow, SupervisionGroupRow
from kitchen_watch.backend.organisations.writing import Author, changes, check_version
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound


def add_login(session: Session, author: Author, body: PersonBody) -> tuple[PersonRow, str]:
    """Make a login; returns it and its one-time password, which is told once.

    Raises:
        InvalidRequest: its role lacks its place, or the place does not exist.
        Conflict: the login name is taken.
    """
    _check_places(session, body)
    taken = session.scalar(select(PersonRow.id).where(PersonRow.username == body.username))
    if taken is not None:
        raise Conflict(f"The login name {body.username} is taken.")
    row, password = add_person(session, _new(body), now=author.now)
    row.disabled = body.disabled
    author.note(session, "person_added", ("person", row.id), username=row.username, role=str(row.role))
    session.flush()
    return row, password


def change_login(session: Session, author: Author, person_id: int, body: PersonBody) -> PersonRow:
    """Other name, role, place, or disabled; all sessions end where it may see less from now on.

    Raises:
        NotFound: there is no such login.
        Conflict: somebody was faster, or a grid would be left without an officer, or nobody could
            administer any more.
        InvalidRequest: its role lacks its place.
    """
    row = find_login(session, person_id)
    version = check_version(row.version, body.version)
    if body.username != row.username:
        raise InvalidRequest("A login name stays as it is: the audit log knows people by it.")
    _check_places(session, body)
    check_place(_new(body))
    before = row.node_id
    found = changes(
        row,
        body.model_dump(include={"display_name", "role", "node_id", "premises_id", "group_id", "disabled"}),
    )
    row.version = version
    flush(session, "The place of this login does not exist.")
    if before is not None:
        check_still_answered(session, before)
    _check_somebody_administers(session)
    if set(found) - {"display_name"}:
        close_sessions_of(session, row.id)
    author.note(session, "person_changed", ("person", row.id), username=row.username, changes=found)
    return row


def new_password(session: Session, author: Author, person_id: int) -> tuple[PersonRow, str]:
    """A new one-time password; all sessions of that login end.

    Raises:
        NotFound: there is no such login.
    """
    row = find_login(session, person_id)
    password = reset_password(session, row.username)
    author.note(session, "password_reset", ("person", row.id), username=row.username)
    session.flush()
    return row, password


def find_login(session: Session, person_id: int) -> PersonRow:
    """The login.

    Raises:
        NotFound: there is none.
    """
    row = session.get(PersonRow, person_id)
    if row is None:
        raise NotFound(f"There is no person {person_id}.")
    return row


def _new(body: PersonBody) -> NewPerson:
    return NewPerson(
        username=body.username, display_name=body.display_name, role=body.role, node_id=body.node_id,
        premises_id=body.premises_id, group_id=body.group_id,
    )  # fmt: skip


def _check_places(session: Session, body: PersonBody) -> None:
    for table, key, what in (
        (NodeRow, body.node_id, "node"),
        (PremisesRow, body.premises_id, "premises"),
        (SupervisionGroupRow, body.group_id, "supervision group"),
    ):
        if key is not None and session.get(table, key) is None:
            raise InvalidRequest(f"There is no {what} {key}.")


def _check_somebody_administers(session: Session) -> None:
    left = session.scalar(
        select(func.count()).where(PersonRow.role == Role.ADMIN, PersonRow.disabled.is_(False))
    )
    if not left:
        raise Conflict("This is the last administrator; name another one first.")
