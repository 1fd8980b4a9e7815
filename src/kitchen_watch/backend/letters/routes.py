"""Letters over the API: write, list, read, print, confirm."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import AnyPerson, Regulator, VisitorOf
from kitchen_watch.backend.bounds import MAX_ID, RowId
from kitchen_watch.backend.letters.issuing import issue_by_hand
from kitchen_watch.backend.letters.printing import letter_pdf
from kitchen_watch.backend.letters.schemas import AcknowledgeBody, LetterBody, LetterDetail, LetterPage
from kitchen_watch.backend.letters.service import acknowledge, visible_letter
from kitchen_watch.backend.letters.tables import LetterKind
from kitchen_watch.backend.letters.views import letter_detail, letter_page
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(prefix="/api/v1/letters", tags=["letters"])

_Id = Annotated[int, Path(ge=0, le=MAX_ID)]


@router.get("", summary="Letters")
def list_letters(
    person: AnyPerson,
    parts: PartsOf,
    *,
    kind: LetterKind | None = None,
    alert_id: Annotated[RowId | None, Query(description="only those about this alert")] = None,
    unconfirmed: Annotated[bool, Query(description="only those without a receipt")] = False,
    cursor: Annotated[RowId | None, Query(description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> LetterPage:
    """Letters in your scope, newest first. A restaurant sees those addressed to it."""
    with parts.database.read() as session:
        return letter_page(
            session,
            person,
            kind=kind,
            alert_id=alert_id,
            unconfirmed=unconfirmed,
            before=cursor,
            limit=limit,
        )


@router.post("", status_code=201, summary="Issue a letter")
def issue(body: LetterBody, _person: Regulator, write: Writing) -> LetterDetail:
    """A reminder letter (提醒函) or supervision notice (督办通知): numbered, sealed, for good."""

    def done(session: Session, by: Author) -> LetterDetail:
        row = issue_by_hand(session, by.person, body, by=by.actor, now=by.now)
        return letter_detail(session, by.person, row)

    return write.answer(body, LetterDetail, done)


@router.get("/{letter_id}", summary="One letter")
def get_letter(letter_id: _Id, person: AnyPerson, parts: PartsOf) -> LetterDetail:
    """What stands in it, whether it is intact, and its receipt."""
    with parts.database.read() as session:
        return letter_detail(session, person, visible_letter(session, person, letter_id))


@router.get(
    "/{letter_id}/pdf",
    summary="The letter as PDF",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
def get_pdf(letter_id: _Id, person: AnyPerson, visitor: VisitorOf, parts: PartsOf) -> Response:
    """Checked against its hash; the download is written down."""
    letter, file = letter_pdf(
        parts.database,
        person,
        letter_id,
        directory=parts.settings.letters_dir,
        by=Actor(person.id, visitor.address),
        now=parts.clock.now(),
    )
    name = quote(f"{letter.reference}.pdf")
    headers = {
        "content-disposition": f"inline; filename=letter-{letter.id}.pdf; filename*=UTF-8''{name}",
        "cache-control": "private, no-store",
    }
    return Response(file, media_type="application/pdf", headers=headers)


@router.post("/{letter_id}/acknowledge", summary="Confirm that it has arrived")
def confirm(letter_id: _Id, body: AcknowledgeBody, _person: AnyPerson, write: Writing) -> LetterDetail:
    """The restaurant's people, or for letters to the territory side its officers; once."""

    def done(session: Session, by: Author) -> LetterDetail:
        acknowledge(session, by.person, letter_id, note=body.note, by=by.actor, now=by.now)
        return letter_detail(session, by.person, visible_letter(session, by.person, letter_id))

    return write.answer(body, LetterDetail, done)
