"""Change the tree and the supervision groups beside it. Each function is one step of a write transaction."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.organisations.bodies import GroupBody, NodeBody
from kitchen_watch.backend.organisations.tables import (
    NodeRow,
    PremisesRow,
    SupervisionGroupNodeRow,
    SupervisionGroupRow,
)
from kitchen_watch.backend.organisations.writing import Author, changes, check_version
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

TREE = "organisation/tree"
"""The lock of whoever changes the tree: paths of a whole subtree change together."""
LONGEST_PATH = 480


def add_node(session: Session, author: Author, body: NodeBody) -> NodeRow:
    """A new node below its parent.

    Raises:
        InvalidRequest: the parent cannot have nodes below it.
        Conflict: the code is taken.
    """
    exclusive(session, TREE)
    parent = _parent(session, body.parent_id)
    _check_code(session, NodeRow, body.code)
    row = NodeRow(
        code=body.code, kind=body.kind, name=body.name, name_en=body.name_en, parent_id=body.parent_id,
        path=f"?{body.code}",  # the path needs the id
    )  # fmt: skip
    session.add(row)
    flush(session, f"The code {body.code} is taken.")
    row.path = f"{parent.path if parent is not None else '/'}{row.id}/"
    author.note(session, "grid_added", ("grid", row.id), code=row.code, name=row.name)
    return row


def change_node(session: Session, author: Author, node_id: int, body: NodeBody) -> NodeRow:
    """Other names, or another place in the tree with everything below it. Old alerts stay where found.

    Raises:
        Conflict: somebody was faster, or the code is taken.
        InvalidRequest: it would lie below itself, or its new parent holds premises.
    """
    exclusive(session, TREE)
    row = find_node(session, node_id)
    version = check_version(row.version, body.version)
    _check_code(session, NodeRow, body.code, but=row.id)
    found = changes(row, {"code": body.code, "kind": body.kind, "name": body.name, "name_en": body.name_en})
    if body.parent_id != row.parent_id:
        found["parent_id"] = [row.parent_id, body.parent_id]
        _move(session, row, body.parent_id)
    row.version = version
    flush(session, f"The code {body.code} is taken.")
    author.note(session, "grid_changed", ("grid", row.id), changes=found)
    return row


def remove_node(session: Session, author: Author, node_id: int, *, version: int) -> None:
    """Take an empty node out of the tree.

    Raises:
        Conflict: something still belongs to it, or somebody was faster.
    """
    exclusive(session, TREE)
    row = find_node(session, node_id)
    check_version(row.version, version)
    for kind, what in (
        (NodeRow.parent_id, "nodes lie below it"),
        (PremisesRow.node_id, "premises lie in it"),
        (PersonRow.node_id, "people are responsible for it"),
    ):
        if session.scalar(select(func.count()).where(kind == node_id)):
            raise Conflict(f"{row.name} cannot be removed: {what}. Move them first.")
    author.note(session, "grid_removed", ("grid", row.id), code=row.code, name=row.name)
    session.execute(delete(SupervisionGroupNodeRow).where(SupervisionGroupNodeRow.node_id == node_id))
    session.delete(row)
    flush(
        session,
        f"{row.name} cannot be removed: alerts were found or reports issued in it. Rename it instead.",
    )


def find_node(session: Session, node_id: int) -> NodeRow:
    """The node.

    Raises:
        NotFound: there is none.
    """
    row = session.get(NodeRow, node_id)
    if row is None:
        raise NotFound(f"There is no node {node_id} in the tree.")
    return row


def save_group(
    session: Session, author: Author, group_id: int | None, body: GroupBody
) -> SupervisionGroupRow:
    """Make a supervision group, or change one.

    Raises:
        NotFound: there is no such group.
        Conflict: somebody was faster, or the code is taken.
        InvalidRequest: a subtree that it may see does not exist.
    """
    _check_code(session, SupervisionGroupRow, body.code, but=group_id)
    if group_id is None:
        row = SupervisionGroupRow(code=body.code, name=body.name)
        session.add(row)
    else:
        known = session.get(SupervisionGroupRow, group_id)
        if known is None:
            raise NotFound(f"There is no supervision group {group_id}.")
        row = known
        row.version = check_version(row.version, body.version)
    found = changes(
        row, {"code": body.code, "name": body.name, "name_en": body.name_en, "sees_all": body.sees_all}
    )
    flush(session, f"The code {body.code} is taken.")
    for node_id in body.node_ids:
        if session.get(NodeRow, node_id) is None:
            raise InvalidRequest(f"There is no node {node_id} in the tree.")
    session.execute(delete(SupervisionGroupNodeRow).where(SupervisionGroupNodeRow.group_id == row.id))
    for node_id in sorted(set(body.node_ids)):
        session.add(SupervisionGroupNodeRow(group_id=row.id, node_id=node_id))
    author.note(session, "group_saved", ("group", row.id), changes=found, node_ids=sorted(set(body.node_ids)))
    session.flush()
    return row


def _parent(session: Session, parent_id: int | None) -> NodeRow | None:
    if parent_id is None:
        return None
    parent = session.get(NodeRow, parent_id)
    if parent is None:
        raise InvalidRequest(f"There is no node {parent_id} in the tree.")
    if session.scalar(select(PremisesRow.id).where(PremisesRow.node_id == parent_id).limit(1)) is not None:
        raise InvalidRequest(
            f"Premises lie in {parent.name}; they would not lie in a grid any more. Move them first."
        )
    if len(parent.path) > LONGEST_PATH:
        raise InvalidRequest("The tree is too deep there.")
    return parent


def _move(session: Session, row: NodeRow, parent_id: int | None) -> None:
    parent = _parent(session, parent_id)
    if parent is not None and parent.path.startswith(row.path):
        raise InvalidRequest(f"{row.name} cannot lie below itself.")
    before = row.path
    after = f"{parent.path if parent is not None else '/'}{row.id}/"
    row.parent_id = parent_id
    session.flush()
    session.execute(
        update(NodeRow)
        .where(NodeRow.path.startswith(before))
        .values(path=after + func.substr(NodeRow.path, len(before) + 1)),
        execution_options={"synchronize_session": False},
    )
    session.expire(row)


def _check_code(
    session: Session, table: type[NodeRow | SupervisionGroupRow], code: str, but: int | None = None
) -> None:
    taken = session.scalar(select(table.id).where(table.code == code))
    if taken is not None and taken != but:
        raise Conflict(f"The code {code} is taken.")


def flush(session: Session, otherwise: str) -> None:
    """Send changes to the database.

    Raises:
        Conflict: in the words of ``otherwise``, where a constraint of the database forbids it.
    """
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(otherwise) from None
