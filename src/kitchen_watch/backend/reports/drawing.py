"""Draws up a report: asks every room that counts, through the seam, and puts the answers together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.places import place_names
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.patrols.settings import PatrolSettings
from kitchen_watch.backend.reports.content import NodeBrief, ReportContent, Section
from kitchen_watch.backend.reports.ledger import Ledger
from kitchen_watch.backend.reports.periods import Period
from kitchen_watch.backend.reports.settings import ReportSettings


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn: a node and its subtree in a period, as the database stands at ``now``.

    ``ledger`` answers for this subtree, and perhaps for others.
    """

    session: Session
    node: NodeRow
    period: Period
    settings: ReportSettings
    now: datetime
    ledger: Ledger
    patrols: PatrolSettings = field(default_factory=PatrolSettings)


Maker = Callable[[Scene], Section | None]
"""Makes one section; ``None`` where there is nothing that the room could say of such a report."""


def draw_up(scene: Scene, makers: tuple[Maker, ...], *, reference: str) -> ReportContent:
    """The whole content of a report."""
    sections = (maker(scene) for maker in makers)
    node, period = scene.node, scene.period
    return ReportContent(
        kind=period.kind,
        node=NodeBrief(
            id=node.id,
            code=node.code,
            name=node.name,
            name_en=node.name_en,
            path=node.path,
            place=place_names(scene.session, {node.id})[node.id],
        ),
        reference=reference,
        first_day=period.first.isoformat(),
        last_day=period.last.isoformat(),
        time_zone=scene.settings.time_zone,
        since_at=period.since_at,
        until_at=period.until_at,
        drawn_at=scene.now,
        responsible=_responsible(scene.session, node.id),
        sections=[section for section in sections if section is not None],
    )


def _responsible(session: Session, node_id: int) -> list[str]:
    officers = session.scalars(
        select(PersonRow.display_name)
        .where(PersonRow.node_id == node_id, PersonRow.role == Role.GRID_OFFICER, ~PersonRow.disabled)
        .order_by(PersonRow.id)
    )
    return list(officers)
