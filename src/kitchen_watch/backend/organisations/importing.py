"""Take a file, show what it would do, and do it: all of it in one transaction, or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import find_by_username
from kitchen_watch.backend.organisations import changing_people, changing_places, changing_tree
from kitchen_watch.backend.organisations.bodies import (
    CameraBody,
    NodeBody,
    OfficialBody,
    PersonBody,
    PremisesBody,
)
from kitchen_watch.backend.organisations.checking import Checked, Entry, check
from kitchen_watch.backend.organisations.columns import COLUMNS, CellProblem, ImportKind, write_hours
from kitchen_watch.backend.organisations.import_tables import ImportRow
from kitchen_watch.backend.organisations.known import load_known
from kitchen_watch.backend.organisations.sheets import read_rows
from kitchen_watch.backend.organisations.tables import CameraRow, NodeRow, PremisesRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.tasks.bodies import TaskBody
from kitchen_watch.backend.tasks.importing import export_tasks, save_task
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

KEPT_FOR = timedelta(hours=1)
MAX_SHOWN = 500
MAX_LOGINS = 500
"""Every new login has a password to be hashed."""


class RowProblem(BaseModel):
    """What is wrong with a cell and what to do; the header is row 1."""

    row: int
    column: str
    code: str
    values: dict[str, str]
    sentence: str


class RowFate(BaseModel):
    """What will become of a good row: ``new``, ``changed`` or ``same``."""

    row: int
    key: str
    fate: str
    name: str


class ImportPreview(BaseModel):
    """What a file would do. Nothing is done until it is applied, and only if nothing is wrong."""

    import_id: UUID
    kind: ImportKind
    file_name: str
    until: AwareDatetime = Field(description="it can be applied until then, by whoever sent it")
    rows: int
    new: int
    changed: int
    same: int
    problem_count: int
    problems: list[RowProblem] = Field(description="at most 500 of them")
    fates: list[RowFate] = Field(description="at most 500 of them")


class Imported(BaseModel):
    """What was done."""

    kind: ImportKind
    new: int
    changed: int
    same: int
    passwords: dict[str, str] = Field(default={}, description="one-time passwords of new logins, told once")


def take_file(
    session: Session, author: Author, kind: ImportKind, file_name: str, content: bytes
) -> ImportPreview:
    """Read a file, keep its rows for an hour, and tell what it would do.

    Raises:
        InvalidRequest: the file cannot be read at all.
    """
    rows = read_rows(content)
    session.execute(delete(ImportRow).where(ImportRow.at <= author.now - KEPT_FOR))
    row = ImportRow(
        import_id=uuid4(), kind=kind.value, file_name=file_name[:200], rows=rows, at=author.now,
        sha256=hashlib.sha256(content).hexdigest(), person_id=author.person.id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    author.note(session, "import_previewed", ("import", row.import_id), kind=kind.value, sha256=row.sha256)
    return preview(session, row)


def preview_again(session: Session, person: Person, import_id: UUID, *, now: AwareDatetime) -> ImportPreview:
    """The same by what is registered now.

    Raises:
        NotFound: there is none of this person, or its hour is over.
    """
    return preview(session, _own(session, person, import_id, now))


def preview(session: Session, row: ImportRow) -> ImportPreview:
    """What the kept rows would do now."""
    kind = ImportKind(row.kind)
    checked = check(kind, _rows(row), load_known(session))
    return ImportPreview(
        import_id=row.import_id,
        kind=kind,
        file_name=row.file_name,
        until=row.at + KEPT_FOR,
        rows=sum(1 for cells in _rows(row)[1:] if any(cells)),
        problem_count=len(checked.problems),
        problems=[_shown(problem) for problem in checked.problems[:MAX_SHOWN]],
        fates=[
            RowFate(row=entry.row, key=entry.key, fate=entry.fate, name=str(_name(entry)))
            for entry in checked.entries[:MAX_SHOWN]
        ],
        **_counts(checked),
    )


def apply_import(session: Session, author: Author, import_id: UUID) -> Imported:
    """Do all of it. Anything that is wrong by now, and nothing has been done.

    Raises:
        NotFound: there is no such import of this person, or its hour is over.
        InvalidRequest: something in it is wrong.
        Conflict: something was changed meanwhile.
    """
    row = _own(session, author.person, import_id, author.now)
    kind = ImportKind(row.kind)
    checked = check(kind, _rows(row), load_known(session))
    if checked.problems:
        first = checked.problems[0]
        raise InvalidRequest(
            f"{len(checked.problems)} cells are wrong, the first in row {first.row}, column {first.column}. "
            "Nothing was imported. Correct the file and send it again."
        )
    todo = [entry for entry in checked.entries if entry.fate != "same"]
    if kind is ImportKind.PEOPLE and sum(entry.fate == "new" for entry in todo) > MAX_LOGINS:
        raise InvalidRequest(f"One file makes at most {MAX_LOGINS} logins. Split it.")
    passwords: dict[str, str] = {}
    for entry in _ordered(kind, todo):
        try:
            _apply(session, author, kind, entry, passwords)
        except (InvalidRequest, Conflict, NotFound) as error:
            raise type(error)(f"Row {entry.row}: {error} Nothing was imported.") from None
    author.note(
        session, "import_applied", ("import", import_id), kind=kind.value, file_name=row.file_name,
        sha256=row.sha256, **_counts(checked),
    )  # fmt: skip
    session.delete(row)
    session.flush()
    return Imported(kind=kind, passwords=passwords, **_counts(checked))


def export_rows(session: Session, person: Person, kind: ImportKind) -> Iterator[list[Any]]:
    """What is in scope, in the form in which it can be imported again; the header first."""
    known = load_known(session)
    codes = {row.id: code for code, row in known.nodes.items()}
    licences = {row.id: licence for licence, row in known.premises.items()}
    groups = {group_id: code for code, group_id in known.groups.items()}
    columns = [column.key for column in COLUMNS[kind]]
    yield [column.heading for column in COLUMNS[kind]]
    if kind is ImportKind.GRIDS:
        for node in session.scalars(select(NodeRow).where(person.scope.nodes()).order_by(NodeRow.path)):
            yield _line(node, columns, parent_code=codes.get(node.parent_id or 0, ""))
    elif kind is ImportKind.PREMISES:
        query = select(PremisesRow).where(person.scope.premises()).order_by(PremisesRow.id)
        for place in session.scalars(query):
            name, level = known.officials.get(place.id, ("", ""))
            yield _line(
                place, columns, grid_code=codes[place.node_id], hours=write_hours(place.hours),
                official_username=name, official_level=level,
                inspection_grade=known.grades.get(place.id),
            )  # fmt: skip
    elif kind is ImportKind.CAMERAS:
        query_cameras = select(CameraRow).where(person.scope.owned(CameraRow.premises_id))
        for camera in session.scalars(query_cameras.order_by(CameraRow.camera_id)):
            yield _line(camera, columns, licence_no=licences[camera.premises_id])
    elif kind is ImportKind.TASKS:
        for task in export_tasks(session, person):
            yield [task[name] for name in columns]
    else:
        for one in sorted(known.people.values(), key=lambda row: row.id):
            yield _line(
                one, columns, node_code=codes.get(one.node_id or 0, ""),
                licence_no=licences.get(one.premises_id or 0, ""),
                group_code=groups.get(one.group_id or 0, ""),
            )  # fmt: skip


def _line(row: object, columns: list[str], **instead: Any) -> list[Any]:
    return [instead[name] if name in instead else getattr(row, name) for name in columns]


def _own(session: Session, person: Person, import_id: UUID, now: AwareDatetime) -> ImportRow:
    row = session.get(ImportRow, import_id)
    if row is None or row.person_id != person.id or row.at <= now - KEPT_FOR:
        raise NotFound("There is no such import of yours, or its hour is over. Send the file again.")
    return row


def _rows(row: ImportRow) -> list[list[str]]:
    return [[str(cell) for cell in cells] for cells in row.rows]


def _counts(checked: Checked) -> dict[str, Any]:
    fates = [entry.fate for entry in checked.entries]
    return {"new": fates.count("new"), "changed": fates.count("changed"), "same": fates.count("same")}


def _shown(problem: CellProblem) -> RowProblem:
    return RowProblem(
        row=problem.row, column=problem.column, code=problem.code, values=dict(problem.values),
        sentence=problem.sentence,
    )  # fmt: skip


def _name(entry: Entry) -> str:
    return str(entry.body.get("name") or entry.body.get("display_name") or entry.body.get("title") or "")


def _ordered(kind: ImportKind, entries: list[Entry]) -> list[Entry]:
    """Parents before what lies below them.

    Raises:
        InvalidRequest: nodes lie below each other in a circle.
    """
    above = {ImportKind.GRIDS: "parent_code", ImportKind.TASKS: "parent_number"}.get(kind)
    if above is None:
        return entries
    left, done = list(entries), []
    while left:
        coming = {entry.key for entry in left}
        ready = [entry for entry in left if entry.extras.get(above, "") not in coming]
        if not ready:
            raise InvalidRequest(f"Row {left[0].row}: these lie below each other in a circle.")
        done += ready
        left = [entry for entry in left if entry not in ready]
    return done


def _apply(
    session: Session, author: Author, kind: ImportKind, entry: Entry, passwords: dict[str, str]
) -> None:
    known = entry.fate == "changed"
    if kind is ImportKind.GRIDS:
        row = session.scalars(select(NodeRow).where(NodeRow.code == entry.key)).one_or_none()
        if known and row is not None:
            body = NodeBody(**entry.body, version=row.version)
            changing_tree.change_node(session, author, row.id, body)
            return
        parent = entry.extras.get("parent_code")
        parent_id = session.scalar(select(NodeRow.id).where(NodeRow.code == parent)) if parent else None
        changing_tree.add_node(session, author, NodeBody(**{**entry.body, "parent_id": parent_id}))
    elif kind is ImportKind.PEOPLE:
        person = find_by_username(session, entry.key)
        if known and person is not None:
            person_body = PersonBody(**entry.body, version=person.version)
            changing_people.change_login(session, author, person.id, person_body)
            return
        _, passwords[entry.key] = changing_people.add_login(session, author, PersonBody(**entry.body))
    elif kind is ImportKind.TASKS:
        save_task(session, author, TaskBody(**entry.body), entry.extras.get("parent_number"))
    elif kind is ImportKind.PREMISES:
        place = session.scalars(select(PremisesRow).where(PremisesRow.licence_no == entry.key)).one_or_none()
        version = place.version if place is not None else None
        saved = changing_places.save_premises(
            session, author, place.id if place is not None else None,
            PremisesBody(**entry.body, version=version),
        )  # fmt: skip
        if entry.extras:
            official = find_by_username(session, entry.extras["official_username"])
            level: Any = entry.extras["official_level"] or "D"
            changing_places.name_official(
                session, author, saved.id,
                OfficialBody(person_id=official.id if official is not None else None, level=level),
            )  # fmt: skip
    else:
        camera = session.get(CameraRow, entry.key)
        camera_body = CameraBody(**entry.body, version=camera.version if camera is not None else None)
        changing_places.save_camera(session, author, entry.key, camera_body, new=camera is None)
