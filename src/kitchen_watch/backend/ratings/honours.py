"""Honours and admonitions: awarded and withdrawn by a person with a reason; every one is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.public.service import visible_premises
from kitchen_watch.backend.ratings.schemas import HonourBody, HonourView, WithdrawalBody
from kitchen_watch.backend.ratings.tables import POSITIVE, HonourKind, HonourRow
from kitchen_watch.errors import Conflict, NotFound, NotPermitted

AWARDERS = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.GRID_OFFICER})


def may_award(person: Person) -> bool:
    """Whether this person speaks for the authority; a responsible official only accompanies."""
    return person.role in AWARDERS


def award(session: Session, by: Author, premises_id: int, body: HonourBody) -> HonourView:
    """Award it; the reason stays.

    Raises:
        NotFound: there is no such premises in the person's scope.
        NotPermitted: not for this role.
        Conflict: the same is in force already.
    """
    premises = visible_premises(session, by.person, premises_id)
    _check(by.person)
    exclusive(session, f"honours/{premises.id}")
    known = select(HonourRow.id).where(
        HonourRow.premises_id == premises.id, HonourRow.kind == body.kind, HonourRow.withdrawn_at.is_(None)
    )
    if body.kind in POSITIVE and session.scalar(known) is not None:
        raise Conflict("This honour is in force already. Withdraw it before it is awarded anew.")
    row = HonourRow(
        premises_id=premises.id,
        node_id=premises.node_id,
        kind=body.kind,
        reason=body.reason,
        awarded_by=by.person.id,
        awarded_at=by.now,
    )
    session.add(row)
    session.flush()
    by.note(
        session, "honour_awarded", ("honour", row.id), premises_id=premises.id, kind=body.kind.value,
        reason=body.reason,
    )  # fmt: skip
    return _one(session, row.id)


def withdraw(session: Session, by: Author, honour_id: int, body: WithdrawalBody) -> HonourView:
    """It no longer holds; the row stays with both reasons.

    Raises:
        NotFound: not theirs to know about.
        NotPermitted: not for this role.
        Conflict: it was withdrawn already.
    """
    row = session.scalars(
        select(HonourRow)
        .where(HonourRow.id == honour_id, by.person.scope.owned(HonourRow.premises_id))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no honour {honour_id} that you may see.")
    _check(by.person)
    if row.withdrawn_at is not None:
        raise Conflict("This was withdrawn already.")
    row.withdrawn_by, row.withdrawn_at, row.withdrawal = by.person.id, by.now, body.reason
    session.flush()
    by.note(
        session, "honour_withdrawn", ("honour", row.id), premises_id=row.premises_id, kind=row.kind.value,
        reason=body.reason,
    )  # fmt: skip
    return _one(session, row.id)


def honours_of(session: Session, premises_id: int) -> list[HonourView]:
    """All of a premises, the newest first, withdrawn ones too."""
    return _views(session, HonourRow.premises_id == premises_id)


def honours_in_force(session: Session, premises_ids: Collection[int]) -> dict[int, list[HonourKind]]:
    """The kinds that hold now, by premises, in the order of the list of kinds."""
    found: dict[int, set[HonourKind]] = defaultdict(set)
    for premises_id, kind in session.execute(
        select(HonourRow.premises_id, HonourRow.kind).where(
            HonourRow.premises_id.in_(premises_ids), HonourRow.withdrawn_at.is_(None)
        )
    ):
        found[premises_id].add(kind)
    return {key: [kind for kind in HonourKind if kind in kinds] for key, kinds in found.items()}


def _check(person: Person) -> None:
    if not may_award(person):
        raise NotPermitted("Only those who speak for the authority award or withdraw honours.")


def _one(session: Session, honour_id: int) -> HonourView:
    return next(iter(_views(session, HonourRow.id == honour_id)))


def _views(session: Session, where: ColumnElement[bool]) -> list[HonourView]:
    awarder, withdrawer = aliased(PersonRow), aliased(PersonRow)
    rows = session.execute(
        select(HonourRow, awarder.display_name, withdrawer.display_name)
        .join(awarder, awarder.id == HonourRow.awarded_by)
        .outerjoin(withdrawer, withdrawer.id == HonourRow.withdrawn_by)
        .where(where)
        .order_by(HonourRow.id.desc())
    )
    return [
        HonourView(
            id=row.id,
            premises_id=row.premises_id,
            kind=row.kind,
            positive=row.kind in POSITIVE,
            reason=row.reason,
            awarded_by=awarded_by,
            awarded_at=row.awarded_at,
            withdrawn_by=withdrawn_by,
            withdrawn_at=row.withdrawn_at,
            withdrawal=row.withdrawal,
        )
        for row, awarded_by, withdrawn_by in rows
    ]
