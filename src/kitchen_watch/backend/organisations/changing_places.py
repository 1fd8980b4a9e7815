"""Change premises, their responsible officials, and cameras. Each function is one step of a write."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.roles import REGULATORS
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.edges.due import mark_due
from kitchen_watch.backend.organisations.bodies import CameraBody, OfficialBody, PremisesBody
from kitchen_watch.backend.organisations.changing_tree import TREE, flush
from kitchen_watch.backend.organisations.orphans import check_grid
from kitchen_watch.backend.organisations.tables import CameraRow, EdgeRow, PremisesOfficialRow, PremisesRow
from kitchen_watch.backend.organisations.writing import Author, changes, check_version
from kitchen_watch.backend.public.schemas import GradeView
from kitchen_watch.backend.public.service import award_grade, current_grade
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

TOLD_TO_EDGES = frozenset({"hours", "time_zone", "business_type", "node_id"})
"""What of a premises changes what its edges look for."""


def save_premises(
    session: Session, author: Author, premises_id: int | None, body: PremisesBody
) -> PremisesRow:
    """Make a premises, or change one; moved to another grid, its old alerts stay in the old one.

    Raises:
        NotFound: there is no such premises.
        InvalidRequest: its grid is none, or has no officer.
        Conflict: somebody was faster, or the licence number is registered already.
    """
    exclusive(session, TREE)
    taken = session.scalar(select(PremisesRow.id).where(PremisesRow.licence_no == body.licence_no))
    if taken is not None and taken != premises_id:
        raise Conflict(f"The licence {body.licence_no} is registered already.")
    values: dict[str, Any] = body.model_dump(exclude={"version", "inspection_grade", "graded_on"})
    if body.time_zone is None:
        del values["time_zone"]
    if premises_id is None:
        check_grid(session, body.node_id)
        row = PremisesRow(**values, created_at=author.now)
        session.add(row)
        flush(session, f"The licence {body.licence_no} is registered already.")
        author.note(session, "premises_added", ("premises", row.id), premises_id=row.id, name=row.name)
        _award(session, author, row, body)
        return row
    row = find_premises(session, premises_id)
    row.version = check_version(row.version, body.version)
    if body.node_id != row.node_id:
        check_grid(session, body.node_id)
    found = changes(row, values)
    flush(session, f"The licence {body.licence_no} is registered already.")
    author.note(session, "premises_changed", ("premises", row.id), premises_id=row.id, changes=found)
    _award(session, author, row, body)
    if TOLD_TO_EDGES & set(found):
        edges = session.scalars(select(CameraRow.edge_id).where(CameraRow.premises_id == row.id)).all()
        mark_due(session, edges, by=author.person.id, now=author.now)
    return row


def _award(session: Session, author: Author, row: PremisesRow, body: PremisesBody) -> None:
    present = current_grade(session, row.id)
    if body.inspection_grade is None or (present is not None and present.grade == body.inspection_grade):
        return
    today = author.now.astimezone(ZoneInfo(row.time_zone)).date()
    grade = GradeView(
        grade=body.inspection_grade, awarded_on=body.graded_on or today, authority=author.person.scope_name
    )
    award_grade(session, row.id, grade, today=today, now=author.now, actor=author.actor)


def name_official(session: Session, author: Author, premises_id: int, body: OfficialBody) -> PremisesRow:
    """Who is responsible (包保) from now on; who was before stays in the history.

    Raises:
        NotFound: there is no such premises.
        InvalidRequest: that person is no supervision staff.
    """
    row = find_premises(session, premises_id)
    if body.person_id is not None:
        official = session.get(PersonRow, body.person_id)
        if official is None or official.disabled or official.role not in REGULATORS:
            raise InvalidRequest("A responsible official must be supervision staff who can log in.")
    present = session.scalars(
        select(PremisesOfficialRow).where(
            PremisesOfficialRow.premises_id == premises_id, PremisesOfficialRow.until_at.is_(None)
        )
    ).one_or_none()
    if present is not None:
        if (present.person_id, present.level) == (body.person_id, body.level):
            return row
        present.until_at = author.now
    if body.person_id is not None:
        session.add(
            PremisesOfficialRow(
                premises_id=premises_id, person_id=body.person_id, level=body.level,
                since_at=author.now, until_at=None,
            )
        )  # fmt: skip
    session.flush()
    author.note(
        session, "official_named", ("premises", premises_id), premises_id=premises_id,
        person_id=body.person_id, level=body.level,
    )  # fmt: skip
    return row


def save_camera(
    session: Session, author: Author, camera_id: str, body: CameraBody, *, new: bool
) -> CameraRow:
    """Register a camera, or change one; its edge hears of it.

    Raises:
        NotFound: there is no such camera.
        InvalidRequest: its premises or its edge does not exist.
        Conflict: the id is taken, or somebody was faster.
    """
    find_premises(session, body.premises_id, or_else=InvalidRequest)
    if session.get(EdgeRow, body.edge_id) is None:
        raise InvalidRequest(f"There is no edge {body.edge_id}. Register it first.")
    values = body.model_dump(exclude={"version", "camera_id"})
    row = session.get(CameraRow, camera_id)
    if new:
        if row is not None:
            raise Conflict(f"The camera id {camera_id} is taken.")
        row = CameraRow(camera_id=camera_id, **values, created_at=author.now)
        session.add(row)
        flush(session, f"The camera id {camera_id} is taken.")
        author.note(
            session, "camera_added", ("camera", camera_id), premises_id=row.premises_id, name=row.name
        )
        mark_due(session, [row.edge_id], by=author.person.id, now=author.now)
        return row
    if row is None:
        raise NotFound(f"There is no camera {camera_id}.")
    row.version = check_version(row.version, body.version)
    edges = {row.edge_id, body.edge_id}
    found = changes(row, values)
    session.flush()
    author.note(session, "camera_changed", ("camera", camera_id), premises_id=row.premises_id, changes=found)
    mark_due(session, edges, by=author.person.id, now=author.now)
    return row


def find_premises(
    session: Session, premises_id: int, *, or_else: type[NotFound | InvalidRequest] = NotFound
) -> PremisesRow:
    """The premises.

    Raises:
        NotFound: there is none (or what ``or_else`` says).
    """
    row = session.get(PremisesRow, premises_id)
    if row is None:
        raise or_else(f"There is no premises {premises_id}.")
    return row
