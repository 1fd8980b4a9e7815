"""A restaurant fills, hands in and corrects self-checks; each function is one step of a transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.evidence.upload import lock_content
from kitchen_watch.backend.forms.answers import Answer, Answers, Judgement, answers_of, judge
from kitchen_watch.backend.forms.content import FormContent, FormKind, ItemKind
from kitchen_watch.backend.forms.service import content_of, newest_version
from kitchen_watch.backend.forms.tables import CheckFormVersionRow
from kitchen_watch.backend.handling.photos import Photo, store
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.self_checks.calendar import Slot, asked_for, begins_at, read_period
from kitchen_watch.backend.self_checks.due import KINDS, NOBODY_CLOSED, closed_days
from kitchen_watch.backend.self_checks.schemas import OpenBody, PeriodAlert
from kitchen_watch.backend.self_checks.settings import SelfCheckSettings
from kitchen_watch.backend.self_checks.tables import SelfCheckPhotoRow, SelfCheckRow
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound, NotPermitted

MAX_PHOTOS = 40
MOST_ALERTS = 200
PREFILLED = ("risks", "open_risks", "measures")
"""Keys of text items into which the period's alerts are written to begin with, the first that there is."""

Summary = Callable[[Sequence[PeriodAlert]], str]
"""The period's alerts in a few words; belongs to the pages, which know the languages."""


def open_check(
    session: Session, by: Author, settings: SelfCheckSettings, body: OpenBody, *, summary: Summary
) -> SelfCheckRow:
    """The draft of a self-check, begun now unless it was before.

    Raises:
        InvalidRequest: there is no such day, week or month, or nobody asks for it.
        Conflict: it lies in the future, or its time to be handed in late is over.
    """
    premises = _own_premises(session, by.person)
    if body.kind not in KINDS or body.kind not in settings.kinds:
        raise InvalidRequest("A restaurant fills daily, weekly and monthly self-checks.")
    zone = zone_of(premises.time_zone)
    slot = read_period(body.kind, body.period, zone)
    if slot is None:
        raise InvalidRequest("There is no such day, week or month.")
    exclusive(session, f"self-checks/{premises.id}")
    known = session.scalars(
        select(SelfCheckRow)
        .where(
            SelfCheckRow.premises_id == premises.id,
            SelfCheckRow.kind == slot.kind,
            SelfCheckRow.period == slot.period,
        )
        .order_by(SelfCheckRow.revision.desc())
        .limit(1)
    ).one_or_none()
    if known is not None:
        return known
    if begins_at(slot, zone) > by.now:
        raise Conflict("This has not begun yet.")
    if slot.due_at + settings.late_within < by.now:
        raise Conflict("This is too long ago to be handed in now.")
    return _begin(session, by, premises, slot, summary)


def save(session: Session, by: Author, check_id: int, answers: Answers, version: int) -> SelfCheckRow:
    """Keep the answers of a draft.

    Raises:
        NotFound: it is not this restaurant's.
        Conflict: it was handed in, or somebody else saved it since.
        InvalidRequest: an answer cannot stand.
    """
    row = _draft(session, by.person, check_id, version)
    judgement = judge(form_of(session, row), answers, with_photo=_with_photo(session, row.id))
    if judgement.as_draft:
        problem = judgement.as_draft[0]
        raise InvalidRequest(f"{problem.item}: {problem.sentence}")
    row.answers = {key: answer.model_dump(mode="json") for key, answer in answers.items()}
    row.findings = len(judgement.bad)
    row.version, row.saved_at = row.version + 1, by.now
    session.flush()
    return row


def submit(session: Session, by: Author, check_id: int, version: int) -> SelfCheckRow:
    """Hand it in; from now on it never changes.

    Raises:
        NotFound: it is not this restaurant's.
        Conflict: it was handed in already, or somebody else saved it since.
        InvalidRequest: the form is not complete; the sentence names the items.
    """
    row = _draft(session, by.person, check_id, version)
    content = form_of(session, row)
    judgement = judgement_of(session, row)
    if not judgement.complete:
        names = {item.key: item.name for item in content.all_items()}
        missing = "、".join(names.get(one.item, one.item) for one in judgement.problems[:5])
        raise InvalidRequest(f"The form is not complete: {missing}.")
    premises = session.get_one(PremisesRow, row.premises_id)
    slot = read_period(row.kind, row.period, zone_of(premises.time_zone))
    if row.revision == 1 and slot is not None:
        row.alerts = [one.model_dump(mode="json") for one in period_alerts(session, premises, slot)]
    row.findings = len(judgement.bad)
    row.submitted_by, row.submitted_at, row.saved_at = by.person.id, by.now, by.now
    row.sha256 = seal(session, row)
    session.flush()
    by.note(
        session, "self_check_submitted", ("self_check", row.id), premises_id=row.premises_id,
        kind=row.kind.value, period=row.period, revision=row.revision, sha256=row.sha256,
    )  # fmt: skip
    return row


def correct(session: Session, by: Author, check_id: int, reason: str) -> SelfCheckRow:
    """A new version of something handed in: a draft that names the old one and begins with its answers.

    Raises:
        NotFound: it is not this restaurant's.
        Conflict: it was not handed in, or has a correction already.
    """
    old = _own_check(session, by.person, check_id)
    exclusive(session, f"self-checks/{old.premises_id}")
    if old.submitted_at is None:
        raise Conflict("This is still a draft; change it directly.")
    later = select(SelfCheckRow.id).where(SelfCheckRow.corrects_id == old.id)
    if session.scalar(later) is not None:
        raise Conflict("There is a correction of this already. Correct that one.")
    row = SelfCheckRow(
        premises_id=old.premises_id,
        node_id=old.node_id,
        kind=old.kind,
        period=old.period,
        revision=old.revision + 1,
        corrects_id=old.id,
        reason=reason,
        due_at=old.due_at,
        asked=old.asked,
        form_version_id=old.form_version_id,
        answers=old.answers,
        alerts=old.alerts,
        findings=old.findings,
        started_by=by.person.id,
        started_at=by.now,
        saved_at=by.now,
    )
    session.add(row)
    session.flush()
    for photo in photos_of(session, old.id):
        lock_content(session, photo.sha256)  # retention may remove it just now
        session.refresh(photo)
        session.add(
            SelfCheckPhotoRow(
                check_id=row.id,
                item=photo.item,
                person_id=photo.person_id,
                at=photo.at,
                sha256=photo.sha256,
                width=photo.width,
                height=photo.height,
                size_bytes=photo.size_bytes,
                deleted_at=photo.deleted_at,
            )
        )
    session.flush()
    by.note(
        session, "self_check_correction_begun", ("self_check", row.id), premises_id=row.premises_id,
        corrects=old.id, reason=reason,
    )  # fmt: skip
    return row


def add_photo(
    session: Session, by: Author, check_id: int, item: str, photo: Photo, directory: Path
) -> SelfCheckPhotoRow:
    """Keep a photo for an item of a draft; the same one twice is one.

    Raises:
        NotFound: it is not this restaurant's.
        Conflict: it was handed in, or there are too many photos.
        InvalidRequest: the form has no such item.
    """
    row = _own_check(session, by.person, check_id)
    if row.submitted_at is not None:
        raise Conflict("This was handed in; begin a correction to change it.")
    if item not in {one.key for one in form_of(session, row).all_items()}:
        raise InvalidRequest("This form has no such item.")
    there = photos_of(session, row.id)
    for known in there:
        if (known.item, known.sha256) == (item, photo.sha256):
            return known
    if len(there) >= MAX_PHOTOS:
        raise Conflict(f"This form has {MAX_PHOTOS} photos already.")
    lock_content(session, photo.sha256)  # retention may remove an older copy just now
    store(directory, photo)
    kept = SelfCheckPhotoRow(
        check_id=row.id,
        item=item,
        person_id=by.person.id,
        at=by.now,
        sha256=photo.sha256,
        width=photo.width,
        height=photo.height,
        size_bytes=len(photo.content),
    )
    session.add(kept)
    session.flush()
    return kept


def form_of(session: Session, row: SelfCheckRow) -> FormContent:
    """The form as it was when it was begun."""
    return content_of(session.get_one(CheckFormVersionRow, row.form_version_id))


def photos_of(session: Session, check_id: int) -> list[SelfCheckPhotoRow]:
    """Its photos, in order."""
    return list(
        session.scalars(
            select(SelfCheckPhotoRow)
            .where(SelfCheckPhotoRow.check_id == check_id)
            .order_by(SelfCheckPhotoRow.id)
        )
    )


def judgement_of(session: Session, row: SelfCheckRow) -> Judgement:
    """What its answers say against its form."""
    answers = answers_of(row.answers)
    return judge(form_of(session, row), answers, with_photo=_with_photo(session, row.id))


def period_alerts(session: Session, premises: PremisesRow, slot: Slot) -> list[PeriodAlert]:
    """Alerts found in the days of a slot, with their state now; false alarms and merged ones left out."""
    zone = zone_of(premises.time_zone)
    rows = session.scalars(
        select(AlertRow)
        .where(
            AlertRow.premises_id == premises.id,
            AlertRow.found_at >= begins_at(slot, zone),
            AlertRow.found_at <= slot.due_at,
            AlertRow.state.not_in((AlertState.FALSE_ALARM, AlertState.MERGED)),
        )
        .order_by(AlertRow.id)
        .limit(MOST_ALERTS)
    )
    return [
        PeriodAlert(alert_id=row.id, code=row.code, tier=row.tier, state=row.state, found_at=row.found_at)
        for row in rows
    ]


def seal(session: Session, row: SelfCheckRow) -> str:
    """SHA-256 of everything that was handed in, as canonical JSON."""
    form = session.get_one(CheckFormVersionRow, row.form_version_id)
    content = {
        "premises_id": row.premises_id,
        "kind": row.kind.value,
        "period": row.period,
        "revision": row.revision,
        "corrects_id": row.corrects_id,
        "form_sha256": form.sha256,
        "answers": row.answers,
        "alerts": row.alerts,
        "photos": [[photo.item, photo.sha256] for photo in photos_of(session, row.id)],
        "submitted_by": row.submitted_by,
        "submitted_at": None if row.submitted_at is None else row.submitted_at.isoformat(),
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _begin(session: Session, by: Author, premises: PremisesRow, slot: Slot, summary: Summary) -> SelfCheckRow:
    _, form = newest_version(session, FormKind(slot.kind))
    alerts = period_alerts(session, premises, slot)
    answers: dict[str, Any] = {}
    texts = [item.key for item in content_of(form).all_items() if item.kind is ItemKind.TEXT]
    wanted = next((key for key in PREFILLED if key in texts), None)
    if alerts and wanted is not None:
        answers[wanted] = Answer(value=summary(alerts)).model_dump(mode="json")
    row = SelfCheckRow(
        premises_id=premises.id,
        node_id=premises.node_id,
        kind=slot.kind,
        period=slot.period,
        revision=1,
        due_at=slot.due_at,
        asked=_is_asked(session, premises, slot),
        form_version_id=form.id,
        answers=answers,
        alerts=[one.model_dump(mode="json") for one in alerts],
        started_by=by.person.id,
        started_at=by.now,
        saved_at=by.now,
    )
    session.add(row)
    session.flush()
    return row


def _is_asked(session: Session, premises: PremisesRow, slot: Slot) -> bool:
    closed = closed_days(session, [premises.id], slot.due_at, slot.due_at).get(premises.id, NOBODY_CLOSED)
    begun = begins_at(slot, zone_of(premises.time_zone)) >= premises.created_at
    return begun and asked_for(slot, premises.hours, closed)


def _own_premises(session: Session, person: Person) -> PremisesRow:
    premises = None if person.premises_id is None else session.get(PremisesRow, person.premises_id)
    if premises is None or not person.is_premises_side:
        raise NotPermitted("Only the restaurant's own people may do this.")
    return premises


def _own_check(session: Session, person: Person, check_id: int) -> SelfCheckRow:
    premises = _own_premises(session, person)
    row = session.scalars(
        select(SelfCheckRow)
        .where(SelfCheckRow.id == check_id, SelfCheckRow.premises_id == premises.id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no self-check {check_id} that you may see.")
    return row


def _draft(session: Session, person: Person, check_id: int, version: int) -> SelfCheckRow:
    row = _own_check(session, person, check_id)
    if row.submitted_at is not None:
        raise Conflict("This was handed in and does not change any more. Begin a correction.")
    if row.version != version:
        raise Conflict("Somebody else has changed this meanwhile. Look at it again, then repeat your change.")
    return row


def _with_photo(session: Session, check_id: int) -> set[str]:
    return set(
        session.scalars(
            select(func.distinct(SelfCheckPhotoRow.item)).where(SelfCheckPhotoRow.check_id == check_id)
        )
    )
