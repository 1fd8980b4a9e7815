"""Edges whose configuration must be compiled anew: noted with the change itself, done soon after."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.database import announce
from kitchen_watch.backend.edges.tables import ConfigurationDueRow
from kitchen_watch.backend.notices import CONFIGURATIONS


def mark_due(session: Session, edge_ids: Iterable[str], *, by: int | None, now: datetime) -> None:
    """Note the edges in the transaction of the change; once more changes nothing."""
    wanted = set(edge_ids)
    known = set(
        session.scalars(select(ConfigurationDueRow.edge_id).where(ConfigurationDueRow.edge_id.in_(wanted)))
    )
    for edge_id in sorted(wanted - known):
        session.add(ConfigurationDueRow(edge_id=edge_id, since_at=now, asked_by=by))
    session.flush()
    announce(session, CONFIGURATIONS)
