"""Nobody's premises: what must not exist, and what keeps it from coming into being.

Every premises lies in one leaf of the tree, and that leaf has a grid officer by name who can log in.
"""

from __future__ import annotations

from pydantic import BaseModel
from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.errors import Conflict, InvalidRequest

MAX_LISTED = 500


class OrphanGrid(BaseModel):
    """A leaf of the tree without an officer."""

    node_id: int
    code: str
    name: str
    premises: int


class OrphanPremises(BaseModel):
    """A premises that does not lie in a leaf of the tree."""

    premises_id: int
    licence_no: str
    name: str
    node_id: int


class Orphans(BaseModel):
    """What nobody answers for; both lists empty is the state to be in."""

    grids_without_officer: list[OrphanGrid]
    premises_without_grid: list[OrphanPremises]


def _has_children() -> ColumnElement[bool]:
    child = aliased(NodeRow)
    return exists(select(child.id).where(child.parent_id == NodeRow.id))


def _has_officer() -> ColumnElement[bool]:
    return exists(
        select(PersonRow.id).where(
            PersonRow.node_id == NodeRow.id,
            PersonRow.role == Role.GRID_OFFICER,
            PersonRow.disabled.is_(False),
        )
    )


def find_orphans(session: Session, person: Person) -> Orphans:
    """Everything in scope that lacks its grid or its officer."""
    grids = session.execute(
        select(NodeRow, func.count(PremisesRow.id))
        .outerjoin(PremisesRow, PremisesRow.node_id == NodeRow.id)
        .where(person.scope.nodes(), ~_has_children(), ~_has_officer())
        .group_by(NodeRow.id)
        .order_by(NodeRow.path)
        .limit(MAX_LISTED)
    ).all()
    premises = session.scalars(
        select(PremisesRow)
        .join(NodeRow, NodeRow.id == PremisesRow.node_id)
        .where(person.scope.premises(), _has_children())
        .order_by(PremisesRow.id)
        .limit(MAX_LISTED)
    )
    return Orphans(
        grids_without_officer=[
            OrphanGrid(node_id=node.id, code=node.code, name=node.name, premises=count)
            for node, count in grids
        ],
        premises_without_grid=[
            OrphanPremises(premises_id=row.id, licence_no=row.licence_no, name=row.name, node_id=row.node_id)
            for row in premises
        ],
    )


def check_grid(session: Session, node_id: int) -> NodeRow:
    """The node, if premises may lie in it.

    Raises:
        InvalidRequest: there is none, it is no leaf, or it has no officer.
    """
    node = session.get(NodeRow, node_id)
    if node is None:
        raise InvalidRequest(f"There is no grid {node_id}. Choose one from the tree.")
    if session.scalar(select(NodeRow.id).where(NodeRow.parent_id == node_id).limit(1)) is not None:
        raise InvalidRequest(f"{node.name} is no grid: other nodes lie below it. Choose one of those.")
    if not session.scalar(select(_has_officer()).where(NodeRow.id == node_id)):
        raise InvalidRequest(f"The grid {node.name} has no officer. Name one for it first.")
    return node


def check_still_answered(session: Session, node_id: int) -> None:
    """Return unless the node holds premises for which nobody answers any more.

    Raises:
        Conflict: it does.
    """
    session.flush()
    node = session.get(NodeRow, node_id)
    count = session.scalar(select(func.count()).where(PremisesRow.node_id == node_id)) or 0
    if node is None or count == 0 or session.scalar(select(_has_officer()).where(NodeRow.id == node_id)):
        return
    raise Conflict(
        f"The grid {node.name} would be left without an officer, with {count} premises in it. "
        "Name another officer for it first."
    )
