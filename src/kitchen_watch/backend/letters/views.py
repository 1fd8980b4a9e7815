"""Letters as they are shown, over the API and on pages."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.letters.content import LetterContent
from kitchen_watch.backend.letters.schemas import LetterDetail, LetterPage, LetterView, ReceiptView
from kitchen_watch.backend.letters.service import letters_for, may_acknowledge
from kitchen_watch.backend.letters.tables import (
    LetterAlertRow,
    LetterKind,
    LetterPdfRow,
    LetterReceiptRow,
    LetterRow,
)
from kitchen_watch.backend.organisations.tables import PremisesRow


def letter_page(
    session: Session,
    person: Person,
    *,
    kind: LetterKind | None = None,
    alert_id: int | None = None,
    unconfirmed: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> LetterPage:
    """Letters that this person may read, with an id below ``before``, newest first."""
    query = select(LetterRow).where(letters_for(person))
    if kind is not None:
        query = query.where(LetterRow.kind == kind)
    if alert_id is not None:
        about = select(LetterAlertRow.letter_id).where(LetterAlertRow.alert_id == alert_id)
        query = query.where(LetterRow.id.in_(about))
    if unconfirmed:
        query = query.where(LetterRow.id.not_in(select(LetterReceiptRow.letter_id)))
    if before is not None:
        query = query.where(LetterRow.id < before)
    rows = list(session.scalars(query.order_by(LetterRow.id.desc()).limit(limit + 1)))
    return LetterPage(
        items=letter_views(session, person, rows[:limit]),
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


def letter_views(session: Session, person: Person, rows: Sequence[LetterRow]) -> list[LetterView]:
    """As they stand in a list, in a few queries."""
    ids = [row.id for row in rows]
    about: dict[int, list[int]] = {key: [] for key in ids}
    for link in session.scalars(
        select(LetterAlertRow).where(LetterAlertRow.letter_id.in_(ids)).order_by(LetterAlertRow.alert_id)
    ):
        about[link.letter_id].append(link.alert_id)
    receipts = {
        receipt.letter_id: receipt
        for receipt in session.scalars(select(LetterReceiptRow).where(LetterReceiptRow.letter_id.in_(ids)))
    }
    people = {row.issued_by for row in rows} | {receipt.person_id for receipt in receipts.values()}
    names = dict(
        session.execute(
            select(PersonRow.id, PersonRow.display_name).where(PersonRow.id.in_(people - {None}))
        ).all()
    )
    premises = dict(
        session.execute(
            select(PremisesRow.id, PremisesRow.name).where(
                PremisesRow.id.in_({row.premises_id for row in rows})
            )
        ).all()
    )
    views = []
    for row in rows:
        receipt = receipts.get(row.id)
        views.append(
            LetterView(
                id=row.id,
                kind=row.kind,
                reference=row.reference,
                premises_id=row.premises_id,
                premises=premises[row.premises_id],
                addressee=row.addressee,
                premises_side=row.premises_side,
                alert_ids=about[row.id],
                deadline_at=row.deadline_at,
                issued_by=None if row.issued_by is None else names.get(row.issued_by),
                issued_at=row.issued_at,
                receipt=None
                if receipt is None
                else ReceiptView(person=names.get(receipt.person_id, ""), at=receipt.at, note=receipt.note),
                can_acknowledge=receipt is None and may_acknowledge(person, row),
            )
        )
    return views


def letter_detail(session: Session, person: Person, row: LetterRow) -> LetterDetail:
    """One letter in full."""
    content = LetterContent.model_validate(row.content)
    pdf = session.get(LetterPdfRow, row.id)
    return LetterDetail(
        **letter_views(session, person, [row])[0].model_dump(),
        content=content,
        content_sha256=row.content_sha256,
        intact=content.sha256 == row.content_sha256,
        pdf_sha256=pdf.sha256 if pdf is not None else None,
    )
