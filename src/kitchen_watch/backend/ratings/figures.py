"""What reports count of ratings in a subtree and a span; every figure is a sum, so parents add up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.ratings.tables import POSITIVE, HonourRow, RatingSnapshotRow

GOOD, FAIR = 90.0, 70.0
"""From here on a score counts as good, as fair; what is below is poor."""


@dataclass(frozen=True, slots=True)
class RatingsFigures:
    """``score_sum`` over ``rated`` is the mean score of the half-years frozen in the span."""

    rated: int
    score_sum: float
    good: int
    fair: int
    poor: int
    honoured: int
    admonished: int
    withdrawn: int


def ratings_figures(
    session: Session, node_path: str, since_at: datetime, until_at: datetime
) -> RatingsFigures:
    """Half-open span in UTC; of the subtree at ``node_path``. Counted where a premises lay at that time."""
    nodes = select(NodeRow.id).where(NodeRow.path.startswith(node_path, autoescape=True))
    score = RatingSnapshotRow.score
    rated, total, good, fair = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(score), 0.0),
            func.coalesce(func.sum(case((score >= GOOD, 1), else_=0)), 0),
            func.coalesce(func.sum(case(((score >= FAIR) & (score < GOOD), 1), else_=0)), 0),
        ).where(
            RatingSnapshotRow.node_id.in_(nodes),
            RatingSnapshotRow.frozen_at >= since_at,
            RatingSnapshotRow.frozen_at < until_at,
        )
    ).one()
    positive = func.coalesce(func.sum(case((HonourRow.kind.in_(POSITIVE), 1), else_=0)), 0)
    awarded, honoured = session.execute(
        select(func.count(), positive).where(
            HonourRow.node_id.in_(nodes), HonourRow.awarded_at >= since_at, HonourRow.awarded_at < until_at
        )
    ).one()
    withdrawn = session.scalar(
        select(func.count()).where(
            HonourRow.node_id.in_(nodes),
            HonourRow.withdrawn_at >= since_at,
            HonourRow.withdrawn_at < until_at,
        )
    )
    return RatingsFigures(
        rated=rated,
        score_sum=round(float(total), 1),
        good=int(good),
        fair=int(fair),
        poor=rated - int(good) - int(fair),
        honoured=int(honoured),
        admonished=awarded - int(honoured),
        withdrawn=withdrawn or 0,
    )
