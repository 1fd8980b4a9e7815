"""Reports as they are shown, over the API and on pages."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.service import subtree_ids
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.reports.content import ReportContent, SupplementContent
from kitchen_watch.backend.reports.schemas import (
    ReceiptView,
    ReportDetail,
    ReportPage,
    ReportView,
    SupplementView,
)
from kitchen_watch.backend.reports.service import intact, may_publish, reports_for, supplements_of
from kitchen_watch.backend.reports.tables import (
    PublicationRow,
    ReceiptRow,
    ReportKind,
    ReportRow,
    SupplementRow,
)


def report_page(
    session: Session,
    person: Person,
    *,
    kinds: Sequence[ReportKind],
    node_id: int | None = None,
    below: bool = True,
    to_confirm: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> ReportPage:
    """Reports that this person may read, with an id below ``before``, newest first."""
    query = select(ReportRow).where(reports_for(person), ReportRow.kind.in_(kinds))
    if node_id is not None:
        wanted = subtree_ids(node_id) if below else [node_id]
        query = query.where(ReportRow.node_id.in_(wanted))
    if to_confirm:
        mine = select(ReceiptRow.report_id).where(ReceiptRow.person_id == person.id, ReceiptRow.at.is_(None))
        query = query.where(ReportRow.id.in_(mine))
    if before is not None:
        query = query.where(ReportRow.id < before)
    rows = list(session.scalars(query.order_by(ReportRow.id.desc()).limit(limit + 1)))
    return ReportPage(
        items=report_views(session, person, rows[:limit]),
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


def report_views(session: Session, person: Person, rows: Sequence[ReportRow]) -> list[ReportView]:
    """As they stand in a list, in a few queries."""
    ids = [row.id for row in rows]
    names = dict(
        session.execute(
            select(NodeRow.id, NodeRow.name).where(NodeRow.id.in_({row.node_id for row in rows}))
        ).all()
    )
    supplements = dict(
        session.execute(
            select(SupplementRow.report_id, func.count())
            .where(SupplementRow.report_id.in_(ids))
            .group_by(SupplementRow.report_id)
        ).all()
    )
    published = {
        report_id: (at, name)
        for report_id, at, name in session.execute(
            select(PublicationRow.report_id, PublicationRow.at, PersonRow.display_name)
            .join(PersonRow, PersonRow.id == PublicationRow.person_id)
            .where(PublicationRow.report_id.in_(ids))
        )
    }
    asked = {
        report_id: (many, confirmed)
        for report_id, many, confirmed in session.execute(
            select(ReceiptRow.report_id, func.count(), func.count(ReceiptRow.at))
            .where(ReceiptRow.report_id.in_(ids))
            .group_by(ReceiptRow.report_id)
        )
    }
    mine = set(
        session.scalars(
            select(ReceiptRow.report_id).where(
                ReceiptRow.report_id.in_(ids), ReceiptRow.person_id == person.id, ReceiptRow.at.is_(None)
            )
        )
    )
    return [
        ReportView(
            id=row.id,
            kind=row.kind,
            reference=row.reference,
            node_id=row.node_id,
            node=names[row.node_id],
            day=row.day,
            since_at=row.since_at,
            until_at=row.until_at,
            issued_at=row.issued_at,
            supplements=supplements.get(row.id, 0),
            published_at=published.get(row.id, (None, None))[0],
            published_by=published.get(row.id, (None, None))[1],
            confirmed=asked.get(row.id, (0, 0))[1],
            asked=asked.get(row.id, (0, 0))[0],
            can_acknowledge=row.id in mine,
        )
        for row in rows
    ]


def report_detail(session: Session, person: Person, row: ReportRow) -> ReportDetail:
    """One report in full, with its supplements and who has confirmed it."""
    view = report_views(session, person, [row])[0]
    receipts = session.execute(
        select(ReceiptRow, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == ReceiptRow.person_id)
        .where(ReceiptRow.report_id == row.id)
        .order_by(ReceiptRow.at.is_not(None), PersonRow.id)
    )
    return ReportDetail(
        **view.model_dump(),
        content=ReportContent.model_validate_json(row.content),
        sha256=row.sha256,
        intact=intact(row),
        supplement_list=[supplement_view(one) for one in supplements_of(session, row.id)],
        receipts=[
            ReceiptView(
                person=name,
                asked_at=receipt.asked_at,
                at=receipt.at,
                note=receipt.note,
                reminders=receipt.reminders,
            )
            for receipt, name in receipts
        ],
        can_publish=view.published_at is None and may_publish(person),
    )


def supplement_view(row: SupplementRow) -> SupplementView:
    """One supplement."""
    return SupplementView(
        number=row.number,
        issued_at=row.issued_at,
        content=SupplementContent.model_validate_json(row.content),
        sha256=row.sha256,
        intact=intact(row),
    )
