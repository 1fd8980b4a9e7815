"""What people do with reports: find, publish, confirm, and have them checked against what is known now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.reports.content import seal
from kitchen_watch.backend.reports.corrections import supplement_of
from kitchen_watch.backend.reports.issuing import issue_supplement
from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.reports.tables import (
    PublicationRow,
    ReceiptRow,
    ReportKind,
    ReportRow,
    SupplementRow,
)
from kitchen_watch.errors import Conflict, NotFound, NotPermitted

PUBLISHERS = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.GRID_OFFICER})
DAMAGED = "This report is no longer what was issued; its content was changed. Tell your administrator."


def reports_for(person: Person) -> ColumnElement[bool]:
    """Condition on :class:`ReportRow`: reports of nodes in the person's subtrees; a restaurant sees none."""
    return ReportRow.node_id.in_(select(NodeRow.id).where(person.scope.nodes()))


def visible_report(session: Session, person: Person, report_id: int) -> ReportRow:
    """The report, if this person may read it.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(ReportRow).where(ReportRow.id == report_id, reports_for(person))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no report {report_id} that you may see.")
    return row


def intact(row: ReportRow | SupplementRow) -> bool:
    """Whether it still is what was sealed."""
    return seal(row.content) == row.sha256


def supplements_of(session: Session, report_id: int) -> list[SupplementRow]:
    """The supplements of a report, in their order."""
    return list(
        session.scalars(
            select(SupplementRow).where(SupplementRow.report_id == report_id).order_by(SupplementRow.number)
        )
    )


def may_publish(person: Person) -> bool:
    """Whether this person's role publishes what their nodes have issued."""
    return person.role in PUBLISHERS


def publish(session: Session, person: Person, report_id: int, *, by: Actor, now: datetime) -> ReportRow:
    """Publish a report: from now on those concerned are asked to confirm it.

    Raises:
        NotFound: not theirs to know about.
        NotPermitted: not for this role.
        Conflict: it is published already, or is not what was issued.
    """
    report = visible_report(session, person, report_id)
    if not may_publish(person):
        raise NotPermitted("Only officers of the grid, supervisors and administrators publish reports.")
    exclusive(session, f"report/{report.id}")
    if session.get(PublicationRow, report.id) is not None:
        raise Conflict("This report is published already.")
    if not intact(report):
        raise Conflict(DAMAGED)
    session.add(PublicationRow(report_id=report.id, person_id=person.id, at=now))
    asked = session.scalars(_concerned(session, report).order_by(PersonRow.id)).all()
    session.add_all(ReceiptRow(report_id=report.id, person_id=one, asked_at=now) for one in asked)
    record(
        session,
        by,
        "report_published",
        at=now,
        about=("report", report.id),
        reference=report.reference,
        asked=len(asked),
    )
    session.flush()
    return report


def acknowledge(
    session: Session, person: Person, report_id: int, *, note: str, by: Actor, now: datetime
) -> ReportRow:
    """Confirm that a published report was read.

    Raises:
        NotFound: not theirs to know about.
        NotPermitted: this person is not asked to confirm it.
        Conflict: they have confirmed it already.
    """
    report = visible_report(session, person, report_id)
    exclusive(session, f"report/{report.id}")
    receipt = session.get(ReceiptRow, (report.id, person.id))
    if receipt is None:
        raise NotPermitted("You are not among those who are asked to confirm this report.")
    if receipt.at is not None:
        raise Conflict("You have confirmed this report already.")
    receipt.at, receipt.note = now, note
    record(
        session,
        by,
        "report_acknowledged",
        at=now,
        about=("report", report.id),
        reference=report.reference,
    )
    session.flush()
    return report


def check_again(
    session: Session,
    person: Person,
    report_id: int,
    settings: ReportSettings,
    *,
    by: Actor,
    now: datetime,
) -> SupplementRow | None:
    """Compare a report with what is known now; a supplement where a line is different.

    Raises:
        NotFound: not theirs to know about.
        NotPermitted: not for this role.
        Conflict: it is a bulletin, or is not what was issued.
    """
    report = visible_report(session, person, report_id)
    if not may_publish(person):
        raise NotPermitted("Only officers of the grid, supervisors and administrators have reports checked.")
    if report.kind is ReportKind.BULLETIN:
        raise Conflict("A bulletin has no supplements; the reports of its week have.")
    exclusive(session, "report_clocks")
    if not intact(report):
        raise Conflict(DAMAGED)
    content = supplement_of(session, report, settings, now=now)
    return None if content is None else issue_supplement(session, report, content, by=by, now=now)


def _concerned(session: Session, report: ReportRow) -> Select[int]:
    """A bulletin goes down to every officer below; a report to its own officers and to those above."""
    node = session.get_one(NodeRow, report.node_id)
    officers = select(PersonRow.id).where(PersonRow.role == Role.GRID_OFFICER, ~PersonRow.disabled)
    if report.kind is ReportKind.BULLETIN:
        return officers.join(NodeRow, NodeRow.id == PersonRow.node_id).where(
            NodeRow.path.startswith(node.path, autoescape=True)
        )
    return officers.where(or_(PersonRow.node_id == node.id, PersonRow.node_id == node.parent_id))
