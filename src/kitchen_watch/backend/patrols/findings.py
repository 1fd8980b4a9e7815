"""What a premises answers to a finding, and what the officer says to that."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.patrols.answer_photos import hand_in
from kitchen_watch.backend.patrols.checks import visible_check
from kitchen_watch.backend.patrols.schemas import AnswerBody, SettleBody
from kitchen_watch.backend.patrols.tables import PatrolCheckRow, PatrolFindingRow
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound, NotPermitted

MAX_ROUNDS = 20


def answer(session: Session, by: Author, finding_id: int, body: AnswerBody) -> PatrolCheckRow:
    """The premises says what it has done.

    Raises:
        NotPermitted: somebody else than the premises' own people.
        Conflict: it is settled, or waits for the officer.
        InvalidRequest: one of the photos is not there, or was handed in before.
    """
    row, check = for_answer(session, by, finding_id)
    if len(row.rounds) >= MAX_ROUNDS:
        raise Conflict("So many answers were given that somebody has to come and look.")
    hand_in(session, row, body.photo_ids)
    row.rounds = [
        *row.rounds,
        {
            "at": by.now.isoformat(),
            "person_id": by.person.id,
            "text": body.text,
            "judged_at": None,
            "judged_by": None,
            "accepted": None,
            "note": "",
        },
    ]
    row.answered_at = by.now
    by.note(session, "finding_answered", ("finding", row.id), premises_id=row.premises_id)
    session.flush()
    return check


def settle(session: Session, by: Author, finding_id: int, body: SettleBody) -> PatrolCheckRow:
    """Supervision staff: it is mended, or what is missing. It can be settled without an answer, too.

    Raises:
        NotPermitted: somebody of the premises.
        Conflict: it is settled, or there is no answer to refuse.
        InvalidRequest: refused without a word.
    """
    row, check = _locked(session, by, finding_id)
    if not by.person.is_regulator:
        raise NotPermitted("Only supervision staff may do this.")
    if row.settled_at is not None:
        raise Conflict("This finding is settled.")
    waiting = bool(row.rounds) and row.rounds[-1]["judged_at"] is None
    if not body.accepted and not waiting:
        raise Conflict("There is no answer to refuse.")
    if not body.accepted and not body.note:
        raise InvalidRequest("Say what is missing.")
    verdict = {
        "judged_at": by.now.isoformat(),
        "judged_by": by.person.id,
        "accepted": body.accepted,
        "note": body.note,
    }
    if waiting:
        row.rounds = [*row.rounds[:-1], row.rounds[-1] | verdict]
    else:
        seen = {"at": by.now.isoformat(), "person_id": by.person.id, "text": ""}
        row.rounds = [*row.rounds, seen | verdict]
    if body.accepted:
        row.settled_at = by.now
    action = "finding_settled" if body.accepted else "finding_returned"
    by.note(session, action, ("finding", row.id), premises_id=row.premises_id)
    session.flush()
    return check


def seen_by(session: Session, by: Author, finding_id: int) -> None:
    """Return if the finding exists in the author's scope.

    Raises:
        NotFound: it does not.
    """
    _found(session, by, finding_id, lock=False)


def for_answer(session: Session, by: Author, finding_id: int) -> tuple[PatrolFindingRow, PatrolCheckRow]:
    """A finding that waits for its premises, locked for the answer or for what goes into it.

    Raises:
        NotFound: there is none in the author's scope.
        NotPermitted: somebody else than the premises' own people.
        Conflict: it is settled, or waits for the officer.
    """
    row, check = _locked(session, by, finding_id)
    if not by.person.is_premises_side:
        raise NotPermitted("Only the restaurant's own people may do this.")
    if row.settled_at is not None:
        raise Conflict("This finding is settled.")
    if row.rounds and row.rounds[-1]["judged_at"] is None:
        raise Conflict("Your answer waits for the officer.")
    return row, check


def _locked(session: Session, by: Author, finding_id: int) -> tuple[PatrolFindingRow, PatrolCheckRow]:
    return _found(session, by, finding_id, lock=True)


def _found(
    session: Session, by: Author, finding_id: int, *, lock: bool
) -> tuple[PatrolFindingRow, PatrolCheckRow]:
    query = select(PatrolFindingRow).where(
        PatrolFindingRow.id == finding_id, by.person.scope.owned(PatrolFindingRow.premises_id)
    )
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"There is no finding {finding_id} that you may see.")
    return row, visible_check(session, by.person, row.check_id)
