"""Public pages: made and withdrawn by those responsible, read by anybody who has the code."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.edges.tables import CameraStateRow
from kitchen_watch.backend.organisations.tables import (
    AreaType,
    CameraRow,
    EdgeRow,
    PremisesOfficialRow,
    PremisesRow,
)
from kitchen_watch.backend.public.schemas import GradeView, PublicCamera, PublicPageView, PublicPremises
from kitchen_watch.backend.public.tables import InspectionGradeRow, PublicPageRow
from kitchen_watch.errors import InvalidRequest, NotFound

CODE_SYMBOLS = "0123456789abcdefghjkmnpqrstvwxyz"
CODE_LENGTH = 20
"""20 symbols of 32: 100 bit, more than anybody can guess, and letters that can be told apart in print."""
ACTIVE_WITHIN = timedelta(days=1)


def visible_premises(session: Session, person: Person, premises_id: int) -> PremisesRow:
    """The premises, if the person may see it.

    Raises:
        NotFound: there is none in the person's scope.
    """
    row = session.scalars(
        select(PremisesRow).where(PremisesRow.id == premises_id, person.scope.premises())
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no premises {premises_id} that you may see.")
    return row


def page_of(session: Session, premises_id: int, *, origin: str) -> PublicPageView | None:
    """The public page of a premises; ``None`` if it has none."""
    row = session.get(PublicPageRow, premises_id)
    return _page_view(session, row, origin) if row is not None else None


def publish(
    session: Session, premises_id: int, *, now: datetime, actor: Actor | None, origin: str = ""
) -> PublicPageView:
    """Give a premises a public page under a new code; an old code leads nowhere from now on."""
    row = session.get(PublicPageRow, premises_id, with_for_update=True)
    again = row is not None
    if row is None:
        row = PublicPageRow(premises_id=premises_id)
        session.add(row)
    row.code = "".join(secrets.choice(CODE_SYMBOLS) for _ in range(CODE_LENGTH))
    row.made_at = now
    row.made_by = actor.person_id if actor is not None else None
    session.flush()
    if actor is not None:
        action = "public_code_renewed" if again else "public_page_published"
        record(session, actor, action, at=now, about=("premises", premises_id), premises_id=premises_id)
    return _page_view(session, row, origin)


def withdraw(session: Session, premises_id: int, *, now: datetime, actor: Actor) -> None:
    """Take the public page away; the code leads nowhere. One that is not there is no matter."""
    row = session.get(PublicPageRow, premises_id)
    if row is None:
        return
    session.delete(row)
    record(
        session, actor, "public_page_withdrawn", at=now, about=("premises", premises_id),
        premises_id=premises_id,
    )  # fmt: skip


def award_grade(
    session: Session,
    premises_id: int,
    grade: GradeView,
    *,
    today: date,
    now: datetime,
    actor: Actor | None,
) -> None:
    """Write down a grade that the authority awarded. The same one twice is written once.

    Raises:
        InvalidRequest: it was awarded in the future.
    """
    if grade.awarded_on > today:
        raise InvalidRequest("A grade cannot have been awarded in the future.")
    if current_grade(session, premises_id) == grade:
        return
    session.add(
        InspectionGradeRow(
            premises_id=premises_id,
            grade=grade.grade,
            awarded_on=grade.awarded_on,
            authority=grade.authority,
            recorded_at=now,
            recorded_by=actor.person_id if actor is not None else None,
        )
    )
    session.flush()
    if actor is not None:
        record(
            session, actor, "inspection_grade_recorded", at=now, about=("premises", premises_id),
            premises_id=premises_id, grade=grade.grade, awarded_on=grade.awarded_on.isoformat(),
        )  # fmt: skip


def current_grade(session: Session, premises_id: int) -> GradeView | None:
    """The grade awarded last; of one day's, the one recorded last."""
    grades = grades_of(session, premises_id, limit=1)
    return grades[0] if grades else None


def current_grades(session: Session, premises_ids: Sequence[int]) -> dict[int, str]:
    """The letter of the grade awarded last, by premises; in one query."""
    rows = session.execute(
        select(InspectionGradeRow.premises_id, InspectionGradeRow.grade)
        .where(InspectionGradeRow.premises_id.in_(premises_ids))
        .order_by(InspectionGradeRow.awarded_on, InspectionGradeRow.id)
    )
    return {row[0]: row[1] for row in rows}  # a later one replaces an earlier


def grades_of(session: Session, premises_id: int, *, limit: int = 100) -> list[GradeView]:
    """Grades of a premises, the newest first."""
    rows = session.scalars(
        select(InspectionGradeRow)
        .where(InspectionGradeRow.premises_id == premises_id)
        .order_by(InspectionGradeRow.awarded_on.desc(), InspectionGradeRow.id.desc())
        .limit(limit)
    )
    return [
        GradeView.model_validate(
            {"grade": row.grade, "awarded_on": row.awarded_on, "authority": row.authority}
        )
        for row in rows
    ]


def premises_by_code(session: Session, code: str) -> int:
    """The premises that a code stands for.

    Raises:
        NotFound: the code is wrong, old or withdrawn, or the premises is no longer in business.
    """
    found = session.scalar(
        select(PublicPageRow.premises_id)
        .join(PremisesRow, PremisesRow.id == PublicPageRow.premises_id)
        .where(PublicPageRow.code == code, PremisesRow.active)
    )
    if found is None:
        raise NotFound("There is no such page.")
    return found


def public_premises(session: Session, code: str, *, now: datetime) -> PublicPremises:
    """What a stranger with the code may know.

    Raises:
        NotFound: the code is wrong, old or withdrawn.
    """
    return shown_of(session, premises_by_code(session, code), now=now)


def shown_of(session: Session, premises_id: int, *, now: datetime) -> PublicPremises:
    """What the public page of a premises shows, or would show if it had one."""
    row = session.get_one(PremisesRow, premises_id)
    active = session.scalars(
        select(CameraRow.area_type)
        .join(CameraStateRow, CameraStateRow.camera_id == CameraRow.camera_id)
        .where(CameraRow.premises_id == premises_id, CameraStateRow.heard_at > now - ACTIVE_WITHIN)
        .distinct()
    ).all()
    return PublicPremises(
        name=row.name,
        name_en=row.name_en,
        licence_no=row.licence_no,
        responsible_person=row.responsible_person,
        grade=current_grade(session, premises_id),
        covered=bool(active),
        areas=tuple(area for area in AreaType if area in active),
        cameras=tuple(
            PublicCamera(number=number, name=camera.name, name_en=camera.name_en, area_type=camera.area_type)
            for number, camera in enumerate(public_cameras(session, premises_id), start=1)
        ),
    )


def public_cameras(session: Session, premises_id: int) -> list[CameraRow]:
    """Cameras of the premises that are marked public and whose edge is in use, in a fixed order."""
    return list(
        session.scalars(
            select(CameraRow)
            .join(EdgeRow, EdgeRow.edge_id == CameraRow.edge_id)
            .where(CameraRow.premises_id == premises_id, CameraRow.public, CameraRow.enabled, EdgeRow.enabled)
            .order_by(CameraRow.camera_id)
        )
    )


def responsible_official(session: Session, premises_id: int) -> tuple[str, str] | None:
    """Name and level (包保级别) of the official who is responsible now."""
    found = session.execute(
        select(PersonRow.display_name, PremisesOfficialRow.level)
        .join(PersonRow, PersonRow.id == PremisesOfficialRow.person_id)
        .where(PremisesOfficialRow.premises_id == premises_id, PremisesOfficialRow.until_at.is_(None))
        .order_by(PremisesOfficialRow.since_at.desc())
        .limit(1)
    ).one_or_none()
    return (found[0], found[1]) if found is not None else None


def _page_view(session: Session, row: PublicPageRow, origin: str) -> PublicPageView:
    cameras = session.scalar(
        select(func.count()).where(CameraRow.premises_id == row.premises_id, CameraRow.public)
    )
    return PublicPageView(
        premises_id=row.premises_id,
        url=f"{origin}/p/{row.code}",
        made_at=row.made_at,
        public_cameras=cameras or 0,
    )
