"""Put a whole district into the database from one specification; doing it again changes only differences."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.people import NewPerson, add_person, reset_password
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.service import find_by_username
from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.organisations.tables import (
    AreaType,
    CameraRow,
    EdgeRow,
    NodeKind,
    NodeRow,
    PremisesOfficialRow,
    PremisesRow,
    SupervisionGroupNodeRow,
    SupervisionGroupRow,
)
from kitchen_watch.backend.public.schemas import Grade, GradeView
from kitchen_watch.backend.public.service import award_grade, page_of, publish
from kitchen_watch.config import Settings, validate
from kitchen_watch.errors import ConfigError
from kitchen_watch.events import Identifier
from kitchen_watch.signing import new_secret


class CameraSpec(Settings):
    """One camera of a premises."""

    camera_id: Identifier
    edge: Identifier
    name: str
    name_en: str = ""
    area: AreaType
    zone_type: str = ""
    public: bool = False


class PremisesSpec(Settings):
    """One premises of a node."""

    licence_no: str
    name: str
    name_en: str = ""
    business_type: str = "restaurant"
    address: str = ""
    time_zone: str | None = None
    """Default: that of the service."""
    hours: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    responsible_person: str = ""
    phone: str = ""
    inspection_grade: Grade | None = None
    graded_on: date | None = None
    public_page: bool = Field(default=False, description="give it a public page unless it has one")
    cameras: tuple[CameraSpec, ...] = ()

    @model_validator(mode="after")
    def _grade_has_its_day(self) -> PremisesSpec:
        if (self.inspection_grade is None) != (self.graded_on is None):
            raise ValueError("inspection_grade and graded_on belong together; give both or neither")
        return self


class NodeSpec(Settings):
    """A node of the tree with what lies below it."""

    code: str
    kind: NodeKind
    name: str
    name_en: str = ""
    children: tuple[NodeSpec, ...] = ()
    premises: tuple[PremisesSpec, ...] = ()


class EdgeSpec(Settings):
    """An edge; without ``secret`` one is made at the first time and told once."""

    edge_id: Identifier
    name: str = ""
    secret: SecretStr | None = None


class GroupSpec(Settings):
    """A supervision group and the nodes (by code) that it may see."""

    code: str
    name: str
    name_en: str = ""
    sees_all: bool = False
    nodes: tuple[str, ...] = ()


class PersonSpec(Settings):
    """A login; ``node`` is a code, ``premises`` a licence number, ``group`` a code."""

    username: str
    display_name: str
    role: Role
    node: str | None = None
    premises: str | None = None
    group: str | None = None
    password: SecretStr | None = None
    must_change_password: bool = True
    locale: str | None = None
    official_for: tuple[str, ...] = Field(default=(), description="licence numbers (responsible official)")
    official_level: str = "D"


class DistrictSpec(Settings):
    """Everything of a district."""

    nodes: tuple[NodeSpec, ...] = ()
    edges: tuple[EdgeSpec, ...] = ()
    groups: tuple[GroupSpec, ...] = ()
    people: tuple[PersonSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made and must be told: one-time passwords that are new, secrets of new edges."""

    passwords: dict[str, str] = field(repr=False, default_factory=dict)
    edge_secrets: dict[str, SecretStr] = field(default_factory=dict)


def apply_district(
    session: Session,
    spec: dict[str, Any] | DistrictSpec,
    *,
    vault: Vault,
    now: datetime,
    reissue: bool = False,
) -> Seeded:
    """Make or update everything in ``spec``; what is not in it stays. Logins that exist keep their password.

    With ``reissue`` those logins get a new one-time password that never chose their own and have none in
    ``spec``: nobody can know the old one any more.

    Raises:
        ConfigError: the specification is not valid, or names something that is nowhere.
    """
    district = spec if isinstance(spec, DistrictSpec) else validate(spec, DistrictSpec, where="the district")
    seeding = _Seeding(session, vault, now, reissue=reissue)
    for edge in district.edges:
        seeding.edge(edge)
    for node in district.nodes:
        seeding.node(node, None)
    for group in district.groups:
        seeding.group(group)
    for person in district.people:
        seeding.person(person)
    session.flush()
    return seeding.seeded


class _Seeding:
    def __init__(self, session: Session, vault: Vault, now: datetime, *, reissue: bool) -> None:
        self._session = session
        self._vault = vault
        self._now = now
        self._reissue = reissue
        self.seeded = Seeded()

    def edge(self, spec: EdgeSpec) -> None:
        row = self._session.get(EdgeRow, spec.edge_id)
        if row is None:
            secret = spec.secret or SecretStr(new_secret())
            row = EdgeRow(
                edge_id=spec.edge_id,
                sealed_secret=self._vault.seal(secret),
                enabled=True,
                created_at=self._now,
            )
            self._session.add(row)
            self.seeded.edge_secrets[spec.edge_id] = secret
        elif spec.secret is not None and self._vault.open(row.sealed_secret) != spec.secret:
            row.sealed_secret = self._vault.seal(spec.secret)
            row.fencing_token = None  # nobody knows the new secret but the owner it is given to
        row.name = spec.name or spec.edge_id

    def node(self, spec: NodeSpec, parent: NodeRow | None) -> None:
        row = self._session.scalars(select(NodeRow).where(NodeRow.code == spec.code)).one_or_none()
        if row is None:
            row = NodeRow(code=spec.code, path=f"?{spec.code}")  # the path needs the id
            self._session.add(row)
        elif row.parent_id != (parent.id if parent is not None else None):
            raise ConfigError(
                f"the district: node {spec.code} lies elsewhere in the tree; move it there first."
            )
        row.kind, row.name, row.name_en = spec.kind, spec.name, spec.name_en
        row.parent_id = parent.id if parent is not None else None
        self._session.flush()
        row.path = f"{parent.path if parent is not None else '/'}{row.id}/"
        for premises in spec.premises:
            self._premises(premises, row)
        for child in spec.children:
            self.node(child, row)

    def _premises(self, spec: PremisesSpec, node: NodeRow) -> None:
        row = self._session.scalars(
            select(PremisesRow).where(PremisesRow.licence_no == spec.licence_no)
        ).one_or_none()
        if row is None:
            row = PremisesRow(licence_no=spec.licence_no, created_at=self._now)
            self._session.add(row)
        row.node_id = node.id
        row.hours = {day: list(spans) for day, spans in spec.hours.items()}
        for name in (
            "name", "name_en", "business_type", "address", "responsible_person", "phone",
        ):  # fmt: skip
            setattr(row, name, getattr(spec, name))
        row.time_zone = spec.time_zone or zone_in(self._session).key
        self._session.flush()
        for camera in spec.cameras:
            self._camera(camera, row)
        self._public(spec, row)

    def _public(self, spec: PremisesSpec, row: PremisesRow) -> None:
        if spec.inspection_grade is not None and spec.graded_on is not None:
            grade = GradeView(grade=spec.inspection_grade, awarded_on=spec.graded_on, authority="")
            today = self._now.astimezone(ZoneInfo(row.time_zone)).date()
            award_grade(self._session, row.id, grade, today=today, now=self._now, actor=None)
        if spec.public_page and page_of(self._session, row.id, origin="") is None:
            publish(self._session, row.id, now=self._now, actor=None)

    def _camera(self, spec: CameraSpec, premises: PremisesRow) -> None:
        if self._session.get(EdgeRow, spec.edge) is None:
            raise ConfigError(
                f"the district: camera {spec.camera_id} names the edge {spec.edge}, which is nowhere."
            )
        row = self._session.get(CameraRow, spec.camera_id)
        if row is None:
            row = CameraRow(camera_id=spec.camera_id, created_at=self._now)
            self._session.add(row)
        row.premises_id, row.edge_id = premises.id, spec.edge
        row.name, row.name_en = spec.name, spec.name_en
        row.area_type, row.zone_type, row.public = spec.area, spec.zone_type, spec.public

    def group(self, spec: GroupSpec) -> None:
        row = self._session.scalars(
            select(SupervisionGroupRow).where(SupervisionGroupRow.code == spec.code)
        ).one_or_none()
        if row is None:
            row = SupervisionGroupRow(code=spec.code)
            self._session.add(row)
        row.name, row.name_en, row.sees_all = spec.name, spec.name_en, spec.sees_all
        self._session.flush()
        for code in spec.nodes:
            key = (row.id, self._node_id(code))
            if self._session.get(SupervisionGroupNodeRow, key) is None:
                self._session.add(SupervisionGroupNodeRow(group_id=key[0], node_id=key[1]))

    def person(self, spec: PersonSpec) -> None:
        row = find_by_username(self._session, spec.username)
        if row is None:
            row, password = add_person(
                self._session,
                NewPerson(
                    username=spec.username,
                    display_name=spec.display_name,
                    role=spec.role,
                    node_id=self._node_id(spec.node) if spec.node else None,
                    premises_id=self._premises_id(spec.premises) if spec.premises else None,
                    group_id=self._group_id(spec.group) if spec.group else None,
                    password=spec.password.get_secret_value() if spec.password else None,
                    must_change_password=spec.must_change_password,
                    locale=spec.locale,
                ),
                now=self._now,
            )
            self.seeded.passwords[row.username] = password
        elif self._reissue and row.must_change_password and spec.password is None:
            self.seeded.passwords[row.username] = reset_password(self._session, row.username)
        row.display_name = spec.display_name
        for licence_no in spec.official_for:
            self._official(row.id, self._premises_id(licence_no), spec.official_level)

    def _official(self, person_id: int, premises_id: int, level: str) -> None:
        present = self._session.scalars(
            select(PremisesOfficialRow).where(
                PremisesOfficialRow.premises_id == premises_id, PremisesOfficialRow.until_at.is_(None)
            )
        ).one_or_none()
        if present is not None and (present.person_id, present.level) == (person_id, level):
            return
        if present is not None:
            present.until_at = self._now
        self._session.add(
            PremisesOfficialRow(
                premises_id=premises_id, person_id=person_id, level=level, since_at=self._now, until_at=None
            )
        )
        self._session.flush()

    def _node_id(self, code: str) -> int:
        found = self._session.scalar(select(NodeRow.id).where(NodeRow.code == code))
        return _found(found, "node", code)

    def _premises_id(self, licence_no: str) -> int:
        found = self._session.scalar(select(PremisesRow.id).where(PremisesRow.licence_no == licence_no))
        return _found(found, "premises", licence_no)

    def _group_id(self, code: str) -> int:
        found = self._session.scalar(select(SupervisionGroupRow.id).where(SupervisionGroupRow.code == code))
        return _found(found, "supervision group", code)


def _found(found: int | None, kind: str, name: str) -> int:
    if found is None:
        raise ConfigError(f"the district: the {kind} {name} is named but is nowhere.")
    return found
