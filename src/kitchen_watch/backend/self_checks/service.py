"""Self-checks as people read them, each within the own scope: to do, handed in, missing; and closures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.forms.answers import answers_of
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.forms.service import content_of
from kitchen_watch.backend.forms.tables import CheckFormVersionRow
from kitchen_watch.backend.organisations.places import place_names
from kitchen_watch.backend.organisations.service import subtree_ids
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.public.service import visible_premises
from kitchen_watch.backend.self_checks.calendar import asked_for, begins_at, slot_of
from kitchen_watch.backend.self_checks.due import (
    NOBODY_CLOSED,
    closed_days,
    due_slots,
    handed_in,
    premises_asked,
)
from kitchen_watch.backend.self_checks.figures import figures_of
from kitchen_watch.backend.self_checks.filling import judgement_of, period_alerts, photos_of
from kitchen_watch.backend.self_checks.schemas import (
    ClosureBody,
    ClosureView,
    DueList,
    DueView,
    MissingList,
    MissingView,
    PeriodAlert,
    SelfCheckBrief,
    SelfCheckDetail,
    SelfCheckPage,
    SelfCheckPhoto,
)
from kitchen_watch.backend.self_checks.settings import SelfCheckSettings
from kitchen_watch.backend.self_checks.tables import (
    ClosureRow,
    SelfCheckPhotoRow,
    SelfCheckReminderRow,
    SelfCheckRow,
)
from kitchen_watch.errors import InvalidRequest, NotFound

ONE_DAY = timedelta(days=1)
MOST_MISSING = 500


def check_page(
    session: Session,
    person: Person,
    *,
    premises_id: int | None = None,
    kind: FormKind | None = None,
    before: int | None = None,
    limit: int = 50,
) -> SelfCheckPage:
    """Those in scope with an id below ``before``, the newest first; drafts for the restaurant alone."""
    query = select(SelfCheckRow).where(_visible(person))
    if premises_id is not None:
        query = query.where(SelfCheckRow.premises_id == premises_id)
    if kind is not None:
        query = query.where(SelfCheckRow.kind == kind)
    if before is not None:
        query = query.where(SelfCheckRow.id < before)
    rows = list(session.scalars(query.order_by(SelfCheckRow.id.desc()).limit(limit + 1)))
    return SelfCheckPage(
        items=_briefs(session, rows[:limit]),
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


def visible_check(session: Session, person: Person, check_id: int) -> SelfCheckRow:
    """The self-check, if the person may read it.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(SelfCheckRow).where(SelfCheckRow.id == check_id, _visible(person))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no self-check {check_id} that you may see.")
    return row


def check_detail(session: Session, person: Person, row: SelfCheckRow) -> SelfCheckDetail:
    """One self-check with its form; a draft shows the period's alerts as they stand now."""
    form = session.get_one(CheckFormVersionRow, row.form_version_id)
    premises = session.get_one(PremisesRow, row.premises_id)
    content = content_of(form)
    draft = row.submitted_at is None
    alerts = [PeriodAlert.model_validate(one) for one in row.alerts]
    if draft and row.revision == 1:
        zone = zone_of(premises.time_zone)
        slot = slot_of(row.kind, row.due_at.astimezone(zone).date(), zone)
        alerts = period_alerts(session, premises, slot)
    later = session.scalar(select(SelfCheckRow.id).where(SelfCheckRow.corrects_id == row.id))
    own = person.is_premises_side
    return SelfCheckDetail(
        **_briefs(session, [row])[0].model_dump(),
        form_name=content.name,
        form_version=form.version,
        form_sha256=form.sha256,
        content=content,
        answers=answers_of(row.answers),
        problems={one.item: one.sentence for one in judgement_of(session, row).problems} if draft else {},
        alerts=alerts,
        photos=[photo_view(photo) for photo in photos_of(session, row.id)],
        version=row.version,
        corrects_id=row.corrects_id,
        corrected_by_id=later,
        reason=row.reason,
        sha256=row.sha256,
        may_edit=own and draft,
        may_correct=own and not draft and later is None,
    )


def photo_view(row: SelfCheckPhotoRow) -> SelfCheckPhoto:
    """A photo and where to look at it."""
    return SelfCheckPhoto(
        photo_id=row.id,
        item=row.item,
        url=f"/api/v1/self-checks/{row.check_id}/photos/{row.id}" if row.deleted_at is None else None,
        deleted_at=row.deleted_at,
        width=row.width,
        height=row.height,
    )


def photo_of(session: Session, by: Author, check_id: int, photo_id: int) -> SelfCheckPhotoRow:
    """A photo of a self-check in scope; that somebody looks at it is written down.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = visible_check(session, by.person, check_id)
    photo = session.get(SelfCheckPhotoRow, photo_id)
    if photo is None or photo.check_id != row.id:
        raise NotFound("There is no such photo.")
    if photo.deleted_at is not None:
        raise NotFound("This photo was deleted by policy; its hash stays.")
    by.note(
        session, "self_check_photo_viewed", ("self_check", row.id), premises_id=row.premises_id,
        sha256=photo.sha256,
    )  # fmt: skip
    return photo


def to_do(session: Session, person: Person, settings: SelfCheckSettings, *, now: datetime) -> DueList:
    """What this restaurant has to do now, and what it missed and can still hand in; the oldest first."""
    if person.premises_id is None:
        return DueList(items=[])
    chosen = PremisesRow.id == person.premises_id
    asked = premises_asked(session, chosen)
    if not asked:
        return DueList(items=[])
    since_at, ids = now - settings.late_within, [person.premises_id]
    closed = closed_days(session, ids, since_at, now + timedelta(days=31))
    zone = zone_of(asked[0].time_zone)
    slots = next(slots for _, slots in due_slots(asked, closed, settings.kinds, since_at, now))
    today = now.astimezone(zone).date()
    shut = closed.get(person.premises_id, NOBODY_CLOSED)
    slots = [*slots]
    for kind in settings.kinds:
        slot = slot_of(kind, today, zone)
        begun = begins_at(slot, zone) >= asked[0].created_at
        if slot.due_at >= now and begun and asked_for(slot, asked[0].hours, shut):
            slots.append(slot)
    known = {
        (row.kind, row.period): row
        for row in session.scalars(
            select(SelfCheckRow).where(
                SelfCheckRow.premises_id == person.premises_id,
                SelfCheckRow.due_at >= since_at,
                SelfCheckRow.revision == 1,
            )
        )
    }
    found = []
    for slot in slots:
        row = known.get((slot.kind, slot.period))
        if row is None or row.submitted_at is None:
            found.append(
                DueView(
                    kind=slot.kind,
                    period=slot.period,
                    due_at=slot.due_at,
                    overdue=slot.due_at < now,
                    check_id=None if row is None else row.id,
                )
            )
    return DueList(items=found)


def missing_list(
    session: Session,
    person: Person,
    settings: SelfCheckSettings,
    *,
    since_at: datetime,
    until_at: datetime,
    node_id: int | None = None,
) -> MissingList:
    """What was due in the half-open span and did not come, by grid; ``until_at`` is not in the future."""
    chosen = person.scope.premises()
    if node_id is not None:
        chosen &= PremisesRow.node_id.in_(subtree_ids(node_id))
    ids = select(PremisesRow.id).where(chosen)
    closed = closed_days(session, ids, since_at, until_at)
    came = handed_in(session, ids, since_at, until_at)
    asked = premises_asked(session, chosen)
    missing = [
        (one, slot)
        for one, slots in due_slots(asked, closed, settings.kinds, since_at, until_at)
        for slot in slots
        if (one.premises_id, slot.kind, slot.period) not in came
    ]
    figures = figures_of(session, chosen, since_at, until_at, kinds=settings.kinds)
    missing.sort(key=lambda found: (found[0].node_id, found[0].premises_id, found[1].due_at))
    shown = missing[:MOST_MISSING]
    grids = place_names(session, {one.node_id for one, _ in shown})
    wanted = {one.premises_id for one, _ in shown}
    names = dict(
        session.execute(select(PremisesRow.id, PremisesRow.name).where(PremisesRow.id.in_(wanted))).all()
    )
    reminded = {
        (row.premises_id, row.kind, row.period): row.at
        for row in session.scalars(
            select(SelfCheckReminderRow).where(
                SelfCheckReminderRow.premises_id.in_(wanted), SelfCheckReminderRow.at >= since_at - ONE_DAY
            )
        )
    }
    return MissingList(
        since_at=since_at,
        until_at=until_at,
        due=figures.due,
        submitted=figures.submitted,
        late=figures.late,
        missing=figures.missing,
        items=[
            MissingView(
                premises_id=one.premises_id,
                premises=names[one.premises_id],
                node_id=one.node_id,
                grid=grids[one.node_id],
                kind=slot.kind,
                period=slot.period,
                due_at=slot.due_at,
                reminded_at=reminded.get((one.premises_id, slot.kind, slot.period)),
            )
            for one, slot in shown
        ],
        more=len(missing) > len(shown),
    )


def add_closure(session: Session, by: Author, body: ClosureBody) -> ClosureView:
    """Days on which a premises is closed; a restaurant announces its own, from today on.

    Raises:
        InvalidRequest: an officer named no premises, or a restaurant a day that is over.
        NotFound: there is no such premises in the person's scope.
    """
    own = by.person.premises_id if by.person.is_premises_side else None
    premises_id = own if own is not None else body.premises_id
    if premises_id is None:
        raise InvalidRequest("Name the premises.")
    premises = visible_premises(session, by.person, premises_id)
    today = by.now.astimezone(zone_of(premises.time_zone)).date()
    if own is not None and body.first_day < today:
        raise InvalidRequest("Closed days are announced beforehand. Ask your officer about past ones.")
    row = ClosureRow(
        premises_id=premises.id,
        first_day=body.first_day,
        last_day=body.last_day,
        reason=body.reason,
        person_id=by.person.id,
        at=by.now,
    )
    session.add(row)
    session.flush()
    by.note(
        session, "closure_entered", ("closure", row.id), premises_id=premises.id,
        first_day=body.first_day.isoformat(), last_day=body.last_day.isoformat(), reason=body.reason,
    )  # fmt: skip
    return closures(session, by.person, premises.id)[0]


def closures(session: Session, person: Person, premises_id: int) -> list[ClosureView]:
    """Closed days of a premises, the newest entry first.

    Raises:
        NotFound: there is no such premises in the person's scope.
    """
    premises = visible_premises(session, person, premises_id)
    rows = session.execute(
        select(ClosureRow, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == ClosureRow.person_id)
        .where(ClosureRow.premises_id == premises.id)
        .order_by(ClosureRow.id.desc())
        .limit(100)
    )
    return [
        ClosureView(
            id=row.id,
            premises_id=row.premises_id,
            first_day=row.first_day,
            last_day=row.last_day,
            reason=row.reason,
            entered_by=name,
            at=row.at,
        )
        for row, name in rows
    ]


def _visible(person: Person) -> ColumnElement[bool]:
    mine = person.scope.owned(SelfCheckRow.premises_id)
    if person.is_premises_side:
        return mine
    return mine & SelfCheckRow.submitted_at.is_not(None)


def _briefs(session: Session, rows: Sequence[SelfCheckRow]) -> list[SelfCheckBrief]:
    ids = {row.premises_id for row in rows}
    names = dict(
        session.execute(select(PremisesRow.id, PremisesRow.name).where(PremisesRow.id.in_(ids))).all()
    )
    wanted = {row.submitted_by for row in rows} - {None}
    people = dict(
        session.execute(select(PersonRow.id, PersonRow.display_name).where(PersonRow.id.in_(wanted))).all()
    )
    return [
        SelfCheckBrief(
            id=row.id,
            premises_id=row.premises_id,
            premises=names[row.premises_id],
            kind=row.kind,
            period=row.period,
            revision=row.revision,
            due_at=row.due_at,
            submitted_at=row.submitted_at,
            submitted_by=None if row.submitted_by is None else people.get(row.submitted_by),
            late=row.revision == 1 and row.submitted_at is not None and row.submitted_at > row.due_at,
            findings=row.findings,
        )
        for row in rows
    ]
