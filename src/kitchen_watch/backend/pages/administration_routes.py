"""The pages of administration: tree, premises, cameras, people, imports, and the audit log."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from sqlalchemy import select
from starlette.responses import JSONResponse, Response

from kitchen_watch.backend.audit.reading import AuditFilters, audit_actions, audit_page
from kitchen_watch.backend.auth.callers import Administrator, AnyPerson, Regulator, Supervisor
from kitchen_watch.backend.auth.roles import REGULATORS, Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.bounds import PlaceId, RowId
from kitchen_watch.backend.organisations.administering import (
    group_list,
    official_history,
    people_page,
    person_views,
)
from kitchen_watch.backend.organisations.changing_people import find_login
from kitchen_watch.backend.organisations.columns import COLUMNS, ImportKind
from kitchen_watch.backend.organisations.importing import preview_again
from kitchen_watch.backend.organisations.orphans import find_orphans
from kitchen_watch.backend.organisations.service import (
    camera_detail,
    camera_page,
    node_tree,
    premises_detail,
    premises_page,
)
from kitchen_watch.backend.organisations.tables import AreaType, EdgeRow, NodeKind
from kitchen_watch.backend.pages import audit_words
from kitchen_watch.backend.pages.answers import FrameOf, page
from kitchen_watch.backend.pages.spoken import said
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.rule_sets.service import areas_view, camera_rules

router = APIRouter(prefix="/administration", include_in_schema=False)

PAGE = 100
AUDIT_PAGE = 50
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Words = Annotated[str, Query(max_length=100)]


@router.get("")
def show_start(person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """Where everything of administration begins, and what nobody answers for."""
    with parts.database.read() as session:
        orphans = find_orphans(session, person)
    return page("administration/start.html", frame, orphans=orphans, kinds=tuple(ImportKind))


@router.get("/said")
def say(frame: FrameOf, _person: AnyPerson, sentence: Annotated[str, Query(max_length=1000)]) -> Response:
    """A sentence of the service in the language of the page, for scripts."""
    return JSONResponse({"words": said(sentence, frame.language)}, headers={"cache-control": "no-store"})


@router.get("/tree")
def show_tree(person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """The tree of nodes, and the supervision groups beside it."""
    with parts.database.read() as session:
        nodes = node_tree(session, person)
        groups = group_list(session)
        officers: dict[int, list[str]] = {}
        for node_id, name in session.execute(
            select(PersonRow.node_id, PersonRow.display_name).where(
                PersonRow.role == Role.GRID_OFFICER, PersonRow.disabled.is_(False)
            )
        ):
            officers.setdefault(node_id or 0, []).append(name)
    return page(
        "administration/tree.html", frame, nodes=nodes, groups=groups, officers=officers,
        kinds=tuple(NodeKind), parents=frozenset(node.parent_id for node in nodes),
    )  # fmt: skip


@router.get("/premises")
def list_premises(
    person: Administrator, frame: FrameOf, parts: PartsOf, cursor: PlaceId = 0, grid: PlaceId | None = None
) -> Response:
    """Premises to be changed."""
    with parts.database.read() as session:
        found = premises_page(session, person, after=cursor, limit=PAGE, node_id=grid)
        nodes = node_tree(session, person)
    return page("administration/premises_list.html", frame, found=found, nodes=nodes, grid=grid)


@router.get("/premises/new")
def new_premises(person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """The empty form of a premises."""
    with parts.database.read() as session:
        nodes = node_tree(session, person)
    return page(
        "administration/premises.html", frame, place=None, nodes=nodes, officials=(), history=(), edges=(),
        weekdays=WEEKDAYS,
    )  # fmt: skip


@router.get("/premises/{premises_id}")
def show_premises(premises_id: PlaceId, person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """The form of a premises with its cameras and its responsible officials."""
    with parts.database.read() as session:
        place = premises_detail(session, person, premises_id, now=frame.now)
        nodes = node_tree(session, person)
        history = official_history(session, person, premises_id).items
        officials = session.scalars(
            select(PersonRow)
            .where(PersonRow.role.in_(REGULATORS), PersonRow.disabled.is_(False))
            .order_by(PersonRow.display_name)
        ).all()
        edges = session.scalars(select(EdgeRow.edge_id).order_by(EdgeRow.edge_id)).all()
    return page(
        "administration/premises.html", frame, place=place, nodes=nodes, history=history,
        officials=officials, edges=edges, weekdays=WEEKDAYS, areas=tuple(AreaType),
    )  # fmt: skip


@router.get("/cameras")
def list_cameras(
    person: Regulator, frame: FrameOf, parts: PartsOf, cursor: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Cameras in scope, to change them or to draw on their pictures."""
    with parts.database.read() as session:
        found = camera_page(session, person, now=frame.now, after=cursor, limit=PAGE)
    return page("administration/camera_list.html", frame, found=found)


@router.get("/cameras/{camera_id}")
def show_camera(camera_id: str, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """One camera: its form for an administrator, and what is looked for in it and why."""
    with parts.database.read() as session:
        camera = camera_detail(session, person, camera_id, now=frame.now)
        rules = camera_rules(session, person, camera_id, now=frame.now)
        drawn = areas_view(session, person, camera_id, now=frame.now)
        edges = session.scalars(select(EdgeRow.edge_id).order_by(EdgeRow.edge_id)).all()
    return page(
        "administration/camera.html", frame, camera=camera, rules=rules, drawn=drawn, edges=edges,
        areas=tuple(AreaType),
    )  # fmt: skip


@router.get("/people")
def list_people(
    person: Administrator, frame: FrameOf, parts: PartsOf, cursor: PlaceId = 0, words: Words = ""
) -> Response:
    """Everybody who can log in."""
    with parts.database.read() as session:
        found = people_page(session, after=cursor, limit=PAGE, words=words)
    return page("administration/people.html", frame, found=found, words=words)


@router.get("/people/new")
def new_person(person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """The empty form of a login."""
    with parts.database.read() as session:
        nodes, groups = node_tree(session, person), group_list(session)
    return page("administration/person.html", frame, one=None, nodes=nodes, groups=groups, roles=tuple(Role))


@router.get("/people/{person_id}")
def show_person(person_id: PlaceId, person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """The form of a login."""
    with parts.database.read() as session:
        one = person_views(session, [find_login(session, person_id)])[0]
        nodes, groups = node_tree(session, person), group_list(session)
    return page("administration/person.html", frame, one=one, nodes=nodes, groups=groups, roles=tuple(Role))


@router.get("/imports")
def show_imports(_person: Administrator, frame: FrameOf) -> Response:
    """Send a file, take a template, export what is registered."""
    return page("administration/imports.html", frame, kinds=tuple(ImportKind), columns=COLUMNS)


@router.get("/imports/{import_id}")
def show_import(import_id: UUID, person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """What a file would do, with every cell that is wrong."""
    with parts.database.read() as session:
        preview = preview_again(session, person, import_id, now=frame.now)
    headings = {column.key: column.zh for column in COLUMNS[preview.kind]}
    return page("administration/import_preview.html", frame, preview=preview, headings=headings)


@router.get("/audit")
def show_audit(
    person: Supervisor,
    frame: FrameOf,
    parts: PartsOf,
    *,
    cursor: RowId | None = None,
    action: Annotated[str, Query(max_length=64)] = "",
    username: Annotated[str, Query(max_length=64)] = "",
    about: Annotated[str, Query(max_length=100)] = "",
    day: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Who did and saw what, newest first; a supervisor sees what concerns the own scope."""
    since, until = _day(day, frame.zone)
    filters = AuditFilters(
        action=action or None, username=username or None, about=about or None, since=since, until=until
    )
    with parts.database.read() as session:
        found = audit_page(session, person, before=cursor, limit=AUDIT_PAGE, filters=filters)
        actions = audit_actions(session)
    chosen = {"action": action, "username": username, "about": about, "day": day if since else ""}
    return page(
        "administration/audit.html", frame, found=found, chosen=chosen, actions=actions, words=audit_words
    )


def _day(text: str, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    try:
        start = datetime.combine(date.fromisoformat(text), time(), zone)
        return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, None
