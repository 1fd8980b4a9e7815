"""Issues reports by the clock: each once, however many backend processes look, missed ones after a restart.

Which report is next stands in the database for every node and kind. All nodes whose clocks stand at the
same period are drawn up from one state of the database and written in one transaction, so a parent's
report adds up to those of its children. Drawing up takes a while and happens outside of the write:
a process first claims the clocks, and a claim that outlives its process lapses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import structlog
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.database import Database, exclusive
from kitchen_watch.backend.looking import Looking
from kitchen_watch.backend.notifications.telling import Teller
from kitchen_watch.backend.organisations.scope import Scope
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.patrols.settings import PatrolSettings
from kitchen_watch.backend.reports.content import ReportContent, SupplementContent
from kitchen_watch.backend.reports.corrections import supplement_of, to_correct
from kitchen_watch.backend.reports.drawing import Scene, draw_up
from kitchen_watch.backend.reports.issuing import issue_report, issue_supplement
from kitchen_watch.backend.reports.ledger import Ledger
from kitchen_watch.backend.reports.periods import due_at, first_due, next_last_day, period_of
from kitchen_watch.backend.reports.reminding import remind
from kitchen_watch.backend.reports.sections import makers_of
from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.reports.tables import ReportClockRow, ReportKind, ReportRow, SupplementRow
from kitchen_watch.clock import Clock

CLAIM = timedelta(minutes=15)
TIMER = Actor(None, "")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    kind: ReportKind
    day: date
    node_ids: tuple[int, ...]


class ReportTimer(Looking):
    """Looks into the database now and then while the application runs."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: ReportSettings,
        *,
        teller: Teller,
        patrols: PatrolSettings | None = None,
    ) -> None:
        super().__init__("reports", self.look, every_s=settings.look_every_s)
        self._database = database
        self._clock = clock
        self._settings = settings
        self._teller = teller
        self._patrols = patrols or PatrolSettings()

    def look(self) -> int:
        """Issue everything that is due now; returns how many reports this process has issued."""
        self._set_clocks()
        issued = 0
        while not self.stopping and (due := self._claim()) is not None:
            issued += self._issue(due)
        remind(self._database, self._clock.now(), self._settings, self._teller)
        return issued

    def _set_clocks(self) -> None:
        """Every node has its clocks; a new one is first reported at the next cut-off, or for yesterday."""
        if not self._nodes_without_clocks():
            return
        with self._database.write() as session:
            exclusive(session, "report_clocks")
            now = self._clock.now()
            known = {
                tuple(row) for row in session.execute(select(ReportClockRow.node_id, ReportClockRow.kind))
            }
            for node_id in session.scalars(select(NodeRow.id).order_by(NodeRow.id)):
                for kind in ReportKind:
                    if (node_id, kind) not in known:
                        day = first_due(kind, now, self._settings)
                        if kind is ReportKind.DAILY and self._settings.begin_with_yesterday:
                            day -= timedelta(days=1)
                        at = due_at(kind, day, self._settings)
                        session.add(ReportClockRow(node_id=node_id, kind=kind, next_day=day, next_at=at))

    def _nodes_without_clocks(self) -> bool:
        with self._database.read() as session:
            known = select(ReportClockRow.node_id)
            return session.scalar(select(NodeRow.id).where(NodeRow.id.not_in(known)).limit(1)) is not None

    def _claim(self) -> _Due | None:
        """Take the oldest period that is due and that nobody is at; the cheap look comes first."""
        now = self._clock.now()
        free = or_(ReportClockRow.claimed_until.is_(None), ReportClockRow.claimed_until <= now)
        due = select(ReportClockRow).where(ReportClockRow.next_at <= now, free)
        with self._database.read() as session:
            if session.scalar(due.with_only_columns(ReportClockRow.node_id).limit(1)) is None:
                return None
        with self._database.write() as session:
            exclusive(session, "report_clocks")
            oldest = session.scalars(
                due.order_by(ReportClockRow.next_at, ReportClockRow.kind).limit(1)
            ).first()
            if oldest is None:
                return None
            rows = session.scalars(
                due.where(*_stands_at(oldest.kind, oldest.next_day)).order_by(ReportClockRow.node_id)
            ).all()
            for row in rows:
                row.claimed_until = now + CLAIM
            return _Due(oldest.kind, oldest.next_day, tuple(row.node_id for row in rows))

    def _issue(self, due: _Due) -> int:
        with self._database.snapshot() as session:
            drawn, supplements = self._draw(session, due)
        with self._database.write() as session:
            exclusive(session, "report_clocks")
            now = self._clock.now()
            clocks = {
                row.node_id: row
                for row in session.scalars(
                    select(ReportClockRow)
                    .where(ReportClockRow.node_id.in_(due.node_ids), *_stands_at(due.kind, due.day))
                    .with_for_update()
                    .execution_options(populate_existing=True)
                )
            }
            following = next_last_day(due.kind, due.day)
            issued = len(clocks.keys() & {content.node.id for content in drawn})
            contents = {content.node.id: content for content in drawn}
            # Clocks that are not here any more: the claim had lapsed, and another process was faster.
            for node_id, clock in sorted(clocks.items()):
                if node_id in contents:
                    issue_report(session, contents[node_id], by=TIMER, now=now)
                clock.next_day, clock.next_at = following, due_at(due.kind, following, self._settings)
                clock.claimed_until = None
            for report_id, supplement in supplements:
                report = session.get_one(ReportRow, report_id)
                if report.node_id in clocks and not _has(session, report_id, supplement.number):
                    issue_supplement(session, report, supplement, by=TIMER, now=now)
        log.info("reports issued", kind=due.kind.value, day=due.day.isoformat(), reports=issued)
        return issued

    def _draw(
        self, session: Session, due: _Due
    ) -> tuple[list[ReportContent], Sequence[tuple[int, SupplementContent]]]:
        now = self._clock.now()
        period = period_of(due.kind, due.day, self._settings)
        nodes = session.scalars(select(NodeRow).where(NodeRow.id.in_(due.node_ids)).order_by(NodeRow.path))
        ledger = Ledger(session)
        drawn, supplements = [], []
        for node in nodes:
            if not _has_premises(session, node):
                continue  # nothing to report of; a node that was made by mistake can still be removed
            scene = Scene(session, node, period, self._settings, now, ledger, self._patrols)
            drawn.append(draw_up(scene, makers_of(due.kind), reference=""))
            if due.kind is not ReportKind.DAILY:
                continue
            for report in to_correct(session, node, now=now):
                supplement = supplement_of(session, report, self._settings, now=now, ledger=ledger)
                if supplement is not None:
                    supplements.append((report.id, supplement))
        return drawn, supplements


def _stands_at(kind: ReportKind, day: date) -> tuple[ColumnElement[bool], ...]:
    return (ReportClockRow.kind == kind, ReportClockRow.next_day == day)


def _has_premises(session: Session, node: NodeRow) -> bool:
    inside = Scope(paths=(node.path,)).premises()
    return session.scalar(select(PremisesRow.id).where(inside).limit(1)) is not None


def _has(session: Session, report_id: int, number: int) -> bool:
    row = select(SupplementRow.id).where(SupplementRow.report_id == report_id, SupplementRow.number == number)
    return session.scalar(row) is not None
