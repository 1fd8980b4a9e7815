"""What administrators read: people, supervision groups, and the history of responsible officials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.places import node_ids
from kitchen_watch.backend.organisations.schemas import (
    GroupView,
    NodeView,
    OfficialHistory,
    OfficialView,
    PersonPage,
    PersonView,
)
from kitchen_watch.backend.organisations.tables import (
    NodeRow,
    PremisesOfficialRow,
    PremisesRow,
    SupervisionGroupNodeRow,
    SupervisionGroupRow,
)
from kitchen_watch.backend.searching import holds_words
from kitchen_watch.errors import NotFound


def node_view(row: NodeRow) -> NodeView:
    """One node."""
    return NodeView(
        id=row.id, parent_id=row.parent_id, kind=row.kind, code=row.code, name=row.name,
        name_en=row.name_en, path=row.path, depth=len(node_ids(row.path)) - 1, version=row.version,
    )  # fmt: skip


def people_page(session: Session, *, after: int = 0, limit: int, words: str = "") -> PersonPage:
    """Logins with an id above ``after``, by id; only those whose names hold ``words`` where given."""
    query = select(PersonRow).where(PersonRow.id > after)
    query = query.where(holds_words(words, PersonRow.username, PersonRow.display_name))
    rows = list(session.scalars(query.order_by(PersonRow.id).limit(limit + 1)))
    return PersonPage(
        items=person_views(session, rows[:limit]),
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


def person_views(session: Session, rows: Sequence[PersonRow]) -> list[PersonView]:
    """The logins with the names of their places."""

    def names(
        table: type[NodeRow | PremisesRow | SupervisionGroupRow], ids: set[int | None]
    ) -> dict[int, str]:
        return dict(session.execute(select(table.id, table.name).where(table.id.in_(ids - {None}))).all())

    nodes = names(NodeRow, {row.node_id for row in rows})
    premises = names(PremisesRow, {row.premises_id for row in rows})
    groups = names(SupervisionGroupRow, {row.group_id for row in rows})
    return [
        PersonView(
            id=row.id, username=row.username, display_name=row.display_name, role=row.role,
            node_id=row.node_id, premises_id=row.premises_id, group_id=row.group_id,
            place=nodes.get(row.node_id or 0) or premises.get(row.premises_id or 0)
            or groups.get(row.group_id or 0) or "",
            disabled=row.disabled, must_change_password=row.must_change_password, version=row.version,
        )
        for row in rows
    ]  # fmt: skip


def group_list(session: Session) -> list[GroupView]:
    """Every supervision group with the nodes it may see."""
    nodes: dict[int, list[int]] = defaultdict(list)
    for group_id, node_id in session.execute(
        select(SupervisionGroupNodeRow.group_id, SupervisionGroupNodeRow.node_id)
    ):
        nodes[group_id].append(node_id)
    return [
        group_view(row, nodes[row.id])
        for row in session.scalars(select(SupervisionGroupRow).order_by(SupervisionGroupRow.id))
    ]


def group_view(row: SupervisionGroupRow, nodes: Sequence[int]) -> GroupView:
    """One supervision group."""
    return GroupView(
        id=row.id, code=row.code, name=row.name, name_en=row.name_en, sees_all=row.sees_all,
        node_ids=sorted(nodes), version=row.version,
    )  # fmt: skip


def official_history(session: Session, person: Person, premises_id: int) -> OfficialHistory:
    """Who was responsible for a premises and when, the present one first.

    Raises:
        NotFound: there is no such premises in the person's scope.
    """
    known = select(PremisesRow.id).where(PremisesRow.id == premises_id, person.scope.premises())
    if session.scalar(known) is None:
        raise NotFound(f"There is no premises {premises_id} that you may see.")
    rows = session.execute(
        select(PremisesOfficialRow, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == PremisesOfficialRow.person_id)
        .where(PremisesOfficialRow.premises_id == premises_id)
        .order_by(PremisesOfficialRow.id.desc())
    )
    return OfficialHistory(
        items=[
            OfficialView(
                person_id=row.person_id, display_name=name, level=row.level, since_at=row.since_at,
                until_at=row.until_at,
            )
            for row, name in rows
        ]
    )  # fmt: skip
