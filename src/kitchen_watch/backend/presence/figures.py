"""Minutes watched in a subtree and a span of days; sums, so that parents add up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.presence.tables import CameraDayRow
from kitchen_watch.backend.statistics.questions import below_path


@dataclass(frozen=True, slots=True)
class PresenceFigures:
    """Camera minutes: ``watched`` of ``operating`` is the online rate (在线率)."""

    cameras: int
    counted: int
    online: int
    operating: int
    watched: int


def presence_figures(
    session: Session, node_path: str, since_at: datetime, until_at: datetime
) -> PresenceFigures:
    """Of the whole local days that begin in the half-open span."""
    zone = zone_in(session)
    days = (
        CameraDayRow.day >= day_of(since_at, zone),
        CameraDayRow.day <= day_of(until_at - timedelta(microseconds=1), zone),
    )
    nodes = select(NodeRow.id).where(below_path(node_path))
    cameras, *sums = session.execute(
        select(
            func.count(CameraDayRow.camera_id.distinct()),
            *(
                func.coalesce(func.sum(column), 0)
                for column in (
                    CameraDayRow.counted, CameraDayRow.online, CameraDayRow.operating, CameraDayRow.watched,
                )
            ),
        ).where(*days, CameraDayRow.node_id.in_(nodes))
    ).one()  # fmt: skip
    counted, online, operating, watched = (int(one) for one in sums)
    return PresenceFigures(cameras, counted, online, operating, watched)


def day_of(at: datetime, zone: ZoneInfo) -> str:
    """The local day of a moment, ISO."""
    return at.astimezone(zone).date().isoformat()
