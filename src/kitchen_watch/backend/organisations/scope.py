"""Who may see which premises: decided here and nowhere else.

Every query for people passes through :class:`Scope`; a row outside of it is treated as if it did
not exist. Roles: an admin sees all; a supervisor what the supervision group may see; a grid officer
the own subtree; a responsible official the premises they are named for, and the subtree if they
have one; the premises side its own premises.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, false, not_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from kitchen_watch.backend.auth.roles import PREMISES_SIDE, Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.tables import (
    CameraRow,
    NodeRow,
    PremisesOfficialRow,
    PremisesRow,
    SupervisionGroupNodeRow,
    SupervisionGroupRow,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the world somebody may see: all of it, some subtrees, some single premises."""

    everything: bool = False
    paths: tuple[str, ...] = ()
    premises_ids: frozenset[int] = frozenset()

    def covers(self, *, premises_id: int, node_path: str) -> bool:
        """Whether a premises that lies at ``node_path`` may be seen."""
        return self.everything or premises_id in self.premises_ids or node_path.startswith(self.paths)

    def nodes(self) -> ColumnElement[bool]:
        """Condition on :class:`NodeRow`: the nodes of the subtrees."""
        if self.everything:
            return true()
        return or_(false(), *(_below(NodeRow.path, path) for path in self.paths))

    def premises(self) -> ColumnElement[bool]:
        """Condition on :class:`PremisesRow`."""
        if self.everything:
            return true()
        conditions: list[ColumnElement[bool]] = [false()]
        if self.premises_ids:
            conditions.append(PremisesRow.id.in_(self.premises_ids))
        if self.paths:
            conditions.append(PremisesRow.node_id.in_(select(NodeRow.id).where(self.nodes())))
        return or_(*conditions)

    def owned(self, premises_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Condition on any table's column that holds a premises id."""
        if self.everything:
            return true()
        if not self.paths:
            return premises_id.in_(self.premises_ids)
        return premises_id.in_(self.premises_query())

    def premises_query(self) -> Select[int]:
        """The ids of the premises in scope."""
        return select(PremisesRow.id).where(self.premises())

    def edges(self, edge_id: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Condition on a column that holds an edge id: edges that serve cameras in scope and no others.

        An edge in a district computer room serves many; what it says of itself would tell one
        restaurant about another.
        """
        if self.everything:
            return true()
        inside, outside = aliased(CameraRow), aliased(CameraRow)
        mine = self.premises_query()
        return and_(
            select(inside.camera_id).where(inside.edge_id == edge_id, inside.premises_id.in_(mine)).exists(),
            not_(
                select(outside.camera_id)
                .where(outside.edge_id == edge_id, outside.premises_id.not_in(mine))
                .exists()
            ),
        )

    def feed(
        self, premises_id: InstrumentedAttribute[int], node_path: InstrumentedAttribute[str]
    ) -> ColumnElement[bool]:
        """The same decision as :meth:`covers`, on columns that hold both facts."""
        if self.everything:
            return true()
        return or_(
            false(),
            premises_id.in_(self.premises_ids),
            *(_below(node_path, path) for path in self.paths),
        )


def _below(column: InstrumentedAttribute[str], path: str) -> ColumnElement[bool]:
    # "0" is the character after "/": one index range, independent of LIKE's rules.
    return and_(column >= path, column < path.removesuffix("/") + "0")


def scope_of(session: Session, person: PersonRow) -> Scope:
    """What this person may see now."""
    if person.role is Role.ADMIN:
        return Scope(everything=True)
    if person.role in PREMISES_SIDE:
        return Scope(premises_ids=frozenset({person.premises_id} - {None}))  # type: ignore[arg-type]  # None is taken out
    if person.role is Role.SUPERVISOR:
        return _group_scope(session, person.group_id)
    subtree = _paths(session, [person.node_id] if person.node_id is not None else [])
    if person.role is Role.RESPONSIBLE_OFFICIAL:
        named = session.scalars(
            select(PremisesOfficialRow.premises_id).where(
                PremisesOfficialRow.person_id == person.id, PremisesOfficialRow.until_at.is_(None)
            )
        )
        return Scope(paths=subtree, premises_ids=frozenset(named))
    return Scope(paths=subtree)


def _group_scope(session: Session, group_id: int | None) -> Scope:
    group = None if group_id is None else session.get(SupervisionGroupRow, group_id)
    if group is None:
        return Scope()
    if group.sees_all:
        return Scope(everything=True)
    nodes = session.scalars(
        select(SupervisionGroupNodeRow.node_id).where(SupervisionGroupNodeRow.group_id == group.id)
    )
    return Scope(paths=_paths(session, list(nodes)))


def _paths(session: Session, node_ids: list[int]) -> tuple[str, ...]:
    return tuple(session.scalars(select(NodeRow.path).where(NodeRow.id.in_(node_ids)).order_by(NodeRow.path)))


def scope_name(session: Session, person: PersonRow) -> str:
    """The name of what this person is responsible for, for a page's header; empty for an admin."""
    if person.premises_id is not None and person.role in PREMISES_SIDE:
        premises = session.get(PremisesRow, person.premises_id)
        return premises.name if premises is not None else ""
    if person.role is Role.SUPERVISOR and person.group_id is not None:
        group = session.get(SupervisionGroupRow, person.group_id)
        return group.name if group is not None else ""
    if person.node_id is not None:
        node = session.get(NodeRow, person.node_id)
        return node.name if node is not None else ""
    return ""
