"""Alerts of a report: beside the period before and the mean of a week, by code, and by the nodes below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import select

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.reports.alert_counts import AlertCounts, count_alerts
from kitchen_watch.backend.reports.case_sections import UNPROVEN
from kitchen_watch.backend.reports.content import Cell, Count, Figure, Rows, Section
from kitchen_watch.backend.reports.drawing import Scene
from kitchen_watch.backend.reports.periods import before, week_before
from kitchen_watch.backend.reports.tables import ReportKind

_Key = tuple[int, int, str, AlertState]


@dataclass(frozen=True, slots=True)
class _Line:
    key: str
    count: Callable[[AlertCounts], Count]
    correctable: bool = False


def _found(counts: AlertCounts, which: Callable[[_Key], bool] = lambda _key: True) -> int:
    return sum(many for key, many in counts.found.items() if which(key))


def _proven(counts: AlertCounts) -> int:
    return _found(counts, lambda key: key[3] not in UNPROVEN)


def _false(counts: AlertCounts) -> int:
    return _found(counts, lambda key: key[3] is AlertState.FALSE_ALARM)


def _closed(counts: AlertCounts) -> int:
    return _found(counts, lambda key: key[3] is AlertState.CLOSED)


def _of_tier(tier: int) -> Callable[[AlertCounts], Count]:
    return lambda counts: Count(value=_found(counts, lambda key: key[1] == tier))


def _sum(name: str) -> Callable[[AlertCounts], Count]:
    return lambda counts: Count(value=getattr(counts, name).total())


LINES = (
    _Line("found", lambda counts: Count(value=_found(counts)), correctable=True),
    _Line("tier_1", _of_tier(1), correctable=True),
    _Line("tier_2", _of_tier(2), correctable=True),
    _Line("tier_3", _of_tier(3), correctable=True),
    _Line("proven", lambda counts: Count(value=_proven(counts))),
    _Line("false_alarms", lambda counts: Count(value=_false(counts)), correctable=True),
    _Line(
        "false_alarm_rate",
        lambda counts: Count(value=_false(counts), out_of=_false(counts) + _proven(counts)),
    ),
    _Line(
        "merged",
        lambda counts: Count(value=_found(counts, lambda key: key[3] is AlertState.MERGED)),
        correctable=True,
    ),
    _Line("closed", lambda counts: Count(value=_closed(counts), out_of=_proven(counts))),
    _Line("met", lambda counts: Count(value=counts.met.total(), out_of=counts.due.total())),
    _Line("reminders", _sum("reminders")),
    _Line("supervisions", _sum("supervisions")),
    _Line(
        "appeals_upheld",
        lambda counts: Count(value=counts.appeals_upheld.total(), out_of=counts.appeals.total()),
    ),
)
HEARD_LATER = "heard_later"


def alert_section(scene: Scene) -> Section:
    """What was found and how it was handled."""
    period, path = scene.period, scene.node.path
    now = count_alerts(scene.session, path, period.since_at, period.until_at, later=True)
    last = before(period, scene.settings)
    past = count_alerts(scene.session, path, last.since_at, last.until_at)
    week = None
    if period.kind is ReportKind.DAILY:
        week = count_alerts(scene.session, path, *week_before(period, scene.settings))
    figures = [
        Figure(
            key=line.key,
            now=line.count(now),
            before=line.count(past),
            week=None if week is None else line.count(week),
            correctable=line.correctable,
        )
        for line in LINES
    ]
    figures.append(Figure(key=HEARD_LATER, now=Count(value=now.heard_later.total()), correctable=True))
    return Section(key="alerts", figures=figures, tables=[_by_code(now, past, week)])


def child_section(scene: Scene) -> Section | None:
    """The same in short for each node below; the lines add up to the whole. Nothing in a leaf."""
    counts = count_alerts(scene.session, scene.node.path, scene.period.since_at, scene.period.until_at)
    rows = [[name, *cells] for name, cells in _children(scene, counts)]
    if not rows:
        return None
    return Section(
        key="children",
        tables=[
            Rows(
                key="by_node",
                columns=["node", "found", "tier_1", "proven", "false_alarms", "closed", "due", "met"],
                rows=rows,
            )
        ],
    )


def ranking_section(scene: Scene) -> Section:
    """The nodes below by the share of what was due that was done in time, then by what was due.

    A node without anything due comes last: it has shown neither the one nor the other.
    """
    counts = count_alerts(scene.session, scene.node.path, scene.period.since_at, scene.period.until_at)
    found = _children(scene, counts) or [(scene.node.name, _cells(counts, None))]

    def order(line: tuple[str, list[Cell]]) -> tuple[float, int]:
        due, met = _number(line[1][5]), _number(line[1][6])
        return (-met / due if due else 1.0, -due)

    ranked = sorted(found, key=order)
    return Section(
        key="ranking",
        tables=[
            Rows(
                key="ranking",
                columns=["node", "rank", "due", "met", "proven", "tier_1"],
                rows=[
                    [name, place, cells[5], cells[6], cells[2], cells[1]]
                    for place, (name, cells) in enumerate(ranked, start=1)
                ],
            )
        ],
    )


def _number(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def _by_code(now: AlertCounts, past: AlertCounts, week: AlertCounts | None) -> Rows:
    def sums(counts: AlertCounts, *states: AlertState) -> Counter[str]:
        by_code: Counter[str] = Counter()
        for (_node, _tier, code, state), many in counts.found.items():
            if not states or state in states:
                by_code[code] += many
        return by_code

    found, false, then = sums(now), sums(now, AlertState.FALSE_ALARM), sums(past)
    mean = sums(week) if week is not None else Counter()
    columns = ["code", "found", "false_alarms", "before"] + (["week_sum"] if week is not None else [])
    codes = sorted(found | then | mean, key=lambda code: (-found[code], -then[code], code))
    rows: list[list[Cell]] = [
        [code, found[code], false[code], then[code], *([mean[code]] if week is not None else [])]
        for code in codes
    ]
    return Rows(key="by_code", columns=columns, rows=rows)


def _children(scene: Scene, counts: AlertCounts) -> list[tuple[str, list[Cell]]]:
    children = scene.session.scalars(
        select(NodeRow).where(NodeRow.parent_id == scene.node.id).order_by(NodeRow.path)
    ).all()
    if not children:
        return []
    paths = dict(
        scene.session.execute(
            select(NodeRow.id, NodeRow.path).where(NodeRow.path.startswith(scene.node.path, autoescape=True))
        ).all()
    )
    lines = []
    for child in children:
        inside = {node_id for node_id, path in paths.items() if path.startswith(child.path)}
        lines.append((child.name, _cells(counts, inside)))
    direct = _cells(counts, {scene.node.id})
    if any(direct):
        lines.append((scene.node.name, direct))  # found when premises still lay directly in it
    return lines


def _cells(counts: AlertCounts, nodes: Iterable[int] | None) -> list[Cell]:
    """found, tier 1, proven, false alarms, closed, due, met."""
    inside = None if nodes is None else set(nodes)
    part = Counter({key: many for key, many in counts.found.items() if inside is None or key[0] in inside})
    mine = AlertCounts(found=part)

    def within(by_node: Counter[int]) -> int:
        return sum(many for node, many in by_node.items() if inside is None or node in inside)

    return [
        _found(mine),
        _found(mine, lambda key: key[1] == 1),
        _proven(mine),
        _false(mine),
        _closed(mine),
        within(counts.due),
        within(counts.met),
    ]
