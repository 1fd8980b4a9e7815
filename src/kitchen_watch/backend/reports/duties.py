"""日督查: what a supervision group, or anybody on the territory side, must look at tonight in its scope."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import FINISHED
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.organisations.tables import CameraRow, NodeRow, PremisesRow
from kitchen_watch.backend.pages import report_words as words
from kitchen_watch.backend.pages import wording
from kitchen_watch.backend.pages.languages import Language
from kitchen_watch.backend.reports import pdf
from kitchen_watch.backend.reports.case_sections import REPEATS_WITHIN, UNPROVEN
from kitchen_watch.backend.reports.layout import Grid, LaidOut, Part, Value, moment
from kitchen_watch.backend.reports.place_section import unseen
from kitchen_watch.backend.reports.schemas import DutyLine, DutyList
from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.reports.tables import ReceiptRow, ReportClockRow, ReportKind, ReportRow

MANY = 3
"""So often the same problem at one premises within 30 days makes it a repeat offender for tonight."""
LATE_AFTER = timedelta(hours=1)
"""A report that is not there so long after its cut-off is missing."""


def duty_list(session: Session, person: Person, settings: ReportSettings, *, now: datetime) -> DutyList:
    """Everything to look at, the most urgent of each kind first, with counts of all of it."""
    counts: dict[str, int] = {}
    lines: list[DutyLine] = []
    for duty, (count, found) in {
        "overdue": _cases(session, person, AlertRow.due_at < now, settings.top, now),
        "tier_1": _cases(
            session,
            person,
            (AlertRow.tier == 1) & or_(AlertRow.due_at.is_(None), AlertRow.due_at >= now),
            settings.top,
            now,
        ),
        "repeat": _repeats(session, person, settings.top, now),
        "blind": _blind(session, person, settings.top, now),
        "report": _reports(session, person, settings.top, now),
    }.items():
        counts[duty] = count
        lines += [line.model_copy(update={"duty": duty}) for line in found]
    return DutyList(drawn_at=now, area=person.scope_name, counts=counts, lines=lines)


_Found = tuple[int, list[DutyLine]]


def _cases(session: Session, person: Person, which: ColumnElement[bool], top: int, now: datetime) -> _Found:
    where = (AlertRow.state.not_in(FINISHED), which, person.scope.owned(AlertRow.premises_id))
    count = session.scalar(select(func.count()).select_from(AlertRow).where(*where)) or 0
    rows = session.execute(
        select(AlertRow.id, NodeRow.name, PremisesRow.name, AlertRow.code, AlertRow.due_at)
        .join(PremisesRow, PremisesRow.id == AlertRow.premises_id)
        .join(NodeRow, NodeRow.id == AlertRow.node_id)
        .where(*where)
        .order_by(AlertRow.tier, AlertRow.due_at, AlertRow.id)
        .limit(top)
    )
    lines = []
    for key, node, premises, code, due_at in rows:
        late = due_at is not None and due_at < now
        lines.append(
            DutyLine(
                duty="overdue",
                node=node,
                premises=premises,
                detail=code,
                amount=int((now - due_at).total_seconds() // 3600) if due_at is not None and late else 0,
                unit="hours" if late else "none",
                page=f"/alerts/{key}",
            )
        )
    return count, lines


def _repeats(session: Session, person: Person, top: int, now: datetime) -> _Found:
    count, recent = func.count(), func.sum(case((AlertRow.found_at >= now - timedelta(days=1), 1), else_=0))
    query = (
        select(PremisesRow.id, NodeRow.name, PremisesRow.name, AlertRow.code, count.label("times"))
        .join(PremisesRow, PremisesRow.id == AlertRow.premises_id)
        .join(NodeRow, NodeRow.id == PremisesRow.node_id)
        .where(
            AlertRow.found_at >= now - REPEATS_WITHIN,
            AlertRow.state.not_in(UNPROVEN),
            person.scope.owned(AlertRow.premises_id),
        )
        .group_by(PremisesRow.id, NodeRow.name, PremisesRow.name, AlertRow.code)
        .having(count >= MANY, recent > 0)
    )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.execute(query.order_by(count.desc(), PremisesRow.id, AlertRow.code).limit(top))
    return total, [
        DutyLine(
            duty="repeat",
            node=node,
            premises=premises,
            detail=code,
            amount=times,
            unit="times",
            page=f"/premises/{key}",
        )
        for key, node, premises, code, times in rows
    ]


def _blind(session: Session, person: Person, top: int, now: datetime) -> _Found:
    mine = (person.scope.owned(CameraRow.premises_id), CameraRow.enabled, PremisesRow.active)
    query = unseen(
        select(CameraRow.camera_id, NodeRow.name, PremisesRow.name, CameraRow.name)
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .join(NodeRow, NodeRow.id == PremisesRow.node_id)
        .where(*mine),
        now,
    )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.execute(query.order_by(CameraRow.premises_id, CameraRow.camera_id).limit(top))
    return total, [
        DutyLine(
            duty="blind",
            node=node,
            premises=premises,
            detail=camera,
            amount=0,
            unit="none",
            page=f"/cameras#{key}",
        )
        for key, node, premises, camera in rows
    ]


def _reports(session: Session, person: Person, top: int, now: datetime) -> _Found:
    """Daily reports that did not come, and published ones that somebody has not confirmed."""
    mine = select(NodeRow.id).where(person.scope.nodes())
    missing = session.execute(
        select(NodeRow.name, ReportClockRow.next_at)
        .join(NodeRow, NodeRow.id == ReportClockRow.node_id)
        .where(
            ReportClockRow.kind == ReportKind.DAILY,
            ReportClockRow.next_at <= now - LATE_AFTER,
            ReportClockRow.node_id.in_(mine),
        )
        .order_by(ReportClockRow.next_at, NodeRow.id)
    ).all()
    unread = session.execute(
        select(ReportRow.id, ReportRow.kind, NodeRow.name, ReportRow.reference, func.min(ReceiptRow.asked_at))
        .join(ReceiptRow, ReceiptRow.report_id == ReportRow.id)
        .join(NodeRow, NodeRow.id == ReportRow.node_id)
        .where(ReceiptRow.at.is_(None), ReportRow.node_id.in_(mine))
        .group_by(ReportRow.id, ReportRow.kind, NodeRow.name, ReportRow.reference)
        .order_by(func.min(ReceiptRow.asked_at), ReportRow.id)
    ).all()
    lines = [_report_line(name, "", next_at, now, "/reports") for name, next_at in missing]
    for key, kind, name, reference, asked_at in unread:
        page = f"/bulletins/{key}" if kind is ReportKind.BULLETIN else f"/reports/{key}"
        lines.append(_report_line(name, reference, asked_at, now, page))
    return len(lines), lines[:top]


def _report_line(node: str, reference: str, since: datetime, now: datetime, page: str) -> DutyLine:
    hours = int((now - since).total_seconds() // 3600)
    return DutyLine(
        duty="report", node=node, premises="", detail=reference, amount=hours, unit="hours", page=page
    )


def lay_out_duties(found: DutyList, language: Language, settings: ReportSettings) -> LaidOut:
    """The list in a language: one table for each kind of duty."""
    _ = language.gettext
    headings = tuple(_(words.COLUMNS[key]) for key in ("node", "premises", "matter", "extent"))
    parts = []
    for duty, count in found.counts.items():
        rows = tuple(_duty_row(line, language) for line in found.lines if line.duty == duty)
        title = f"{_(words.DUTIES[duty])} ({count})"
        parts.append(Part(duty, title, (Grid(duty, "", headings, rows),)))
    at = moment(found.drawn_at, settings.zone, language)
    return LaidOut(
        title=_(words.DUTY_LIST),
        reference=at,
        issuer=found.area or _(words.EVERYTHING),
        facts=(),
        parts=tuple(parts),
        footer=at,
        language=language,
    )


def to_pdf(found: DutyList, language: Language, settings: ReportSettings) -> bytes:
    """The list to take along."""
    return pdf.render(lay_out_duties(found, language, settings), issued_at=found.drawn_at)


def _duty_row(line: DutyLine, language: Language) -> tuple[Value, ...]:
    _ = language.gettext
    matter = _(wording.CODES[line.detail]) if line.detail in wording.CODES else line.detail
    if line.duty == "report" and not line.detail:
        matter = _(words.REPORT_MISSING)
    extent = {
        "hours": _(words.HOURS) % {"number": line.amount},
        "times": _(words.TIMES) % {"number": line.amount},
        "none": None,
    }[line.unit]
    return (line.node, line.premises or None, matter, extent)
