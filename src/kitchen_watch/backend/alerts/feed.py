"""The feed: entries numbered without gaps in the order in which they become visible.

The number is taken under a lock that lasts until the transaction ends. So whoever has read entry n
has seen, or can no longer miss, every entry before n: what ``Last-Event-ID`` rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend import notices
from kitchen_watch.backend.alerts.schemas import FeedMessage
from kitchen_watch.backend.alerts.states import AlertState, FeedKind
from kitchen_watch.backend.alerts.tables import AlertRow, FeedEntryRow
from kitchen_watch.backend.database import announce, exclusive
from kitchen_watch.backend.organisations.scope import Scope
from kitchen_watch.backend.writing import write_rows

LOCK = "feed"


@dataclass(frozen=True, slots=True)
class FeedNews:
    """Something that happened to an alert, before it has its number."""

    alert_id: int
    kind: FeedKind
    premises_id: int
    node_path: str
    camera_id: str
    code: str
    tier: int
    state: AlertState


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A numbered entry with what decides who may hear of it."""

    message: FeedMessage
    node_path: str

    def visible_to(self, scope: Scope) -> bool:
        """Whether somebody with this scope may hear of it."""
        return scope.covers(premises_id=self.message.premises_id, node_path=self.node_path)


def news(alert: AlertRow, kind: FeedKind, *, node_path: str) -> FeedNews:
    """What to tell of an alert. ``node_path`` is that of the grid where its premises lies now."""
    return FeedNews(
        alert_id=alert.id,
        kind=kind,
        premises_id=alert.premises_id,
        node_path=node_path,
        camera_id=alert.camera_id,
        code=alert.code,
        tier=alert.tier,
        state=alert.state,
    )


def append(session: Session, entries: Sequence[FeedNews], *, now: datetime) -> None:
    """Number the entries and store them. Call it last: it holds the feed's lock until the commit."""
    if not entries:
        return
    session.flush()
    exclusive(session, LOCK)
    first = latest_feed_id(session) + 1
    write_rows(
        session,
        FeedEntryRow,
        [
            {
                "id": first + index,
                "alert_id": entry.alert_id,
                "kind": entry.kind,
                "at": now,
                "premises_id": entry.premises_id,
                "node_path": entry.node_path,
                "camera_id": entry.camera_id,
                "code": entry.code,
                "tier": entry.tier,
                "state": entry.state,
            }
            for index, entry in enumerate(entries)
        ],
    )
    announce(session, notices.FEED)


def latest_feed_id(session: Session) -> int:
    """The number of the newest entry; 0 in an empty feed."""
    return session.scalar(select(func.coalesce(func.max(FeedEntryRow.id), 0))) or 0


def entries_after(
    session: Session, after: int, *, limit: int, scope: Scope | None = None, up_to: int | None = None
) -> list[FeedEntry]:
    """Entries with a number above ``after``, in order; only those in ``scope`` where one is given."""
    query = select(FeedEntryRow).where(FeedEntryRow.id > after).order_by(FeedEntryRow.id).limit(limit)
    if up_to is not None:
        query = query.where(FeedEntryRow.id <= up_to)
    if scope is not None:
        query = query.where(scope.feed(FeedEntryRow.premises_id, FeedEntryRow.node_path))
    return [_entry(row) for row in session.scalars(query)]


def _entry(row: FeedEntryRow) -> FeedEntry:
    return FeedEntry(
        FeedMessage(
            feed_id=row.id,
            alert_id=row.alert_id,
            kind=row.kind,
            at=row.at,
            code=row.code,
            tier=row.tier,
            state=row.state,
            premises_id=row.premises_id,
            camera_id=row.camera_id,
        ),
        row.node_path,
    )
