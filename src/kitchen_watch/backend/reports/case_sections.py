"""Lists of cases: what is overdue, who stands out, what is typical, what comes next."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, case, func, select

from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.backend.organisations.scope import Scope
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.reports.content import Count, Figure, Rows, Section
from kitchen_watch.backend.reports.drawing import Scene
from kitchen_watch.events import EvidenceKind

_Columns = TypeVarTuple("_Columns")
WITHDRAWN = frozenset({AlertState.FALSE_ALARM, AlertState.MERGED})
"""Counts for nobody: it was nothing, or it goes on in another alert."""
UNPROVEN = WITHDRAWN | {AlertState.PENDING_VERIFICATION}
REPEATS_WITHIN = timedelta(days=30)


def below(path: str) -> ColumnElement[bool]:
    """Alerts found in the subtree, wherever their premises lies now."""
    return AlertRow.node_id.in_(select(NodeRow.id).where(Scope(paths=(path,)).nodes()))


def overdue_section(scene: Scene) -> Section:
    """Cases whose deadline has passed at the cut-off, the oldest first."""
    where = (
        AlertRow.due_at < scene.period.until_at,
        AlertRow.state.not_in(FINISHED),
        below(scene.node.path),
    )
    count = scene.ledger.open_cases(scene.node.path, scene.period.until_at)[0]
    rows = scene.session.execute(
        select(AlertRow.id, PremisesRow.name, AlertRow.code, AlertRow.tier, AlertRow.state, AlertRow.due_at)
        .join(PremisesRow, PremisesRow.id == AlertRow.premises_id)
        .where(*where)
        .order_by(AlertRow.due_at, AlertRow.id)
        .limit(scene.settings.top)
    )
    return Section(
        key="overdue",
        figures=[Figure(key="overdue", now=Count(value=count))],
        tables=[
            Rows(
                key="overdue",
                columns=["alert", "premises", "code", "tier", "state", "overdue_hours"],
                rows=[
                    [key, name, code, tier, state.value, _hours(scene.period.until_at - due_at)]
                    for key, name, code, tier, state, due_at in rows
                    if due_at is not None  # as asked for
                ],
            )
        ],
    )


def offender_section(scene: Scene) -> Section:
    """The premises with most proven alerts, and those with the same problem again within 30 days."""
    period = scene.period
    proven = (AlertRow.state.not_in(UNPROVEN), below(scene.node.path))
    count, severe = func.count(), func.sum(case((AlertRow.tier == 1, 1), else_=0))
    top = scene.session.execute(
        select(PremisesRow.name, count, severe)
        .join(PremisesRow, PremisesRow.id == AlertRow.premises_id)
        .where(AlertRow.found_at >= period.since_at, AlertRow.found_at < period.until_at, *proven)
        .group_by(PremisesRow.id, PremisesRow.name)
        .order_by(count.desc(), severe.desc(), PremisesRow.id)
        .limit(scene.settings.top)
    )
    inside = func.sum(case((AlertRow.found_at >= period.since_at, 1), else_=0))
    again = scene.session.execute(
        select(PremisesRow.name, AlertRow.code, count, inside)
        .join(PremisesRow, PremisesRow.id == AlertRow.premises_id)
        .where(
            AlertRow.found_at >= period.until_at - max(REPEATS_WITHIN, period.until_at - period.since_at),
            AlertRow.found_at < period.until_at,
            *proven,
        )
        .group_by(PremisesRow.id, PremisesRow.name, AlertRow.code)
        .having(count > 1, inside > 0)
        .order_by(count.desc(), PremisesRow.id, AlertRow.code)
        .limit(scene.settings.top)
    )
    return Section(
        key="offenders",
        tables=[
            Rows(
                key="top_premises",
                columns=["premises", "proven", "tier_1"],
                rows=[[name, many, int(first)] for name, many, first in top],
            ),
            Rows(
                key="repeat_offenders",
                columns=["premises", "code", "in_30_days", "in_period"],
                rows=[[name, code, many, int(now)] for name, code, many, now in again],
            ),
        ],
    )


def evidence_section(scene: Scene) -> Section:
    """Typical cases with a picture: the most severe of the period. Masks are part of every picture."""
    seen = (
        select(EvidenceFileRow.id)
        .where(
            EvidenceFileRow.alert_id == AlertRow.id,
            EvidenceFileRow.kind == EvidenceKind.ANNOTATED,
            EvidenceFileRow.completed_at.is_not(None),
        )
        .exists()
    )
    rows = scene.session.execute(
        _of_period(
            scene, select(AlertRow.id, PremisesRow.name, AlertRow.code, AlertRow.tier, AlertRow.found_at)
        )
        .where(AlertRow.state.not_in(UNPROVEN), seen)
        .order_by(AlertRow.tier, AlertRow.id)
        .limit(5)
    )
    return Section(
        key="evidence",
        tables=[
            Rows(
                key="typical",
                columns=["alert", "premises", "code", "tier", "found"],
                rows=[[key, name, code, tier, at.isoformat()] for key, name, code, tier, at in rows],
            )
        ],
    )


def order_section(scene: Scene) -> Section:
    """What follows for tomorrow, from what stands open at the cut-off."""
    late, severe, tomorrow, waiting = scene.ledger.open_cases(scene.node.path, scene.period.until_at)
    lines = [
        ("close_overdue", late),
        ("settle_tier_1", severe),
        ("close_tomorrow", tomorrow),
        ("verify_waiting", waiting),
    ]
    return Section(
        key="orders",
        tables=[
            Rows(
                key="orders",
                columns=["order", "count"],
                rows=[[key, many] for key, many in lines if many],
            )
        ],
    )


def _of_period(scene: Scene, query: Select[*_Columns]) -> Select[*_Columns]:
    return query.join(PremisesRow, PremisesRow.id == AlertRow.premises_id).where(
        AlertRow.found_at >= scene.period.since_at,
        AlertRow.found_at < scene.period.until_at,
        below(scene.node.path),
    )


def _hours(length: timedelta) -> int:
    return int(length.total_seconds() // 3600)
