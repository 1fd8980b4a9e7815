"""Place, read and lift holds, each within the own scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend import notices
from kitchen_watch.backend.alerts.service import visible_alert
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import announce
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.backend.holds.held import active, alerts_of, lock_holds
from kitchen_watch.backend.holds.schemas import HoldBody, HoldDetail, HoldEntry, HoldPage, HoldView
from kitchen_watch.backend.holds.tables import HoldAct, HoldEntryRow, HoldKind, HoldRow
from kitchen_watch.backend.organisations.service import visible_camera, visible_premises
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound, NotPermitted

LIFTERS = frozenset({Role.ADMIN, Role.SUPERVISOR})
"""May lift what others have placed."""


def place(session: Session, author: Author, body: HoldBody, *, source: str = "") -> HoldRow:
    """Hold it from now on; waits for a deletion that is under way.

    Raises:
        NotFound: it lies outside the person's scope.
        InvalidRequest: the hold would be over before it begins.
    """
    if body.ends_at is not None and body.ends_at <= author.now:
        raise InvalidRequest("The hold would have ended already. Name a later end, or none.")
    lock_holds(session)
    premises_id = _premises_of(session, author.person, body)
    row = HoldRow(
        kind=body.kind,
        premises_id=premises_id,
        camera_id=body.camera_id,
        alert_id=body.alert_id,
        since_at=body.since_at,
        until_at=body.until_at,
        reason=body.reason,
        source=source,
        placed_by=author.person.id,
        placed_at=author.now,
        ends_at=body.ends_at,
    )
    session.add(row)
    session.flush()
    _enter(session, author, row, HoldAct.PLACED, body.reason)
    return row


def lift(session: Session, author: Author, hold_id: int, *, reason: str) -> HoldRow:
    """The hold is no longer needed: a decision of whoever placed it, or of a supervisor.

    Raises:
        NotFound: there is none that this person may see.
        NotPermitted: somebody else placed it.
        Conflict: it is over already.
    """
    lock_holds(session)
    row = visible_hold(session, author.person, hold_id)
    if not _may_lift(author.person, row):
        raise NotPermitted("Only whoever placed the hold, a supervisor or an administrator may lift it.")
    if not _is_active(row, author.now):
        raise Conflict("This hold is over already.")
    row.lifted_at = author.now
    _enter(session, author, row, HoldAct.LIFTED, reason)
    return row


def visible_hold(session: Session, person: Person, hold_id: int) -> HoldRow:
    """The hold, if this person may see it.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(HoldRow).where(HoldRow.id == hold_id, person.scope.owned(HoldRow.premises_id))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no hold {hold_id} that you may see.")
    return row


def hold_page(
    session: Session,
    person: Person,
    *,
    now: datetime,
    only_active: bool = False,
    premises_id: int | None = None,
    source: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> HoldPage:
    """Holds in scope with an id below ``before``, newest first."""
    query = select(HoldRow).where(person.scope.owned(HoldRow.premises_id))
    if only_active:
        query = query.where(active(now))
    if premises_id is not None:
        query = query.where(HoldRow.premises_id == premises_id)
    if source is not None:
        query = query.where(HoldRow.source == source)
    if before is not None:
        query = query.where(HoldRow.id < before)
    rows = list(session.scalars(query.order_by(HoldRow.id.desc()).limit(limit + 1)))
    return HoldPage(
        items=hold_views(session, person, rows[:limit], now=now),
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


def hold_detail(session: Session, person: Person, row: HoldRow, *, now: datetime) -> HoldDetail:
    """One hold with its history and what lies under it."""
    entries = session.execute(
        select(HoldEntryRow, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == HoldEntryRow.person_id)
        .where(HoldEntryRow.hold_id == row.id)
        .order_by(HoldEntryRow.id)
    ).all()
    mine = alerts_of(row)
    gone = select(EvidenceFileRow.id).where(
        EvidenceFileRow.alert_id == AlertRow.id, EvidenceFileRow.deleted_at.is_not(None)
    )
    view = hold_views(session, person, [row], now=now)[0]
    return HoldDetail(
        **dict(view),
        entries=[
            HoldEntry(at=entry.at, by=name, act=entry.act, reason=entry.reason) for entry, name in entries
        ],
        alerts=session.scalar(select(func.count()).select_from(AlertRow).where(mine)) or 0,
        alerts_gone=session.scalar(select(func.count()).select_from(AlertRow).where(mine, gone.exists()))
        or 0,
    )


def hold_views(session: Session, person: Person, rows: Sequence[HoldRow], *, now: datetime) -> list[HoldView]:
    """Holds with the names of what they are about."""
    premises = _names(session, PremisesRow.id, PremisesRow.name, {row.premises_id for row in rows})
    people = _names(session, PersonRow.id, PersonRow.display_name, {row.placed_by for row in rows})
    cameras = _names(session, CameraRow.camera_id, CameraRow.name, {row.camera_id for row in rows})
    return [
        HoldView(
            id=row.id,
            kind=row.kind,
            premises_id=row.premises_id,
            premises=premises[row.premises_id],
            camera_id=row.camera_id,
            camera=cameras.get(row.camera_id),
            alert_id=row.alert_id,
            since_at=row.since_at,
            until_at=row.until_at,
            reason=row.reason,
            source=row.source,
            placed_by=people[row.placed_by],
            placed_at=row.placed_at,
            ends_at=row.ends_at,
            lifted_at=row.lifted_at,
            active=_is_active(row, now),
            can_lift=_is_active(row, now) and _may_lift(person, row),
        )
        for row in rows
    ]


def _premises_of(session: Session, person: Person, body: HoldBody) -> int:
    if body.kind is HoldKind.ALERT:
        assert body.alert_id is not None
        return visible_alert(session, person, body.alert_id).premises_id
    if body.kind is HoldKind.CAMERA:
        assert body.camera_id is not None
        return visible_camera(session, person, body.camera_id).premises_id
    assert body.premises_id is not None
    return visible_premises(session, person, body.premises_id).id


def _enter(session: Session, author: Author, row: HoldRow, act: HoldAct, reason: str) -> None:
    session.add(
        HoldEntryRow(hold_id=row.id, at=author.now, person_id=author.person.id, act=act, reason=reason)
    )
    author.note(
        session, f"hold_{act.value}", ("hold", row.id), premises_id=row.premises_id, kind=row.kind.value
    )
    announce(session, notices.HOLDS)
    session.flush()


def _may_lift(person: Person, row: HoldRow) -> bool:
    return person.role in LIFTERS or row.placed_by == person.id


def _is_active(row: HoldRow, now: datetime) -> bool:
    return row.lifted_at is None and (row.ends_at is None or row.ends_at > now)


def _names(session: Session, key: object, name: object, wanted: set[object]) -> dict[object, str]:
    return dict(session.execute(select(key, name).where(key.in_(wanted - {None}))).all())  # type: ignore[call-overload,attr-defined]
