"""Who speaks for an edge whose owner changes: the newest owner alone.

An edge whose owner can change (in a cluster) shows a fencing token, which grows with every owner. The
highest is kept; a lower one is refused for good, so that an owner that was only asleep cannot raise an
alert for cameras that it lost. An edge that has shown one is refused without it as well: whoever comes
without has an older configuration than the cluster, and two would speak in one name. A new secret
begins anew.
"""

from __future__ import annotations

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend.organisations.tables import EdgeRow
from kitchen_watch.errors import Fenced


def admit(session: Session, edge_id: str, token: int | None) -> None:
    """Let nobody but the edge's newest owner through until this transaction ends.

    Whoever writes in an edge's name calls it first in its transaction: a newer owner that comes in
    between waits for the end of it, or is seen by it.

    Raises:
        Fenced: a higher token was shown.
    """
    if token is not None:
        raised = session.execute(
            update(EdgeRow)
            .where(
                EdgeRow.edge_id == edge_id,
                or_(EdgeRow.fencing_token.is_(None), EdgeRow.fencing_token < token),
            )
            .values(fencing_token=token)
            .execution_options(synchronize_session=False)
        )
        if raised.rowcount:  # type: ignore[attr-defined]  # an UPDATE has one
            return
    # The whole lock: an edge's batches are taken one after the other, and two that shared it first would
    # wait for each other.
    highest = session.scalars(
        select(EdgeRow.fencing_token).where(EdgeRow.edge_id == edge_id).with_for_update()
    ).one_or_none()
    compare(edge_id, token, highest)


def still_owner(session: Session, edge_id: str, token: int | None) -> bool:
    """Whether no higher token was shown than this one."""
    highest = session.scalars(select(EdgeRow.fencing_token).where(EdgeRow.edge_id == edge_id)).one_or_none()
    return highest is None or (token is not None and token >= highest)


def compare(edge_id: str, token: int | None, highest: int | None) -> None:
    """Refuse a token below the highest.

    Raises:
        Fenced: it is lower, or there is none where one was shown before.
    """
    if highest is None or (token is not None and token >= highest):
        return
    shown = "without a fencing token" if token is None else f"with fencing token {token}"
    raise Fenced(
        f"The edge {edge_id} has a newer owner, which showed fencing token {highest}; this request came "
        f"{shown}. Stop this edge: its cameras are watched elsewhere."
    )
