"""What a bulletin says: the nodes below in their order, and the premises whose time to appeal is over."""

from __future__ import annotations

from sqlalchemy import case, func, or_, select

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.handling.tables import AssignmentRow
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.reports.case_sections import UNPROVEN, below
from kitchen_watch.backend.reports.content import Count, Figure, Rows, Section
from kitchen_watch.backend.reports.drawing import Scene

CONTESTABLE = UNPROVEN | {AlertState.VERIFIED, AlertState.APPEALED}
"""Nobody is named for these: not proven, not put to the restaurant yet, or under appeal."""


def named_section(scene: Scene) -> Section:
    """Premises with alerts of tier 1 and 2 that can no longer be appealed against, and how many still can."""
    assigned_at = (
        select(func.max(AssignmentRow.at))
        .where(AssignmentRow.alert_id == AlertRow.id)
        .correlate(AlertRow)
        .scalar_subquery()
    )
    over_since = scene.now - scene.settings.appeal_window
    of_week = (
        AlertRow.found_at >= scene.period.since_at,
        AlertRow.found_at < scene.period.until_at,
        AlertRow.tier <= 2,
        below(scene.node.path),
    )
    settled = (*of_week, AlertRow.state.not_in(CONTESTABLE), assigned_at <= over_since)
    still_open = (
        scene.session.scalar(
            select(func.count())
            .select_from(AlertRow)
            .where(
                *of_week,
                AlertRow.state.not_in(UNPROVEN),
                or_(AlertRow.state.in_(CONTESTABLE), assigned_at > over_since, assigned_at.is_(None)),
            )
        )
        or 0
    )
    count = func.count()
    severe = func.sum(case((AlertRow.tier == 1, 1), else_=0))
    closed = func.sum(case((AlertRow.state == AlertState.CLOSED, 1), else_=0))
    rows = scene.session.execute(
        select(PremisesRow.name, NodeRow.name, count, severe, closed)
        .join(PremisesRow, PremisesRow.id == AlertRow.premises_id)
        .join(NodeRow, NodeRow.id == AlertRow.node_id)
        .where(*settled)
        .group_by(PremisesRow.id, PremisesRow.name, NodeRow.id, NodeRow.name)
        .order_by(severe.desc(), count.desc(), PremisesRow.id)
        .limit(scene.settings.top * 2)
    )
    total = scene.session.scalar(select(count).select_from(AlertRow).where(*settled)) or 0
    return Section(
        key="named",
        figures=[
            Figure(key="final", now=Count(value=total)),
            Figure(key="still_appealable", now=Count(value=still_open)),
        ],
        tables=[
            Rows(
                key="named_premises",
                columns=["premises", "node", "proven", "tier_1", "closed"],
                rows=[[name, node, many, int(first), int(done)] for name, node, many, first, done in rows],
            )
        ],
    )
