"""Fill, hand in and withdraw a check; each function is one step of a transaction."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.forms.answers import Answer, Judgement, answers_of, judge, refuse
from kitchen_watch.backend.forms.content import FormContent
from kitchen_watch.backend.forms.service import content_of
from kitchen_watch.backend.forms.tables import CheckFormVersionRow
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.patrols.queue import purpose_of
from kitchen_watch.backend.patrols.schemas import CompleteBody, DraftBody, FindingBody, WithdrawBody
from kitchen_watch.backend.patrols.settings import PatrolSettings
from kitchen_watch.backend.patrols.tables import (
    CheckState,
    PatrolCheckRow,
    PatrolFindingRow,
    PatrolPictureRow,
)
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound, NotPermitted

END_OF_DAY = time(23, 59, 59)


def visible(person: Person) -> ColumnElement[bool]:
    """Condition on checks. The premises sees what was completed about it, and what was announced to it."""
    owned = person.scope.owned(PatrolCheckRow.premises_id)
    if not person.is_premises_side:
        return owned
    return and_(owned, _told_to_premises())


def visible_check(session: Session, person: Person, check_id: int) -> PatrolCheckRow:
    """A check that this person may see.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(PatrolCheckRow).where(PatrolCheckRow.id == check_id, visible(person))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no check {check_id} that you may see.")
    return row


def my_open_check(
    session: Session, by: Author, settings: PatrolSettings, check_id: int, *, version: int | None = None
) -> PatrolCheckRow:
    """A check that the author fills, for a change; working on it keeps it from lapsing.

    One that has lapsed goes on if nobody else has taken the premises meanwhile: what was written is
    not lost.

    Raises:
        NotFound: it is not theirs to know about.
        NotPermitted: somebody else fills it.
        Conflict: it is finished, lapsed, or was changed meanwhile.
    """
    visible_check(session, by.person, check_id)
    row = session.scalars(
        select(PatrolCheckRow)
        .where(PatrolCheckRow.id == check_id)
        .with_for_update()
        .execution_options(populate_existing=True)  # not as it was before the lock
    ).one()
    if row.person_id != by.person.id:
        raise NotPermitted("Only who has taken this check may fill it.")
    if row.state not in {CheckState.OPEN, CheckState.LAPSED}:
        raise Conflict("This check is finished.")
    if version is not None and row.version != version and row.state is CheckState.OPEN:
        raise Conflict("This check was changed meanwhile, perhaps in another window. Look at it again.")
    if row.state is CheckState.LAPSED:
        if _others(session, row):
            raise Conflict("This check has lapsed, and somebody else has taken the premises since.")
        row.state, row.finished_at = CheckState.OPEN, None
    row.lapses_at = max(row.lapses_at, by.now + settings.claim)
    return row


def save_draft(
    session: Session, by: Author, settings: PatrolSettings, check_id: int, body: DraftBody
) -> PatrolCheckRow:
    """Keep the answers so far.

    Raises:
        InvalidRequest: an answer that even a draft cannot have.
    """
    row = my_open_check(session, by, settings, check_id, version=body.version)
    judged = _keep(session, row, body.answers)
    refuse(judged.as_draft)
    return row


def complete(
    session: Session, by: Author, settings: PatrolSettings, check_id: int, body: CompleteBody
) -> PatrolCheckRow:
    """Hand the form in. Every answer that is not in order becomes a finding with a deadline.

    Raises:
        InvalidRequest: items are missing or cannot stand; a deadline lies in the past.
        Conflict: the check is planned for later.
    """
    row = my_open_check(session, by, settings, check_id, version=body.version)
    if row.planned_at is not None and row.planned_at > by.now:
        raise Conflict("This check is planned for later; it cannot be finished before.")
    judged = _keep(session, row, body.answers)
    refuse(judged.problems)
    premises = session.get_one(PremisesRow, row.premises_id)
    given = {one.item: one for one in body.findings if one.item}
    bad = {one.item: one for one in judged.bad}
    if foreign := sorted(set(given) - set(bad)):
        raise InvalidRequest(
            f"{len(foreign)} findings belong to items that are in order.",
            fields={f"findings.{item}": "This item is in order; it has no finding." for item in foreign},
        )
    for item, answer in bad.items():
        said = given.get(item, FindingBody(item=item))
        _add_finding(session, row, said, by, settings, premises, value=answer.value, note=answer.note)
    for said in body.findings:
        if not said.item:
            if not said.text:
                raise InvalidRequest("A finding besides the items needs a few words.")
            _add_finding(session, row, said, by, settings, premises, value="", note="")
    row.findings = len(bad) + sum(1 for one in body.findings if not one.item)
    row.state, row.finished_at = CheckState.COMPLETED, by.now
    by.note(
        session,
        "patrol_completed",
        ("patrol", row.id),
        premises_id=row.premises_id,
        purpose=purpose_of(row.id),
        findings=row.findings,
    )
    session.flush()
    return row


def withdraw(
    session: Session, by: Author, settings: PatrolSettings, check_id: int, body: WithdrawBody
) -> PatrolCheckRow:
    """Give the premises back to the queue, with the reason."""
    row = my_open_check(session, by, settings, check_id, version=body.version)
    row.state, row.finished_at, row.note = CheckState.WITHDRAWN, by.now, body.note
    row.version += 1
    by.note(session, "patrol_withdrawn", ("patrol", row.id), premises_id=row.premises_id, purpose=body.note)
    session.flush()
    return row


def form_of(session: Session, row: PatrolCheckRow) -> FormContent:
    """The form that a check is filled with."""
    return content_of(session.get_one(CheckFormVersionRow, row.form_version_id))


def judged(session: Session, row: PatrolCheckRow) -> Judgement:
    """What the answers say as they stand."""
    return judge(form_of(session, row), answers_of(row.answers), with_photo=_with_photo(session, row))


def due_at(day: date, zone: ZoneInfo) -> datetime:
    """The last second of a local day.

    Raises:
        InvalidRequest: the calendar ends there.
    """
    try:
        return datetime.combine(day, END_OF_DAY, zone).astimezone(UTC)
    except OverflowError:
        raise InvalidRequest("This day does not exist in UTC.") from None


def _keep(session: Session, row: PatrolCheckRow, answers: dict[str, Answer]) -> Judgement:
    row.answers = {key: one.model_dump(mode="json") for key, one in answers.items()}
    found = judged(session, row)
    row.answered = found.answered
    row.version += 1
    session.flush()
    return found


def _add_finding(
    session: Session,
    row: PatrolCheckRow,
    said: FindingBody,
    by: Author,
    settings: PatrolSettings,
    premises: PremisesRow,
    *,
    value: str,
    note: str,
) -> None:
    zone = ZoneInfo(premises.time_zone)
    day = said.due_on or by.now.astimezone(zone).date() + timedelta(days=settings.finding_days)
    until = due_at(day, zone)
    if until < by.now:
        raise InvalidRequest("A deadline lies in the past.")
    session.add(
        PatrolFindingRow(
            check_id=row.id,
            premises_id=row.premises_id,
            item=said.item,
            value=value,
            text=said.text or note,
            due_at=until,
            rounds=[],
        )
    )


def _with_photo(session: Session, row: PatrolCheckRow) -> set[str]:
    return set(
        session.scalars(select(PatrolPictureRow.item).where(PatrolPictureRow.check_id == row.id).distinct())
    )


def _others(session: Session, row: PatrolCheckRow) -> bool:
    return (
        session.scalars(
            select(PatrolCheckRow.id)
            .where(PatrolCheckRow.premises_id == row.premises_id, PatrolCheckRow.id > row.id)
            .limit(1)
        ).first()
        is not None
    )


def _told_to_premises() -> ColumnElement[bool]:
    return or_(
        PatrolCheckRow.state == CheckState.COMPLETED,
        and_(PatrolCheckRow.announced == true(), PatrolCheckRow.state == CheckState.OPEN),
    )
