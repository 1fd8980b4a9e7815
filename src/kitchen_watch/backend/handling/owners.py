"""The two owners that every alert has: who answers for the premises, and who for the territory."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.places import node_ids
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesOfficialRow


@dataclass(frozen=True, slots=True)
class Owners:
    """Ids of people; a premises without a manager's login has no owner of its own yet."""

    premises: int | None
    territory: int


def owners_of(session: Session, alert: AlertRow, *, otherwise: int) -> Owners:
    """The premises' manager; and its responsible official, or else the nearest officer up the tree.

    ``otherwise`` owns the territory side where nobody is named.
    """
    manager = session.scalar(
        select(PersonRow.id)
        .where(
            PersonRow.premises_id == alert.premises_id,
            PersonRow.role == Role.PREMISES_MANAGER,
            PersonRow.disabled.is_(False),
        )
        .order_by(PersonRow.id)
        .limit(1)
    )
    official = session.scalar(
        select(PersonRow.id)
        .join(PremisesOfficialRow, PremisesOfficialRow.person_id == PersonRow.id)
        .where(
            PremisesOfficialRow.premises_id == alert.premises_id,
            PremisesOfficialRow.until_at.is_(None),
            PersonRow.disabled.is_(False),
        )
        .limit(1)
    )
    return Owners(manager, official or _officer(session, alert.node_id) or otherwise)


def _officer(session: Session, node_id: int) -> int | None:
    line = node_ids(session.scalars(select(NodeRow.path).where(NodeRow.id == node_id)).one())
    officers: dict[int, int] = {}
    for person_id, place in session.execute(
        select(PersonRow.id, PersonRow.node_id)
        .where(
            PersonRow.node_id.in_(line),
            PersonRow.role == Role.GRID_OFFICER,
            PersonRow.disabled.is_(False),
        )
        .order_by(PersonRow.id.desc())
    ):
        if place is not None:
            officers[place] = person_id
    return next((officers[place] for place in reversed(line) if place in officers), None)
