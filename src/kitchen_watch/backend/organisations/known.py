"""What is registered already, as an import needs to know it: loaded once, asked for every row."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.tables import (
    CameraRow,
    EdgeRow,
    NodeRow,
    PremisesOfficialRow,
    PremisesRow,
    SupervisionGroupRow,
)
from kitchen_watch.backend.public.service import current_grades
from kitchen_watch.backend.tasks.importing import KnownTask, known_tasks


@dataclass(frozen=True, slots=True)
class Known:
    """Everything registered, by the names that files use."""

    nodes: dict[str, NodeRow]
    premises: dict[str, PremisesRow]
    cameras: dict[str, CameraRow]
    people: dict[str, PersonRow]
    groups: dict[str, int]
    edges: frozenset[str]
    grades: dict[int, str]
    """The inspection grade awarded last, by premises id."""
    officials: dict[int, tuple[str, str]]
    """Login name and level of the present responsible official, by premises id."""

    tasks: dict[str, KnownTask]

    def code_of(self, node_id: int | None) -> str:
        """The code of a node; empty for none."""
        return next((code for code, row in self.nodes.items() if row.id == node_id), "")

    @property
    def parents(self) -> frozenset[int]:
        """Nodes with others below them."""
        return frozenset(row.parent_id for row in self.nodes.values() if row.parent_id is not None)

    @property
    def occupied(self) -> frozenset[int]:
        """Nodes in which premises lie."""
        return frozenset(row.node_id for row in self.premises.values())

    @property
    def answered(self) -> frozenset[int]:
        """Nodes with a grid officer who can log in."""
        return frozenset(
            row.node_id
            for row in self.people.values()
            if row.role is Role.GRID_OFFICER and not row.disabled and row.node_id is not None
        )


def load_known(session: Session) -> Known:
    """Everything registered."""
    people = {row.username: row for row in session.scalars(select(PersonRow))}
    names = {row.id: row.username for row in people.values()}
    premises = {row.licence_no: row for row in session.scalars(select(PremisesRow))}
    return Known(
        grades=current_grades(session, [row.id for row in premises.values()]),
        nodes={row.code: row for row in session.scalars(select(NodeRow))},
        premises=premises,
        cameras={row.camera_id: row for row in session.scalars(select(CameraRow))},
        people=people,
        tasks=known_tasks(session),
        groups=dict(session.execute(select(SupervisionGroupRow.code, SupervisionGroupRow.id)).all()),
        edges=frozenset(session.scalars(select(EdgeRow.edge_id))),
        officials={
            row.premises_id: (names[row.person_id], row.level)
            for row in session.scalars(
                select(PremisesOfficialRow).where(PremisesOfficialRow.until_at.is_(None))
            )
        },
    )
