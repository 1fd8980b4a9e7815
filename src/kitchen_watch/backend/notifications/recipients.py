"""Which people stand behind the two sides of an alert."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.handling.owners import owners_of
from kitchen_watch.backend.handling.tables import AssignmentRow
from kitchen_watch.backend.notifications.happenings import Happening
from kitchen_watch.backend.notifications.rules import Side
from kitchen_watch.backend.organisations.places import node_ids

_NOBODY = 0


def recipients_of(session: Session, happening: Happening) -> list[PersonRow]:
    """Everybody who is to be told; not whoever did it."""
    ids: set[int] = set()
    if Side.PREMISES in happening.telling.sides:
        ids |= _managers(session, happening.alert.premises_id)
    if Side.TERRITORY in happening.telling.sides:
        ids.add(_territory_owner(session, happening))
    if happening.telling.superiors:
        ids |= _officers_above(session, happening)
    ids -= {_NOBODY, happening.by or _NOBODY}
    return list(
        session.scalars(
            select(PersonRow)
            .where(PersonRow.id.in_(ids), PersonRow.disabled.is_(False))
            .order_by(PersonRow.id)
        )
    )


def _managers(session: Session, premises_id: int) -> set[int]:
    """The managers; where a restaurant has no manager's login yet, its staff."""
    people: dict[Role, set[int]] = {Role.PREMISES_MANAGER: set(), Role.PREMISES_STAFF: set()}
    for person_id, role in session.execute(
        select(PersonRow.id, PersonRow.role).where(
            PersonRow.premises_id == premises_id, PersonRow.role.in_(people), PersonRow.disabled.is_(False)
        )
    ):
        people[role].add(person_id)
    return people[Role.PREMISES_MANAGER] or people[Role.PREMISES_STAFF]


def _territory_owner(session: Session, happening: Happening) -> int:
    assigned = session.scalar(
        select(AssignmentRow.territory_owner_id)
        .where(AssignmentRow.alert_id == happening.alert.id)
        .order_by(AssignmentRow.id.desc())
        .limit(1)
    )
    return assigned or owners_of(session, happening.alert, otherwise=_NOBODY).territory


def _officers_above(session: Session, happening: Happening) -> set[int]:
    line = node_ids(happening.node_path)
    node = happening.supervising_node or line[max(0, len(line) - 2)]
    return set(
        session.scalars(
            select(PersonRow.id).where(PersonRow.node_id == node, PersonRow.role == Role.GRID_OFFICER)
        )
    )
