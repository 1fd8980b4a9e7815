"""The tree, premises and cameras over the API, each within the caller's scope."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from kitchen_watch.backend.auth.callers import AnyPerson, Regulator
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.organisations import service
from kitchen_watch.backend.organisations.camera_lists import named_like
from kitchen_watch.backend.organisations.schemas import (
    CameraPage,
    CameraView,
    NodeView,
    PremisesDetail,
    PremisesPage,
)
from kitchen_watch.backend.paging import Paging
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(prefix="/api/v1")

_Limit = Annotated[int, Query(ge=1, le=service.MAX_PAGE)]


@router.get("/grids", tags=["grids"], summary="The supervision tree")
def list_grids(person: Regulator, parts: PartsOf, cut: Paging) -> list[NodeView]:
    """Every node in your scope (city, districts, stations, grids), in the order of the tree."""
    with parts.database.read() as session:
        return cut.of(service.node_tree(session, person))


@router.get("/premises", tags=["premises"], summary="Premises")
def list_premises(
    person: AnyPerson,
    parts: PartsOf,
    *,
    cursor: Annotated[PlaceId, Query(description="next_cursor of the page before")] = 0,
    limit: _Limit = 100,
    grid_id: Annotated[PlaceId | None, Query(description="a node of the tree; its whole subtree")] = None,
) -> PremisesPage:
    """Premises in your scope with their cameras and open alerts counted."""
    with parts.database.read() as session:
        return service.premises_page(session, person, after=cursor, limit=limit, node_id=grid_id)


@router.get("/premises/{premises_id}", tags=["premises"], summary="One premises")
def get_premises(premises_id: PlaceId, person: AnyPerson, parts: PartsOf) -> PremisesDetail:
    """The premises with its cameras and how they are."""
    with parts.database.read() as session:
        return service.premises_detail(session, person, premises_id, now=parts.clock.now())


@router.get("/cameras", tags=["cameras"], summary="Cameras")
def list_cameras(
    person: AnyPerson,
    parts: PartsOf,
    *,
    cursor: Annotated[str, Query(max_length=64, description="next_cursor of the page before")] = "",
    limit: _Limit = 100,
    words: Annotated[str, Query(max_length=100, description="part of its id, name or premises")] = "",
) -> CameraPage:
    """Cameras in your scope and how they are."""
    with parts.database.read() as session:
        return service.camera_page(
            session, person, now=parts.clock.now(), where=named_like(words), after=cursor, limit=limit
        )


@router.get("/cameras/{camera_id}", tags=["cameras"], summary="One camera")
def get_camera(camera_id: str, person: AnyPerson, parts: PartsOf) -> CameraView:
    """The camera and how it is."""
    with parts.database.read() as session:
        return service.camera_detail(session, person, camera_id, now=parts.clock.now())
