"""The figures of the sweep for one subtree and span; rates stay numerator and denominator.

Premises count where they lie now, checks and findings where the premises lay when it was taken: so
the figures of a node are the sum of those of its children.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.patrols.roster import swept_premises
from kitchen_watch.backend.patrols.settings import PatrolSettings
from kitchen_watch.backend.patrols.tables import CheckState, PatrolCheckRow, PatrolFindingRow

ENDED = (CheckState.COMPLETED, CheckState.WITHDRAWN, CheckState.LAPSED)


@dataclass(frozen=True, slots=True)
class Watcher:
    """What one person watched: views of live cameras, and those that belonged to a patrol."""

    person_id: int
    name: str
    premises: int
    """Premises of which they watched a camera; a premises lies in one node, so they add up."""
    views: int
    patrol_views: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PatrolFigures:
    """Coverage, frequency and quality of the sweep."""

    premises: int
    """In business and known before the span's end: the denominator of coverage and of frequency."""
    premises_looked_at: int
    """Of these, with at least one completed check in the span."""
    premises_late: int
    """Of these, whose limit had passed at the span's end without a look."""
    checks: int
    """Completed in the span; ``checks / premises`` is the frequency."""
    forms: int
    """Forms that were ended in the span: handed in, withdrawn or lapsed."""
    forms_complete: int
    """Of these, handed in (which needs every mandatory item and picture)."""
    items: int
    """Items of the forms handed in, and of these:"""
    items_answered: int
    findings: int
    """Of the completed checks; ``findings / checks``."""
    checks_with_findings: int
    findings_due: int
    """Findings whose deadline fell into the span, and of these settled by it:"""
    findings_in_time: int
    watchers: tuple[Watcher, ...]
    """Who watched what, the most active first."""


def patrols_figures(
    session: Session,
    node_path: str,
    since_at: datetime,
    until_at: datetime,
    *,
    settings: PatrolSettings | None = None,
) -> PatrolFigures:
    """The figures of the subtree at ``node_path`` in ``[since_at, until_at)``.

    ``settings`` say when a premises is late; without, those of the service's defaults and of the tree.
    """
    below = _below(NodeRow.path, node_path)
    swept = [
        one
        for one in swept_premises(session, settings or PatrolSettings(), below, until_at=until_at)
        if one.place.since_at < until_at
    ]
    looked_at = set(
        session.scalars(
            select(PatrolCheckRow.premises_id)
            .distinct()
            .where(
                PatrolCheckRow.state == CheckState.COMPLETED,
                *_in_span(PatrolCheckRow.finished_at, since_at, until_at),
                PatrolCheckRow.premises_id.in_(_premises_below(below)),
            )
        )
    )
    return PatrolFigures(
        premises=len(swept),
        premises_looked_at=sum(one.place.premises_id in looked_at for one in swept),
        premises_late=sum(one.place.limit_at < until_at for one in swept),
        **_checks(session, below, since_at, until_at),
        **_findings(session, below, since_at, until_at),
        watchers=_watchers(session, below, since_at, until_at),
    )


def _checks(
    session: Session, below: ColumnElement[bool], since_at: datetime, until_at: datetime
) -> dict[str, int]:
    done = PatrolCheckRow.state == CheckState.COMPLETED
    # One that lapsed is marked when the queue is asked next; it ended when its time was over.
    ended = or_(
        and_(PatrolCheckRow.state.in_(ENDED), *_in_span(PatrolCheckRow.finished_at, since_at, until_at)),
        and_(
            PatrolCheckRow.state == CheckState.OPEN,
            *_in_span(PatrolCheckRow.lapses_at, since_at, until_at),
        ),
    )
    row = session.execute(
        select(
            func.count(),
            func.count().filter(done),
            func.coalesce(func.sum(PatrolCheckRow.items).filter(done), 0),
            func.coalesce(func.sum(PatrolCheckRow.answered).filter(done), 0),
            func.coalesce(func.sum(PatrolCheckRow.findings).filter(done), 0),
            func.count().filter(done, PatrolCheckRow.findings > 0),
        )
        .select_from(PatrolCheckRow)
        .join(NodeRow, NodeRow.id == PatrolCheckRow.node_id)
        .where(below, ended)
    ).one()
    forms, complete, items, answered, findings, with_findings = row
    return {
        "checks": complete,
        "forms": forms,
        "forms_complete": complete,
        "items": int(items),
        "items_answered": int(answered),
        "findings": int(findings),
        "checks_with_findings": with_findings,
    }


def _findings(
    session: Session, below: ColumnElement[bool], since_at: datetime, until_at: datetime
) -> dict[str, int]:
    due, settled = session.execute(
        select(func.count(), func.count().filter(PatrolFindingRow.settled_at <= PatrolFindingRow.due_at))
        .select_from(PatrolFindingRow)
        .join(PatrolCheckRow, PatrolCheckRow.id == PatrolFindingRow.check_id)
        .join(NodeRow, NodeRow.id == PatrolCheckRow.node_id)
        .where(below, *_in_span(PatrolFindingRow.due_at, since_at, until_at))
    ).one()
    return {"findings_due": due, "findings_in_time": settled}


def _watchers(
    session: Session, below: ColumnElement[bool], since_at: datetime, until_at: datetime
) -> tuple[Watcher, ...]:
    rows = session.execute(
        select(
            AuditRow.person_id,
            PersonRow.display_name,
            AuditRow.premises_id,
            AuditRow.action,
            AuditRow.purpose,
            AuditRow.facts,
        )
        .join(PersonRow, PersonRow.id == AuditRow.person_id)
        .where(
            AuditRow.action.in_(("live_view_opened", "live_view_ended")),
            *_in_span(AuditRow.at, since_at, until_at),
            AuditRow.premises_id.in_(_premises_below(below)),
            PersonRow.premises_id.is_(None),  # who watches their own kitchen does not supervise
        )
    ).all()
    seen: dict[int, _Seen] = {}
    for person_id, name, premises_id, action, purpose, facts in rows:
        one = seen.setdefault(person_id, _Seen(name, set()))
        if action == "live_view_opened" and facts.get("kind") != "tracks":
            one.premises.add(premises_id)
            one.views += 1
            one.patrol_views += purpose.startswith("patrol ")
        elif action == "live_view_ended" and facts.get("kind") != "tracks":
            one.seconds += float(facts.get("seconds", 0))
    watchers = [
        Watcher(person_id, one.name, len(one.premises), one.views, one.patrol_views, round(one.seconds, 1))
        for person_id, one in seen.items()
    ]
    return tuple(sorted(watchers, key=lambda one: (-one.views, one.person_id)))


@dataclass(slots=True)
class _Seen:
    name: str
    premises: set[int]
    views: int = 0
    patrol_views: int = 0
    seconds: float = 0


def _premises_below(below: ColumnElement[bool]) -> Select[int]:
    return select(PremisesRow.id).where(PremisesRow.node_id.in_(select(NodeRow.id).where(below)))


def _below(column: InstrumentedAttribute[str], path: str) -> ColumnElement[bool]:
    # "0" is the character after "/": one index range.
    return and_(column >= path, column < path.removesuffix("/") + "0")


def _in_span(
    column: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    since_at: datetime,
    until_at: datetime,
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column >= since_at, column < until_at
