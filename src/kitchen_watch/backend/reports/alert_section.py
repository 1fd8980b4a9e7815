"""Alerts of a report: beside the period before and the mean of a week, by code, and by the nodes below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.reports.case_sections import below
from kitchen_watch.backend.reports.content import Cell, Count, Figure, Rows, Section
from kitchen_watch.backend.reports.drawing import Scene
from kitchen_watch.backend.reports.periods import before, week_before
from kitchen_watch.backend.reports.tables import ReportKind
from kitchen_watch.backend.statistics.figures import AlertFigures, GridSums, Share, total


@dataclass(frozen=True, slots=True)
class _Line:
    key: str
    count: Callable[[AlertFigures], int | Share]
    correctable: bool = False
    compared: bool = False
    """Stands beside the period before and the mean of a week."""


LINES = (
    _Line("found", lambda one: one.found, correctable=True, compared=True),
    _Line("tier_1", lambda one: one.tier_1, correctable=True, compared=True),
    _Line("tier_2", lambda one: one.tier_2, correctable=True, compared=True),
    _Line("tier_3", lambda one: one.tier_3, correctable=True, compared=True),
    _Line("pending", lambda one: one.pending, compared=True),
    _Line("proven", lambda one: one.believed, compared=True),
    _Line("pushed", lambda one: one.pushed),
    _Line("merged", lambda one: one.merged, correctable=True, compared=True),
    _Line("false_alarms", lambda one: one.false_alarms, correctable=True, compared=True),
    _Line("false_alarm_rate", lambda one: one.false_alarm_rate, compared=True),
    _Line("verify_timeliness", lambda one: one.verify_timeliness),
    _Line("closed", lambda one: one.rectification_rate),
    _Line("same_day", lambda one: one.same_day_rate),
    _Line("on_time", lambda one: one.on_time_rate),
    _Line("returned", lambda one: one.return_rate),
    _Line("repeats", lambda one: one.repeat_rate_30_days),
    _Line("reminders", lambda one: one.reminders),
    _Line("supervised", lambda one: one.supervised),
    _Line("appeals_won", lambda one: one.appeals_won_rate),
)
TIME_TO_RECTIFY = "time_to_rectify"
HEARD_LATER = "heard_later"
CHILD_COLUMNS = [
    "node", "found", "tier_1", "proven", "false_alarms", "closed", "closed_same_day", "fix_due",
    "fix_in_time", "overdue",
]  # fmt: skip


def alert_section(scene: Scene) -> Section:
    """What was found and how it was handled."""
    period = scene.period
    now = _figures(scene, period.since_at, period.until_at)
    last = before(period, scene.settings)
    past = scene.ledger.found(scene.node.path, last.since_at, last.until_at)
    week = None
    if period.kind is ReportKind.DAILY:
        week = scene.ledger.found(scene.node.path, *week_before(period, scene.settings))
    whole = _total(now)
    figures = [
        Figure(
            key=line.key,
            now=_count(line.count(whole)),
            before=_count(line.count(past.figures)) if line.compared else None,
            week=_count(line.count(week.figures)) if line.compared and week is not None else None,
            correctable=line.correctable,
        )
        for line in LINES
    ]
    figures.append(Figure(key=TIME_TO_RECTIFY, now=_time(now), unit="seconds"))
    figures.append(Figure(key=HEARD_LATER, now=Count(value=_heard_later(scene)), correctable=True))
    return Section(key="alerts", figures=figures, tables=[_by_code(now, past, week)])


def child_section(scene: Scene) -> Section | None:
    """The same in short for each node below; the lines add up to the whole. Nothing in a leaf."""
    rows = _children(scene)
    if not rows:
        return None
    lines: list[list[Cell]] = [
        [
            name, one.found, one.tier_1, one.believed, one.false_alarms, one.closed, one.closed_same_day,
            one.fix_due, one.fix_in_time, one.overdue,
        ]
        for name, one in rows
    ]  # fmt: skip
    return Section(key="children", tables=[Rows(key="by_node", columns=CHILD_COLUMNS, rows=lines)])


def ranking_section(scene: Scene) -> Section:
    """The nodes below by the share of what was due that was done in time, then by what was due.

    A node without anything due comes last: it has shown neither the one nor the other.
    """
    period = scene.period
    whole = _total(_figures(scene, period.since_at, period.until_at))
    found = _children(scene) or [(scene.node.name, whole)]

    def order(line: tuple[str, AlertFigures]) -> tuple[float, int]:
        rate = line[1].on_time_rate.rate
        return (1.0 if rate is None else -rate, -line[1].fix_due)

    return Section(
        key="ranking",
        tables=[
            Rows(
                key="ranking",
                columns=["node", "rank", "fix_due", "fix_in_time", "closed_same_day", "proven", "tier_1"],
                rows=[
                    [
                        name, place, one.fix_due, one.fix_in_time, one.closed_same_day, one.believed,
                        one.tier_1,
                    ]
                    for place, (name, one) in enumerate(sorted(found, key=order), start=1)
                ],
            )
        ],
    )  # fmt: skip


_Sums = dict[int, GridSums]
"""By grid, of one node and span."""


def _figures(scene: Scene, since_at: datetime, until_at: datetime) -> _Sums:
    return scene.ledger.by_grid(scene.node.path, since_at, until_at, now=scene.period.until_at)


def _total(sums: _Sums) -> AlertFigures:
    return total(sums.values()).figures


def _count(value: int | Share) -> Count:
    return Count(value=value) if isinstance(value, int) else Count(value=value.part, out_of=value.whole)


def _time(sums: _Sums) -> Count:
    """Seconds over cases; rounded within each grid, so that the sums of sums stay the same."""
    seconds = sum(round(one.figures.fix_seconds) for one in sums.values())
    return Count(value=seconds, out_of=_total(sums).fix_settled)


def _heard_later(scene: Scene) -> int:
    """What happened in the period by the edges' clocks, and was heard of only after it."""
    period = scene.period
    return (
        scene.session.scalar(
            select(func.count())
            .select_from(AlertRow)
            .where(
                AlertRow.found_at >= period.until_at,
                AlertRow.occurred_at >= period.since_at,
                AlertRow.occurred_at < period.until_at,
                below(scene.node.path),
            )
        )
        or 0
    )


def _by_code(now: _Sums, past: GridSums, week: GridSums | None) -> Rows:
    nothing = AlertFigures()
    found, then = total(now.values()).codes, past.codes
    mean = {} if week is None else week.codes
    codes = sorted(
        {*found, *then, *mean},
        key=lambda code: (-found.get(code, nothing).found, -then.get(code, nothing).found, code),
    )
    rows: list[list[Cell]] = []
    for code in codes:
        one = found.get(code, nothing)
        row: list[Cell] = [code, one.found, one.false_alarms, then.get(code, nothing).found]
        rows.append(row if week is None else [*row, mean.get(code, nothing).found])
    columns = ["code", "found", "false_alarms", "before", *(["week_sum"] if week is not None else [])]
    return Rows(key="by_code", columns=columns, rows=rows)


def _children(scene: Scene) -> list[tuple[str, AlertFigures]]:
    children = scene.session.scalars(
        select(NodeRow).where(NodeRow.parent_id == scene.node.id).order_by(NodeRow.path)
    ).all()
    if not children:
        return []
    period = scene.period
    sums = _figures(scene, period.since_at, period.until_at)
    lines = []
    for child in children:
        inside = scene.ledger.below(child.path)
        lines.append((child.name, _total({grid: one for grid, one in sums.items() if grid in inside})))
    direct = sums.get(scene.node.id, GridSums()).figures
    if direct.found:
        lines.append((scene.node.name, direct))  # found when premises still lay directly in it
    return lines
