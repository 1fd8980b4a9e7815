"""Issue, read, confirm and print letters; who may see which is decided by scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.letters.content import Facts, Matter, compose, reference_of
from kitchen_watch.backend.letters.tables import (
    LetterAlertRow,
    LetterCounterRow,
    LetterKind,
    LetterReceiptRow,
    LetterRow,
)
from kitchen_watch.backend.organisations.tables import CameraRow, NodeRow, PremisesRow
from kitchen_watch.backend.pages import wording
from kitchen_watch.backend.pages.languages import languages
from kitchen_watch.errors import Conflict, NotFound, NotPermitted

CONFIRMS_FOR_TERRITORY = frozenset({Role.GRID_OFFICER, Role.RESPONSIBLE_OFFICIAL})


@dataclass(frozen=True, slots=True)
class Draft:
    """What a letter is to say. ``node_id`` issues it; ``level`` is that of a supervision."""

    kind: LetterKind
    node_id: int
    premises_side: bool
    alerts: Sequence[AlertRow]
    deadline_at: datetime | None
    text: str = ""
    level: int = 0
    notice_id: int | None = None


def issue_letter(session: Session, draft: Draft, *, by: Actor, now: datetime) -> LetterRow:
    """Number it, seal it, write it down. All alerts are of one premises.

    The number is taken in the caller's transaction and given back with it: no gaps, none twice.
    """
    first = draft.alerts[0]
    premises = session.get_one(PremisesRow, first.premises_id)
    issuer = session.get_one(NodeRow, draft.node_id)
    zone = zone_of(premises.time_zone)
    year = now.astimezone(zone).year
    number = _next_number(session, draft, year)
    reference = reference_of(draft.kind, issuer.name, year, number)
    addressee = premises.name if draft.premises_side else session.get_one(NodeRow, first.node_id).name
    content = compose(
        Facts(
            kind=draft.kind,
            reference=reference,
            addressee=addressee,
            premises=premises.name,
            premises_side=draft.premises_side,
            matters=_matters(session, draft.alerts),
            deadline_at=draft.deadline_at,
            level=draft.level,
            text=draft.text,
            issuer=issuer.name,
            issued_at=now,
            zone=zone,
        )
    )
    row = LetterRow(
        kind=draft.kind,
        node_id=draft.node_id,
        year=year,
        number=number,
        reference=reference,
        premises_id=premises.id,
        premises_side=draft.premises_side,
        addressee=addressee,
        deadline_at=draft.deadline_at,
        notice_id=draft.notice_id,
        issued_by=by.person_id,
        issued_at=now,
        content=content.model_dump(),
        content_sha256=content.sha256,
    )
    session.add(row)
    session.flush()
    session.add_all(LetterAlertRow(letter_id=row.id, alert_id=alert.id) for alert in draft.alerts)
    record(
        session,
        by,
        "letter_issued",
        at=now,
        about=("letter", row.id),
        premises_id=premises.id,
        reference=reference,
        sha256=row.content_sha256,
    )
    session.flush()
    return row


def letters_for(person: Person) -> ColumnElement[bool]:
    """Condition on :class:`LetterRow`: what this person may read; a restaurant its own mail only."""
    mine = person.scope.owned(LetterRow.premises_id)
    return mine & LetterRow.premises_side.is_(True) if person.is_premises_side else mine


def visible_letter(session: Session, person: Person, letter_id: int) -> LetterRow:
    """The letter, if this person may read it.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(LetterRow).where(LetterRow.id == letter_id, letters_for(person))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no letter {letter_id} that you may see.")
    return row


def may_acknowledge(person: Person, letter: LetterRow) -> bool:
    """Whether a receipt by this person is worth something: the addressee's side, never the issuer."""
    if letter.premises_side:
        return person.is_premises_side
    return person.role in CONFIRMS_FOR_TERRITORY and person.id != letter.issued_by


def acknowledge(
    session: Session, person: Person, letter_id: int, *, note: str, by: Actor, now: datetime
) -> LetterReceiptRow:
    """Confirm that the letter has arrived; the first receipt counts.

    Raises:
        NotFound: not theirs to know about.
        NotPermitted: the letter is for others.
        Conflict: somebody has confirmed it already.
    """
    letter = visible_letter(session, person, letter_id)
    if not may_acknowledge(person, letter):
        raise NotPermitted("Only those to whom the letter is addressed can confirm that it has arrived.")
    exclusive(session, f"letter/{letter.id}")
    if session.get(LetterReceiptRow, letter.id) is not None:
        raise Conflict("This letter has been confirmed already.")
    receipt = LetterReceiptRow(letter_id=letter.id, person_id=person.id, at=now, note=note)
    session.add(receipt)
    record(
        session,
        by,
        "letter_acknowledged",
        at=now,
        about=("letter", letter.id),
        premises_id=letter.premises_id,
        reference=letter.reference,
    )
    session.flush()
    return receipt


def _next_number(session: Session, draft: Draft, year: int) -> int:
    exclusive(session, f"letters/{draft.node_id}/{draft.kind}/{year}")
    key = (draft.node_id, draft.kind, year)
    counter = session.get(LetterCounterRow, key, populate_existing=True)
    if counter is None:
        counter = LetterCounterRow(node_id=draft.node_id, kind=draft.kind, year=year, last=0)
        session.add(counter)
    counter.last += 1
    session.flush()
    return counter.last


def _matters(session: Session, alerts: Sequence[AlertRow]) -> list[Matter]:
    chinese = languages()["zh"]
    cameras = {
        row.camera_id: row.name
        for row in session.scalars(
            select(CameraRow).where(CameraRow.camera_id.in_({alert.camera_id for alert in alerts}))
        )
    }
    return [
        Matter(
            alert_id=alert.id,
            found_at=alert.found_at,
            camera=cameras.get(alert.camera_id, alert.camera_id),
            problem=chinese.gettext(wording.CODES[alert.code]) if alert.code in wording.CODES else alert.code,
            tier=alert.tier,
            suspected=alert.state is AlertState.PENDING_VERIFICATION,
        )
        for alert in alerts
    ]
