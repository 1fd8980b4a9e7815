"""Check the rows of an import against what is registered: every bad cell is found before anything is done."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from kitchen_watch.backend.auth.people import NewPerson, check_place
from kitchen_watch.backend.auth.roles import REGULATORS, Role
from kitchen_watch.backend.organisations.bodies import CameraBody, NodeBody, PersonBody, PremisesBody
from kitchen_watch.backend.organisations.columns import (
    COLUMNS,
    CellProblem,
    ImportKind,
    columns_of,
    read_cell,
)
from kitchen_watch.backend.organisations.known import Known
from kitchen_watch.backend.tasks.bodies import TaskBody
from kitchen_watch.errors import InvalidRequest

Fate = Literal["new", "changed", "same"]
KEYS = {
    ImportKind.GRIDS: "code",
    ImportKind.PEOPLE: "username",
    ImportKind.PREMISES: "licence_no",
    ImportKind.CAMERAS: "camera_id",
    ImportKind.TASKS: "number",
}
_BODIES: Mapping[ImportKind, type[BaseModel]] = {
    ImportKind.GRIDS: NodeBody,
    ImportKind.PEOPLE: PersonBody,
    ImportKind.PREMISES: PremisesBody,
    ImportKind.CAMERAS: CameraBody,
    ImportKind.TASKS: TaskBody,
}
_NEEDS = {Role.SUPERVISOR: "group_code", Role.GRID_OFFICER: "node_code", Role.ADMIN: "–"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One good row: what will be done with it."""

    row: int
    key: str
    fate: Fate
    body: dict[str, Any]
    extras: dict[str, str]
    """Values that lie outside the body: the code of a node's parent, the official and the level."""


@dataclass(slots=True)
class Checked:
    """All good rows, and everything that is wrong; only without problems anything may be applied."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[CellProblem] = field(default_factory=list)


class _Row:
    """One row while it is checked."""

    def __init__(self, number: int, values: dict[str, Any], problems: list[CellProblem]) -> None:
        self.number = number
        self.values = values
        self.problems = problems
        self.good = True

    def complain(self, column: str, code: str, **values: str) -> None:
        self.good = False
        self.problems.append(CellProblem(self.number, column, code, values))

    def text(self, column: str) -> str:
        return str(self.values.get(column) or "")


def check(kind: ImportKind, rows: Sequence[list[str]], known: Known) -> Checked:
    """Check a whole file; ``rows[0]`` is the header."""
    checked = Checked()
    columns, problems = columns_of(kind, rows[0])
    checked.problems += problems
    if problems:
        return checked
    seen: dict[str, int] = {}
    table = _TABLES[kind](known, rows, columns)
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cells):
            continue
        row = _Row(number, {}, checked.problems)
        for place, column in enumerate(columns):
            if column is None:
                continue
            try:
                row.values[column.key] = read_cell(column, cells[place] if place < len(cells) else "")
            except ValueError as error:
                code, values = error.args
                row.complain(column.key, code, **values)
        key = row.text(KEYS[kind])
        if kind is ImportKind.PEOPLE:
            key = row.values["username"] = key.lower()
        if key and key in seen:
            row.complain(KEYS[kind], "twice", value=key, row=str(seen[key]))
        seen.setdefault(key, number)
        if row.good:
            _finish(kind, row, key, table, checked)
    return checked


def _finish(kind: ImportKind, row: _Row, key: str, table: _Table, checked: Checked) -> None:
    present, given, extras = table.read(row, key)
    own = {column.key for column in COLUMNS[kind]} - set(table.references)
    given |= {name: value for name, value in row.values.items() if name in own and name != "camera_id"}
    body = {**(present or {}), **given}
    body = {name: value for name, value in body.items() if value is not None}
    if not row.good:
        return
    try:
        whole = _BODIES[kind].model_validate(body).model_dump(mode="json", exclude={"version"})
    except ValidationError as error:
        for item in error.errors():
            name = str(item["loc"][0]) if item["loc"] else KEYS[kind]
            value = str(row.values.get(table.columns.get(name, name), ""))[:60]
            why = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
            row.complain(table.columns.get(name, name), "bad_value", value=value, why=why)
        return
    if kind is ImportKind.PEOPLE and not _place_fits(whole):
        role = Role(whole["role"])
        row.complain("role", "wrong_place", value=role.value, needed=_NEEDS.get(role, "licence_no"))
        return
    if present is None:
        fate: Fate = "new"
    else:
        before = _BODIES[kind].model_validate(
            {name: value for name, value in present.items() if value is not None}
        )
        same = before.model_dump(mode="json", exclude={"version"}) == whole and table.extras_same(key, extras)
        fate = "same" if same else "changed"
    checked.entries.append(Entry(row.number, key, fate, whole, extras))


def _place_fits(body: dict[str, Any]) -> bool:
    try:
        check_place(
            NewPerson(
                username=body["username"], display_name=body["display_name"], role=Role(body["role"]),
                node_id=body["node_id"], premises_id=body["premises_id"], group_id=body["group_id"],
            )
        )  # fmt: skip
    except InvalidRequest:
        return False
    return True


class _Table:
    """What is particular to one kind of file."""

    references: tuple[str, ...] = ()
    """Columns that name something else by its code."""
    columns: Mapping[str, str] = {}
    """Column by the name of the body's field, where they differ."""

    def __init__(self, known: Known, rows: Sequence[list[str]], columns: Sequence[Any]) -> None:
        self.known = known
        self.parents, self.occupied, self.answered = known.parents, known.occupied, known.answered

    def read(self, row: _Row, key: str) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, str]]:
        """The present body if there is one, the values that replace it, and the extras."""
        raise NotImplementedError

    def extras_same(self, key: str, extras: dict[str, str]) -> bool:
        """Whether the extras say what is so already."""
        return True


class _Grids(_Table):
    references = ("parent_code",)

    def __init__(self, known: Known, rows: Sequence[list[str]], columns: Sequence[Any]) -> None:
        super().__init__(known, rows, columns)
        place = [column.key if column else "" for column in columns].index("code")
        self._coming = {cells[place] for cells in rows[1:] if place < len(cells)}

    def read(self, row: _Row, key: str) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, str]]:
        parent = row.text("parent_code")
        present = self.known.nodes.get(key)
        if parent and parent not in self.known.nodes and parent not in self._coming:
            row.complain("parent_code", "nowhere", value=parent)
        if parent in self.known.nodes and self.known.nodes[parent].id in self.occupied and present is None:
            row.complain("parent_code", "holds_premises", value=parent)
        if present is None:
            return None, {}, {"parent_code": parent}
        if "parent_code" in row.values and parent != self.known.code_of(present.parent_id):
            row.complain("parent_code", "moved", value=key)
        fields = ("code", "kind", "name", "name_en", "parent_id")
        return {name: getattr(present, name) for name in fields}, {}, {}


class _People(_Table):
    references = ("node_code", "licence_no", "group_code")

    def read(self, row: _Row, key: str) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, str]]:
        given: dict[str, Any] = {}
        found: tuple[tuple[str, str, Callable[[str], int | None]], ...] = (
            ("node_code", "node_id", lambda code: _id(self.known.nodes.get(code))),
            ("licence_no", "premises_id", lambda code: _id(self.known.premises.get(code))),
            ("group_code", "group_id", self.known.groups.get),
        )
        for column, name, find in found:
            if column in row.values:
                code = row.text(column)
                given[name] = find(code) if code else None
                if code and given[name] is None:
                    row.complain(column, "nowhere", value=code)
        present = self.known.people.get(key)
        if present is None:
            return None, given, {}
        fields = ("username", "display_name", "role", "node_id", "premises_id", "group_id", "disabled")
        before = {name: getattr(present, name) for name in fields}
        fixed = {"role": row.values.get("role", before["role"])} | given
        if any(before[name] != value for name, value in fixed.items()):
            row.complain("username", "other_role", value=key)
        return before, given, {}


class _Premises(_Table):
    references = ("grid_code", "official_username", "official_level")
    columns = {"node_id": "grid_code"}  # noqa: RUF012

    def read(self, row: _Row, key: str) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, str]]:
        code = row.text("grid_code")
        node = self.known.nodes.get(code)
        present = self.known.premises.get(key)
        if node is None:
            row.complain("grid_code", "nowhere", value=code)
        elif present is None or present.node_id != node.id:
            if node.id in self.parents:
                row.complain("grid_code", "no_leaf", value=code)
            elif node.id not in self.answered:
                row.complain("grid_code", "no_officer", value=code)
        extras = {}
        if "official_username" in row.values:
            name = row.text("official_username").lower()
            level = row.text("official_level") or ("D" if name else "")
            official = self.known.people.get(name)
            if name and (official is None or official.disabled or official.role not in REGULATORS):
                row.complain("official_username", "no_official", value=name)
            if level not in {"", "A", "B", "C", "D"}:
                row.complain("official_level", "bad_choice", value=level[:60], known="C D")
            extras = {"official_username": name, "official_level": level}
        given = {"node_id": node.id if node is not None else None}
        if present is None:
            return None, given, extras
        if row.values.get("inspection_grade") is None:
            row.values.pop("inspection_grade", None)  # an awarded grade is never taken away
        fields = set(PremisesBody.model_fields) - {"version", "inspection_grade", "graded_on"}
        before = {name: getattr(present, name) for name in fields}
        return before | {"inspection_grade": self.known.grades.get(present.id)}, given, extras

    def extras_same(self, key: str, extras: dict[str, str]) -> bool:
        present = self.known.officials.get(self.known.premises[key].id, ("", ""))
        return not extras or present == (extras["official_username"], extras["official_level"])


class _Cameras(_Table):
    references = ("licence_no", "camera_id")
    columns = {"premises_id": "licence_no"}  # noqa: RUF012

    def read(self, row: _Row, key: str) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, str]]:
        licence, edge = row.text("licence_no"), row.text("edge_id")
        premises = self.known.premises.get(licence)
        if premises is None:
            row.complain("licence_no", "nowhere", value=licence)
        if edge not in self.known.edges:
            row.complain("edge_id", "nowhere", value=edge)
        given = {"premises_id": premises.id if premises is not None else None}
        present = self.known.cameras.get(key)
        if present is None:
            return None, given, {}
        return (
            {name: getattr(present, name) for name in CameraBody.model_fields if name != "version"},
            given,
            {},
        )


class _Tasks(_Table):
    references = ("parent_number", "node_codes")

    def __init__(self, known: Known, rows: Sequence[list[str]], columns: Sequence[Any]) -> None:
        super().__init__(known, rows, columns)
        keys = [column.key if column else "" for column in columns]
        self._above = {number: one.parent_number for number, one in known.tasks.items()}
        own, parent = keys.index("number"), keys.index("parent_number") if "parent_number" in keys else None
        for cells in rows[1:]:
            if own < len(cells) and cells[own]:
                above = cells[parent] if parent is not None and parent < len(cells) else None
                self._above[cells[own]] = self._above.get(cells[own], "") if above is None else above
        self._headings = set(self._above.values()) - {""}

    def read(self, row: _Row, key: str) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, str]]:
        present = self.known.tasks.get(key)
        given: dict[str, Any] = {}
        extras = {}
        if "node_codes" in row.values:
            codes = sorted(set(re.split(r"[\s,，;；、]+", row.text("node_codes"))) - {""})
            for code in codes:
                if code not in self.known.nodes:
                    row.complain("node_codes", "nowhere", value=code[:60])
            given["node_codes"] = codes
        units = given.get("node_codes", present.body["node_codes"] if present else [])
        if units and key in self._headings:
            row.complain("node_codes", "heading", value=key)
        if "parent_number" in row.values:
            parent = extras["parent_number"] = row.text("parent_number")
            if parent and parent not in self._above:
                row.complain("parent_number", "nowhere", value=parent[:60])
            elif self._in_circle(key):
                row.complain("parent_number", "circle", value=key)
        return (present.body if present else None), given, extras

    def extras_same(self, key: str, extras: dict[str, str]) -> bool:
        present = self.known.tasks[key].parent_number
        return extras.get("parent_number", present) == present

    def _in_circle(self, key: str) -> bool:
        here, seen = self._above.get(key, ""), {key}
        while here and here not in seen:
            seen.add(here)
            here = self._above.get(here, "")
        return here == key


_TABLES: Mapping[ImportKind, type[_Table]] = {
    ImportKind.GRIDS: _Grids,
    ImportKind.PEOPLE: _People,
    ImportKind.PREMISES: _Premises,
    ImportKind.CAMERAS: _Cameras,
    ImportKind.TASKS: _Tasks,
}


def _id(row: Any) -> int | None:
    return None if row is None else int(row.id)
