"""Compiles what is due and offers it to the edges; begins and ends campaigns, each once.

What is due stands in the database with the change that made it so. One process at a time works on it,
whichever looks first; an offer reaches the edge from the process to which the edge is connected.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.database import Database, exclusive
from kitchen_watch.backend.edges.control import ControlHub
from kitchen_watch.backend.edges.due import mark_due
from kitchen_watch.backend.edges.states import newest_configuration, store_offer
from kitchen_watch.backend.edges.tables import ConfigurationDueRow
from kitchen_watch.backend.notices import CONFIGURATIONS
from kitchen_watch.backend.rule_sets.compiling import compile_edge
from kitchen_watch.backend.rule_sets.concerned import edges_concerned
from kitchen_watch.backend.rule_sets.tables import RuleSetRow
from kitchen_watch.clock import Clock

BATCH = 25
LOOK_EVERY_S = 5.0
LOCK = "configurations"

log = structlog.get_logger(__name__)


class Publisher:
    """Looks for configurations that are due while the application runs."""

    def __init__(self, database: Database, clock: Clock, control: ControlHub) -> None:
        self._database = database
        self._clock = clock
        self._control = control
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Look now and then, and as soon as something changes, until stopped."""
        with self._database.notices.subscribed(CONFIGURATIONS) as woken:
            while not self._stopping.is_set():
                woken.clear()
                try:
                    for edge_id in await run_in_threadpool(self.look):
                        await self._control.offer_pending(edge_id)
                except SQLAlchemyError as error:
                    log.warning("configurations cannot be looked at", reason=str(error)[:300])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await woken.wait()

    def stop(self) -> None:
        """Let :meth:`run` return after the look that it is in."""
        self._stopping.set()
        self._database.notices.publish(CONFIGURATIONS)

    def look(self) -> list[str]:
        """Do everything that is due now; returns the edges that got a new offer."""
        offered: list[str] = []
        while self._anything_due():
            with self._database.write() as session:
                exclusive(session, LOCK)
                turn_campaigns(session, self._clock.now())
                offered += publish_due(session, self._clock.now())
        return offered

    def _anything_due(self) -> bool:
        with self._database.read() as session:
            if session.scalar(select(ConfigurationDueRow.edge_id).limit(1)) is not None:
                return True
            turning = select(RuleSetRow.id).where(_turns(self._clock.now())).limit(1)
            return session.scalar(turning) is not None


def _turns(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(RuleSetRow.began.is_(False), RuleSetRow.starts_at <= now),
        and_(RuleSetRow.ended.is_(False), RuleSetRow.ends_at <= now),
    )


def turn_campaigns(session: Session, now: datetime) -> None:
    """Note every edge that a campaign concerns which begins or ends now."""
    for row in session.scalars(select(RuleSetRow).where(_turns(now)).with_for_update()):
        if not row.began and row.starts_at is not None and row.starts_at <= now:
            row.began = True
            _write_down(session, row, "campaign_began", now)
        if not row.ended and row.ends_at is not None and row.ends_at <= now:
            row.ended = True
            _write_down(session, row, "campaign_ended", now)
        mark_due(session, edges_concerned(session, row), by=None, now=now)


def publish_due(session: Session, now: datetime) -> list[str]:
    """Compile some of the edges that are due; those for which it says something new get an offer."""
    offered = []
    rows = session.scalars(
        select(ConfigurationDueRow).order_by(ConfigurationDueRow.since_at).limit(BATCH)
    ).all()
    for row in rows:
        compiled = compile_edge(session, row.edge_id, at=now)
        before = newest_configuration(session, row.edge_id)
        if before is None and not compiled.cameras:
            pass  # nothing was ever said to this edge, and nothing needs to be
        elif before is None or before.cameras != compiled.cameras or before.accepted is False:
            store_offer(
                session, row.edge_id, compiled.cameras, by=row.asked_by, now=now, made_of=compiled.made_of
            )
            offered.append(row.edge_id)
        else:
            before.made_of = compiled.made_of  # other versions, but the same for this edge
        session.delete(row)
    session.flush()
    return offered


def _write_down(session: Session, row: RuleSetRow, action: str, now: datetime) -> None:
    record(session, Actor(None, ""), action, at=now, about=("rule_set", row.id), name=row.name)
