"""What edges say to the configuration that was offered to them last."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.edges.service import newest_offers
from kitchen_watch.backend.edges.tables import ConfigurationDueRow, EdgeStateRow
from kitchen_watch.backend.organisations.service import is_connected
from kitchen_watch.backend.rule_sets.schemas import EdgeAnswer


def answers_of(
    session: Session,
    edge_ids: Collection[str],
    *,
    now: datetime,
    has: Callable[[dict[str, Any]], bool] = lambda made_of: True,
) -> dict[str, EdgeAnswer]:
    """The answer of each edge; an offer that ``has`` does not find what it asks for in is not the one."""
    ids = list(edge_ids)
    offers = newest_offers(session, ids)
    due = set(
        session.scalars(select(ConfigurationDueRow.edge_id).where(ConfigurationDueRow.edge_id.in_(ids)))
    )
    states = {
        row.edge_id: row for row in session.scalars(select(EdgeStateRow).where(EdgeStateRow.edge_id.in_(ids)))
    }
    answers = {}
    for edge_id in ids:
        offer = offers.get(edge_id)
        if edge_id in due or offer is None or not has(offer.made_of):
            # An edge to which nothing needs to be said agrees.
            state, reason = ("due" if edge_id in due or offer is not None else "accepted"), None
        elif offer.accepted is None:
            state, reason = "waiting", None
        else:
            state, reason = ("accepted" if offer.accepted else "refused"), offer.reason
        known = states.get(edge_id)
        answers[edge_id] = EdgeAnswer(
            edge_id=edge_id,
            state=state,
            reason=reason,
            version=offer.version if offer is not None else None,
            connected=known is not None and is_connected(known, now),
        )
    return answers
