"""Change the organisation over the API. Every write names the version seen and is written down."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.callers import Administrator, Regulator
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.organisations import administering, changing_people, changing_places, changing_tree
from kitchen_watch.backend.organisations.bodies import (
    CameraBody,
    GroupBody,
    NewCameraBody,
    NodeBody,
    OfficialBody,
    PersonBody,
    PremisesBody,
)
from kitchen_watch.backend.organisations.orphans import Orphans, find_orphans
from kitchen_watch.backend.organisations.schemas import (
    CameraView,
    GroupView,
    NodeView,
    OfficialHistory,
    PersonPage,
    PersonView,
    PersonWithPassword,
    PremisesDetail,
    Removed,
)
from kitchen_watch.backend.organisations.service import camera_detail, premises_detail
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.paging import Paging
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(prefix="/api/v1")


@router.get("/organisation/orphans", tags=["grids"], summary="What nobody answers for")
def list_orphans(person: Regulator, parts: PartsOf) -> Orphans:
    """Grids without an officer and premises without a grid, in your scope; at most 500 of each."""
    with parts.database.read() as session:
        return find_orphans(session, person)


@router.post("/grids", tags=["grids"], summary="Add a node to the tree", status_code=201)
def add_grid(body: NodeBody, _person: Administrator, write: Writing) -> NodeView:
    """A city, district, station or grid, at any depth."""
    return write.answer(
        body, NodeView, lambda session, by: administering.node_view(changing_tree.add_node(session, by, body))
    )


@router.put("/grids/{node_id}", tags=["grids"], summary="Change or move a node")
def change_grid(node_id: PlaceId, body: NodeBody, _person: Administrator, write: Writing) -> NodeView:
    """With another parent it moves, and everything below moves with it. Old alerts stay where found."""
    return write.answer(
        body,
        NodeView,
        lambda session, by: administering.node_view(changing_tree.change_node(session, by, node_id, body)),
    )


@router.delete("/grids/{node_id}", tags=["grids"], summary="Remove an empty node")
def remove_grid(
    node_id: PlaceId,
    _person: Administrator,
    write: Writing,
    version: Annotated[int, Query(ge=1, le=2**31 - 1, description="the version you have seen")],
) -> Removed:
    """Only a node with nothing below it, no premises, no people and no alerts can go."""

    def act(session: Session, by: Author) -> Removed:
        changing_tree.remove_node(session, by, node_id, version=version)
        return Removed()

    return write.answer(None, Removed, act)


@router.get("/groups", tags=["grids"], summary="Supervision groups")
def list_groups(_person: Administrator, parts: PartsOf, cut: Paging) -> list[GroupView]:
    """The groups beside the tree and the subtrees they may see."""
    with parts.database.read() as session:
        return cut.of(administering.group_list(session))


@router.post("/groups", tags=["grids"], summary="Add a supervision group", status_code=201)
def add_group(body: GroupBody, _person: Administrator, write: Writing) -> GroupView:
    """One that sees all, or the subtrees named."""
    return _save_group(write, None, body)


@router.put("/groups/{group_id}", tags=["grids"], summary="Change a supervision group")
def change_group(group_id: PlaceId, body: GroupBody, _person: Administrator, write: Writing) -> GroupView:
    """Its names and what it may see; holds for its people at once."""
    return _save_group(write, group_id, body)


def _save_group(write: Writing, group_id: int | None, body: GroupBody) -> GroupView:
    return write.answer(
        body,
        GroupView,
        lambda session, by: administering.group_view(
            changing_tree.save_group(session, by, group_id, body), sorted(set(body.node_ids))
        ),
    )


@router.post("/premises", tags=["premises"], summary="Register a premises", status_code=201)
def add_premises(body: PremisesBody, _person: Administrator, write: Writing) -> PremisesDetail:
    """Into a grid that has an officer; anything else is refused."""
    return _save_premises(write, None, body)


@router.put("/premises/{premises_id}", tags=["premises"], summary="Change or move a premises")
def change_premises(
    premises_id: PlaceId, body: PremisesBody, _person: Administrator, write: Writing
) -> PremisesDetail:
    """With another grid it moves; alerts found until then stay in the old grid's reports."""
    return _save_premises(write, premises_id, body)


def _save_premises(write: Writing, premises_id: int | None, body: PremisesBody) -> PremisesDetail:
    def act(session: Session, by: Author) -> PremisesDetail:
        row = changing_places.save_premises(session, by, premises_id, body)
        return premises_detail(session, by.person, row.id, now=by.now)

    return write.answer(body, PremisesDetail, act)


@router.get("/premises/{premises_id}/officials", tags=["premises"], summary="Responsible officials")
def list_officials(premises_id: PlaceId, person: Regulator, parts: PartsOf, cut: Paging) -> OfficialHistory:
    """Who is and who was responsible (包保), at which level, from when to when."""
    with parts.database.read() as session:
        found = administering.official_history(session, person, premises_id)
    return found.model_copy(update={"items": cut.of(found.items)})


@router.put("/premises/{premises_id}/official", tags=["premises"], summary="Name the responsible official")
def name_official(
    premises_id: PlaceId, body: OfficialBody, _person: Administrator, write: Writing
) -> OfficialHistory:
    """Holds from now on; the one before stays in the history."""

    def act(session: Session, by: Author) -> OfficialHistory:
        changing_places.name_official(session, by, premises_id, body)
        return administering.official_history(session, by.person, premises_id)

    return write.answer(body, OfficialHistory, act)


@router.post("/cameras", tags=["cameras"], summary="Register a camera", status_code=201)
def add_camera(body: NewCameraBody, _person: Administrator, write: Writing) -> CameraView:
    """Under the id that its edge gives it; the address of its picture is known to the edge alone."""
    return _save_camera(write, body.camera_id, body, new=True)


@router.put("/cameras/{camera_id}", tags=["cameras"], summary="Change a camera")
def change_camera(camera_id: str, body: CameraBody, _person: Administrator, write: Writing) -> CameraView:
    """What it shows, whom it belongs to, whether it is public; its edge hears of it."""
    return _save_camera(write, camera_id, body, new=False)


def _save_camera(write: Writing, camera_id: str, body: CameraBody, *, new: bool) -> CameraView:
    def act(session: Session, by: Author) -> CameraView:
        changing_places.save_camera(session, by, camera_id, body, new=new)
        session.flush()
        return camera_detail(session, by.person, camera_id, now=by.now)

    return write.answer(body, CameraView, act)


@router.get("/people", tags=["people"], summary="People")
def list_people(
    _person: Administrator,
    parts: PartsOf,
    *,
    cursor: Annotated[PlaceId, Query(description="next_cursor of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    words: Annotated[str, Query(max_length=100, description="part of the login or display name")] = "",
) -> PersonPage:
    """Everybody who can log in, with role and place."""
    with parts.database.read() as session:
        return administering.people_page(session, after=cursor, limit=limit, words=words)


@router.post("/people", tags=["people"], summary="Make a login", status_code=201)
def add_person(body: PersonBody, _person: Administrator, write: Writing) -> PersonWithPassword:
    """The answer holds the one-time password, this once."""

    def act(session: Session, by: Author) -> PersonWithPassword:
        row, password = changing_people.add_login(session, by, body)
        view = administering.person_views(session, [row])[0]
        return PersonWithPassword(**dict(view), one_time_password=password)

    return write.secretly(body, PersonWithPassword, act)


@router.put("/people/{person_id}", tags=["people"], summary="Change a login")
def change_person(person_id: PlaceId, body: PersonBody, _person: Administrator, write: Writing) -> PersonView:
    """Name, role, place, or disabled. A grid that holds premises is never left without an officer."""
    return write.answer(
        body,
        PersonView,
        lambda session, by: administering.person_views(
            session, [changing_people.change_login(session, by, person_id, body)]
        )[0],
    )


@router.post("/people/{person_id}/password", tags=["people"], summary="Issue a new one-time password")
def issue_password(person_id: PlaceId, _person: Administrator, write: Writing) -> PersonWithPassword:
    """All sessions of that login end; the answer holds the password, this once."""

    def act(session: Session, by: Author) -> PersonWithPassword:
        row, password = changing_people.new_password(session, by, person_id)
        view = administering.person_views(session, [row])[0]
        return PersonWithPassword(**dict(view), one_time_password=password)

    return write.secretly(None, PersonWithPassword, act)
