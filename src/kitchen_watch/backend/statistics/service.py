"""Statistics of what somebody may see: the question in their scope, and the answer for API and pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.statistics import verdicts
from kitchen_watch.backend.statistics.figures import (
    AlertFigures,
    GridSums,
    total,
)
from kitchen_watch.backend.statistics.months import sums_of
from kitchen_watch.backend.statistics.precision import ENOUGH, judged
from kitchen_watch.backend.statistics.questions import Question
from kitchen_watch.backend.statistics.schemas import (
    CodeFigures,
    DayCount,
    NodeFigures,
    PrecisionView,
    PremisesCount,
    StatisticsView,
    figures_view,
)
from kitchen_watch.errors import InvalidRequest, NotFound

LONGEST = timedelta(days=3 * 366)
FIRST_YEAR, LAST_YEAR = 1900, 9000
"""Between them days can be counted in every zone, and some back, without an end of the calendar."""
WORST = 20
MOST_SOURCES = 500


def question_of(
    session: Session,
    person: Person,
    *,
    since_at: datetime,
    until_at: datetime,
    node_id: int | None = None,
    codes: tuple[str, ...] = (),
    tiers: tuple[int, ...] = (),
    business_types: tuple[str, ...] = (),
) -> Question:
    """The question about the part of a subtree that somebody may see.

    Raises:
        NotFound: no such node in their scope.
        InvalidRequest: the span is empty, or longer than three years.
    """
    if not timedelta(0) < until_at - since_at <= LONGEST:
        raise InvalidRequest("until_at must come after since_at, by three years at most.")
    if since_at.year < FIRST_YEAR or until_at.year > LAST_YEAR:
        raise InvalidRequest("This span lies at the end of the calendar.")
    kinds = {"codes": codes, "tiers": tiers, "business_types": business_types}
    if node_id is not None:
        path = session.scalar(select(NodeRow.path).where(NodeRow.id == node_id, person.scope.nodes()))
        if path is None:
            raise NotFound(f"There is no node {node_id} that you may see.")
        return Question(since_at=since_at, until_at=until_at, paths=(path,), **kinds)  # type: ignore[arg-type]  # as named
    scope = person.scope
    return Question(
        since_at=since_at,
        until_at=until_at,
        everything=scope.everything,
        paths=scope.paths,
        premises_ids=scope.premises_ids,
        **kinds,  # type: ignore[arg-type]  # as named
    )


def statistics(
    session: Session, question: Question, *, now: datetime, node_id: int | None = None
) -> StatisticsView:
    """The whole answer; months that are long over come from their kept sums."""
    sums = sums_of(session, question, now)
    whole = total(sums.values())
    hours = [[whole.hours[f"{weekday}/{hour}"] for hour in range(24)] for weekday in range(7)]
    return StatisticsView(
        since_at=question.since_at,
        until_at=question.until_at,
        node_id=node_id,
        total=figures_view(whole.figures),
        children=_children(session, sums, question, node_id),
        codes=_codes(whole),
        days=_every_day(whole.days, question, zone_in(session)),
        hours=hours,
        premises=_worst(session, whole),
    )


def precision(session: Session, question: Question, by: str) -> list[PrecisionView]:
    """By rule, camera or model: how many judged alerts were right, and what threshold would help."""
    return _precision_views(session.execute(verdicts.judged_by_source(session, question, by)))


def every_precision(session: Session, question: Question) -> dict[str, list[PrecisionView]]:
    """The same by rule, by camera and by model at once."""
    rows: dict[str, list[Any]] = {by: [] for by in verdicts.SOURCES}
    for by, row in verdicts.judged_by_every_source(session, question):
        rows[by].append(row)
    return {by: _precision_views(some) for by, some in rows.items()}


def _precision_views(rows: Iterable[Any]) -> list[PrecisionView]:
    answers = []
    for one in judged((row[0], str(row[1]), row[2], row[3], int(row[4])) for row in rows)[:MOST_SOURCES]:
        advice = one.advice()
        answers.append(
            PrecisionView(
                code=one.code,
                source=one.source.strip(),
                judged=one.judged,
                false_alarms=one.false_alarms,
                precision=round(one.precision, 4),
                enough=one.judged >= ENOUGH,
                threshold=advice[0] if advice else None,
                kept=round(advice[1], 4) if advice else None,
            )
        )
    return answers


def _children(
    session: Session, sums: dict[int, GridSums], question: Question, node_id: int | None
) -> list[NodeFigures]:
    nodes = {row.id: row for row in session.scalars(select(NodeRow))}
    own = nodes.get(node_id) if node_id is not None else _common(nodes, question)
    below: dict[int, AlertFigures] = defaultdict(AlertFigures)
    for grid, counted in sums.items():
        if grid in nodes:
            child = child_on_the_way(nodes[grid].path, own.path if own is not None else "/")
            below[child].add(counted.figures)
    return [
        NodeFigures(
            node_id=child,
            name=nodes[child].name,
            name_en=nodes[child].name_en,
            figures=figures_view(figures),
        )
        for child, figures in sorted(below.items(), key=lambda item: nodes[item[0]].path)
    ]


def _common(nodes: dict[int, NodeRow], question: Question) -> NodeRow | None:
    """The one node somebody's scope begins at; with everything in scope the only root."""
    if len(question.paths) == 1:
        return next((row for row in nodes.values() if row.path == question.paths[0]), None)
    roots = [row for row in nodes.values() if row.parent_id is None]
    return roots[0] if question.everything and len(roots) == 1 else None


def child_on_the_way(path: str, own: str) -> int:
    """The child of ``own`` that leads to ``path``; the last of the path if it is ``own`` itself."""
    steps = path.removeprefix(own).strip("/")
    return int((steps or path.strip("/").rpartition("/")[2]).partition("/")[0])


def _codes(whole: GridSums) -> list[CodeFigures]:
    ordered = sorted(whole.codes.items(), key=lambda item: (-item[1].believed, item[0]))
    believed = sum(figures.believed for _, figures in ordered)
    so_far, answers = 0, []
    for code, figures in ordered:
        so_far += figures.believed
        answers.append(
            CodeFigures(
                code=code,
                found=figures.found,
                believed=figures.believed,
                false_alarms=figures.false_alarms,
                cumulative_share=round(so_far / believed, 4) if believed else 0.0,
            )
        )
    return answers


def _every_day(days: dict[str, int], question: Question, zone: ZoneInfo) -> list[DayCount]:
    day = question.since_at.astimezone(zone).date()
    last = (question.until_at - timedelta(microseconds=1)).astimezone(zone).date()
    answers = []
    while day <= last:
        answers.append(DayCount(day=day, count=days.get(day.isoformat(), 0)))
        day += timedelta(days=1)
    return answers


def _worst(session: Session, whole: GridSums) -> list[PremisesCount]:
    counted = sorted(whole.premises.items(), key=lambda item: (-item[1], item[0]))[:WORST]
    rows = {
        row.id: row
        for row in session.scalars(select(PremisesRow).where(PremisesRow.id.in_([one for one, _ in counted])))
    }
    return [
        PremisesCount(
            premises_id=one,
            name=rows[one].name,
            name_en=rows[one].name_en,
            business_type=rows[one].business_type,
            count=count,
        )
        for one, count in counted
        if one in rows
    ]
