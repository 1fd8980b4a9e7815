"""Where something lies, in words: the names from the root of the tree down to its node."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow

SEPARATOR = " › "


def node_ids(path: str) -> list[int]:
    """The ids in a node's path, from the root down."""
    return [int(part) for part in path.split("/") if part]


def place_names(session: Session, ids: set[int]) -> dict[int, str]:
    """Path of names by node id, in two queries."""
    paths = dict(session.execute(select(NodeRow.id, NodeRow.path).where(NodeRow.id.in_(ids))).all())
    wanted = {part for path in paths.values() for part in node_ids(path)}
    names = dict(session.execute(select(NodeRow.id, NodeRow.name).where(NodeRow.id.in_(wanted))).all())
    return {
        node_id: SEPARATOR.join(names[part] for part in node_ids(path)) for node_id, path in paths.items()
    }


def node_paths(session: Session, premises_ids: set[int]) -> dict[int, str]:
    """Path of the node in which a premises lies now, by premises id."""
    return dict(
        session.execute(
            select(PremisesRow.id, NodeRow.path)
            .join(NodeRow, NodeRow.id == PremisesRow.node_id)
            .where(PremisesRow.id.in_(premises_ids))
        ).all()
    )
