"""What has turned out since a report was issued: compared line by line, and put into a supplement.

Only lines that count what was found can be corrected (``Figure.correctable``): an alert that proves false,
an appeal that is upheld, an event that an edge delivers days late. What was overdue or closed at the
cut-off stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.lifecycle import Step
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.handling.tables import TransitionRow
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.reports.case_sections import below
from kitchen_watch.backend.reports.content import (
    Cause,
    Count,
    Difference,
    ReportContent,
    SupplementContent,
)
from kitchen_watch.backend.reports.drawing import Scene, draw_up
from kitchen_watch.backend.reports.ledger import Ledger
from kitchen_watch.backend.reports.periods import period_of
from kitchen_watch.backend.reports.sections import makers_of
from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.reports.tables import ReportKind, ReportRow, SupplementRow

NOTHING = Count(value=0)
MAX_CAUSES = 50
MARGIN = timedelta(hours=1)
"""What was under way while the last report was drawn up is looked at again."""
_Line = tuple[str, str, str]


def to_correct(session: Session, node: NodeRow, *, now: datetime) -> list[ReportRow]:
    """Reports of a node that something has touched since its last daily report was drawn up."""
    since = session.scalar(
        select(ReportRow.drawn_at)
        .where(ReportRow.node_id == node.id, ReportRow.kind == ReportKind.DAILY)
        .order_by(ReportRow.day.desc())
        .limit(1)
    )
    if since is None:
        return []
    since -= MARGIN
    withdrawn = session.scalars(
        select(AlertRow.found_at)
        .join(TransitionRow, TransitionRow.alert_id == AlertRow.id)
        .where(*_corrects(since, now), AlertRow.found_at < now, below(node.path))
    )
    late = session.scalars(
        select(AlertRow.occurred_at).where(
            AlertRow.found_at >= since,
            AlertRow.found_at <= now,
            AlertRow.occurred_at < AlertRow.found_at,
            below(node.path),
        )
    )
    touched: dict[int, ReportRow] = {}
    for at in sorted({*withdrawn, *late}):
        rows = session.scalars(
            select(ReportRow).where(
                ReportRow.node_id == node.id,
                ReportRow.kind != ReportKind.BULLETIN,
                ReportRow.since_at <= at,
                ReportRow.until_at > at,
            )
        )
        touched.update((row.id, row) for row in rows)
    return [touched[key] for key in sorted(touched)]


def supplement_of(
    session: Session,
    report: ReportRow,
    settings: ReportSettings,
    *,
    now: datetime,
    ledger: Ledger | None = None,
) -> SupplementContent | None:
    """The next supplement of a report; ``None`` while nothing in it is different."""
    content = ReportContent.model_validate_json(report.content)
    earlier = session.scalars(
        select(SupplementRow).where(SupplementRow.report_id == report.id).order_by(SupplementRow.number)
    ).all()
    known = dict(_lines(content))
    for row in earlier:
        for line in SupplementContent.model_validate_json(row.content).differences:
            known[(line.section, line.key, line.row)] = line.after
    node = session.get_one(NodeRow, report.node_id)
    period = period_of(report.kind, report.day, settings)
    if (period.since_at, period.until_at) != (report.since_at, report.until_at):
        return None  # the cut-off was set anew since; the two would not be of the same time
    scene = Scene(session, node, period, settings, now, ledger or Ledger(session, node.path))
    present = dict(_lines(draw_up(scene, makers_of(report.kind), reference=report.reference)))
    differences = [
        Difference(section=line[0], key=line[1], row=line[2], before=before, after=after)
        for line in dict.fromkeys((*known, *present))
        if (before := known.get(line, NOTHING)) != (after := present.get(line, NOTHING))
    ]
    if not differences:
        return None
    since = earlier[-1].drawn_at if earlier else report.drawn_at
    return SupplementContent(
        report=report.reference,
        report_sha256=report.sha256,
        number=len(earlier) + 1,
        drawn_at=now,
        differences=differences,
        causes=[
            *_withdrawn(session, node, report, since, now),
            *_late(session, node, report, since, now),
        ][:MAX_CAUSES],
    )


def _lines(content: ReportContent) -> Iterator[tuple[_Line, Count]]:
    for section in content.sections:
        for figure in section.figures:
            if figure.correctable:
                yield (section.key, figure.key, ""), figure.now
        for table in section.tables:
            for row in table.rows if table.key in CORRECTABLE_TABLES else ():
                for column, cell in zip(table.columns[1:], row[1:], strict=True):
                    if isinstance(cell, int):
                        yield (section.key, column, str(row[0])), Count(value=cell)


CORRECTABLE_TABLES = frozenset({"by_code"})


def _corrects(since: datetime, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        TransitionRow.at >= since,
        TransitionRow.at <= now,
        TransitionRow.to_state.in_((AlertState.FALSE_ALARM, AlertState.MERGED)),
    )


def _withdrawn(
    session: Session, node: NodeRow, report: ReportRow, since: datetime, now: datetime
) -> Iterator[Cause]:
    rows = session.execute(
        select(AlertRow, TransitionRow, PremisesRow.name)
        .join(TransitionRow, TransitionRow.alert_id == AlertRow.id)
        .join(PremisesRow, PremisesRow.id == AlertRow.premises_id)
        .where(
            *_corrects(since, now),
            AlertRow.found_at >= report.since_at,
            AlertRow.found_at < report.until_at,
            below(node.path),
        )
        .order_by(TransitionRow.at, TransitionRow.id)
        .limit(MAX_CAUSES)
    )
    for alert, transition, premises in rows:
        upheld = transition.step is Step.UPHOLD_APPEAL
        merged = transition.to_state is AlertState.MERGED
        yield Cause(
            alert_id=alert.id,
            cause="appeal_upheld" if upheld else "merged" if merged else "false_alarm",
            code=alert.code,
            premises=premises,
            at=transition.at,
        )


def _late(
    session: Session, node: NodeRow, report: ReportRow, since: datetime, now: datetime
) -> Iterator[Cause]:
    rows = session.execute(
        select(AlertRow, PremisesRow.name)
        .join(PremisesRow, PremisesRow.id == AlertRow.premises_id)
        .where(
            AlertRow.found_at >= since,
            AlertRow.found_at <= now,
            AlertRow.occurred_at >= report.since_at,
            AlertRow.occurred_at < report.until_at,
            below(node.path),
        )
        .order_by(AlertRow.id)
        .limit(MAX_CAUSES)
    )
    for alert, premises in rows:
        yield Cause(alert_id=alert.id, cause="late", code=alert.code, premises=premises, at=alert.found_at)
