"""The fair queue: whose turn it is, and taking a premises so that nobody else gets it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.forms.service import content_of, newest_version
from kitchen_watch.backend.organisations.places import place_names
from kitchen_watch.backend.organisations.service import subtree_ids
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.patrols.roster import Swept, swept_premises
from kitchen_watch.backend.patrols.schemas import (
    NextBody,
    PersonBrief,
    PremisesShort,
    QueueItem,
    QueueView,
    StartBody,
)
from kitchen_watch.backend.patrols.settings import PatrolSettings
from kitchen_watch.backend.patrols.sweep import in_order
from kitchen_watch.backend.patrols.tables import CheckReason, CheckState, PatrolCheckRow
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

LOCK = "patrols"
FARTHEST = timedelta(days=366)
"""Nobody knows whom a check that is planned for later than this would find."""


def queue_view(
    session: Session,
    person: Person,
    settings: PatrolSettings,
    *,
    now: datetime,
    node_id: int | None = None,
    limit: int = 50,
) -> QueueView:
    """The queue of everything this person answers for, or of a part of it."""
    swept = ordered(swept_premises(session, settings, within(person, node_id)))
    shown = swept[:limit]
    ids = [one.place.premises_id for one in shown]
    premises = premises_short(session, ids)
    cameras = camera_counts(session, ids)
    taken = _taken(session, ids, now)
    return QueueView(
        items=[
            QueueItem(
                premises=premises[one.place.premises_id],
                last_looked_at=one.place.last_at,
                target_at=one.place.target_at,
                limit_at=one.place.limit_at,
                cameras=cameras.get(one.place.premises_id, 0),
                taken_by=taken.get(one.place.premises_id),
            )
            for one in shown
        ],
        total=len(swept),
        due=sum(one.place.target_at <= now for one in swept),
        late=sum(one.place.limit_at < now for one in swept),
    )


def take_next(session: Session, by: Author, settings: PatrolSettings, body: NextBody) -> PatrolCheckRow:
    """Take the premises whose limit comes first. Who holds one from the queue already gets that one.

    An online patrol passes over premises without a camera: somebody has to go there.

    Raises:
        NotFound: there is no premises left to take, or no such form.
    """
    exclusive(session, LOCK)
    let_lapse(session, by.now)
    held = session.scalars(
        select(PatrolCheckRow)
        .where(
            PatrolCheckRow.person_id == by.person.id,
            PatrolCheckRow.state == CheckState.OPEN,
            PatrolCheckRow.reason == CheckReason.SWEEP,
            PatrolCheckRow.kind == body.kind,
            PatrolCheckRow.planned_at.is_(None),
        )
        .order_by(PatrolCheckRow.id)
        .limit(1)
    ).first()
    if held is not None:
        return held
    swept = ordered(swept_premises(session, settings, within(by.person, body.node_id)))
    ids = [one.place.premises_id for one in swept]
    taken = _taken(session, ids, by.now)
    cameras = camera_counts(session, ids) if body.kind is FormKind.PATROL else {}
    for one in swept:
        premises_id = one.place.premises_id
        if premises_id in taken or (body.kind is FormKind.PATROL and not cameras.get(premises_id)):
            continue
        start = StartBody(
            premises_id=premises_id, kind=body.kind, form_id=body.form_id, reason=CheckReason.SWEEP
        )
        return _take(session, by, settings, start, node_id=one.node_id)
    raise NotFound("No premises in your area is left to take.")


def start(session: Session, by: Author, settings: PatrolSettings, body: StartBody) -> PatrolCheckRow:
    """Take one premises out of turn, or plan a check of it.

    Raises:
        NotFound: there is no such premises in scope.
        Conflict: somebody else has it, or it is not in business.
        InvalidRequest: the time lies in the past.
    """
    exclusive(session, LOCK)
    let_lapse(session, by.now)
    premises = session.scalars(
        select(PremisesRow).where(PremisesRow.id == body.premises_id, by.person.scope.premises())
    ).one_or_none()
    if premises is None:
        raise NotFound(f"There is no premises {body.premises_id} that you may see.")
    if not premises.active:
        raise Conflict("This premises is not in business.")
    if body.planned_at is not None and body.planned_at < by.now:
        raise InvalidRequest("A check is planned for a time to come.")
    if body.planned_at is not None and body.planned_at > by.now + FARTHEST:
        raise InvalidRequest("A check is planned a year ahead at most.")
    holder = _taken(session, [premises.id], by.now).get(premises.id)
    if holder is not None:
        raise Conflict(f"{holder.name} has taken this premises.")
    return _take(session, by, settings, body, node_id=premises.node_id)


def let_lapse(session: Session, now: datetime) -> None:
    """Give back what was not done in time. Asked before anybody takes something, so no timer is needed."""
    session.execute(
        update(PatrolCheckRow)
        .where(PatrolCheckRow.state == CheckState.OPEN, PatrolCheckRow.lapses_at <= now)
        .values(
            state=CheckState.LAPSED,
            finished_at=PatrolCheckRow.lapses_at,
            version=PatrolCheckRow.version + 1,
        )
    )


def ordered(swept: list[Swept]) -> list[Swept]:
    """In the order of the queue."""
    by_id = {one.place.premises_id: one for one in swept}
    return [by_id[place.premises_id] for place in in_order(one.place for one in swept)]


def within(person: Person, node_id: int | None) -> ColumnElement[bool]:
    """Premises in scope, and below a node where one is given."""
    where = person.scope.premises()
    return where if node_id is None else where & PremisesRow.node_id.in_(subtree_ids(node_id))


def premises_short(session: Session, ids: list[int]) -> dict[int, PremisesShort]:
    """Premises by id, as lists name them."""
    rows = list(session.scalars(select(PremisesRow).where(PremisesRow.id.in_(set(ids)))))
    places = place_names(session, {row.node_id for row in rows})
    return {
        row.id: PremisesShort(
            id=row.id,
            name=row.name,
            name_en=row.name_en,
            address=row.address,
            place=places[row.node_id],
            time_zone=row.time_zone,
            risk_grade=row.risk_grade,
        )
        for row in rows
    }


def camera_counts(session: Session, ids: list[int]) -> dict[int, int]:
    """Enabled cameras by premises."""
    return dict(
        session.execute(
            select(CameraRow.premises_id, func.count())
            .where(CameraRow.premises_id.in_(ids), CameraRow.enabled.is_(True))
            .group_by(CameraRow.premises_id)
        ).all()
    )


def _take(
    session: Session, by: Author, settings: PatrolSettings, body: StartBody, *, node_id: int
) -> PatrolCheckRow:
    _, version = newest_version(session, body.kind, form_id=body.form_id)
    row = PatrolCheckRow(
        premises_id=body.premises_id,
        node_id=node_id,
        person_id=by.person.id,
        form_version_id=version.id,
        kind=body.kind,
        reason=body.reason,
        announced=body.announced,
        planned_at=body.planned_at,
        state=CheckState.OPEN,
        taken_at=by.now,
        lapses_at=(body.planned_at or by.now) + settings.claim,
        answers={},
        items=sum(1 for _ in content_of(version).all_items()),
        answered=0,
        findings=0,
        note="",
        version=1,
    )
    session.add(row)
    session.flush()
    by.note(
        session,
        "patrol_started",
        ("patrol", row.id),
        premises_id=row.premises_id,
        purpose=purpose_of(row.id),
        reason=row.reason.value,
        announced=row.announced,
    )
    return row


def purpose_of(check_id: int) -> str:
    """What the audit log says why a camera was watched or a picture taken."""
    return f"patrol {check_id}"


def _taken(session: Session, ids: list[int], now: datetime) -> dict[int, PersonBrief]:
    rows = session.execute(
        select(PatrolCheckRow.premises_id, PersonRow.id, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == PatrolCheckRow.person_id)
        .where(
            PatrolCheckRow.premises_id.in_(ids),
            PatrolCheckRow.state == CheckState.OPEN,
            PatrolCheckRow.lapses_at > now,
        )
    ).all()
    return {premises_id: PersonBrief(id=person_id, name=name) for premises_id, person_id, name in rows}
