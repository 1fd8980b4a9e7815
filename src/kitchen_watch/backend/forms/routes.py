"""Check forms over the API: everybody reads them, administrators publish new versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.callers import Administrator, AnyPerson
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.forms import service
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.forms.schemas import (
    FormBody,
    FormHistory,
    FormList,
    FormView,
    RetireBody,
    VersionBody,
)
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.paging import Paging
from kitchen_watch.backend.parts import PartsOf

router = APIRouter(prefix="/api/v1/check-forms", tags=["check forms"])

_Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("", summary="Check forms")
def list_forms(
    _person: AnyPerson,
    parts: PartsOf,
    *,
    kind: FormKind | None = None,
    retired: Annotated[bool, Query(description="also those that are no longer in use")] = False,
    cut: Paging,
) -> FormList:
    """By their newest versions; the items of one are told by its own address."""
    with parts.database.read() as session:
        found = service.form_list(session, kind=kind, retired=retired)
    return found.model_copy(update={"items": cut.of(found.items)})


@router.get("/{form_id}", summary="A check form")
def get_form(form_id: PlaceId, _person: AnyPerson, parts: PartsOf) -> FormView:
    """Its newest version with all sections and items."""
    with parts.database.read() as session:
        return service.form_view(session, form_id)


@router.get("/{form_id}/versions", summary="Its versions")
def list_versions(form_id: PlaceId, _person: AnyPerson, parts: PartsOf, cut: Paging) -> FormHistory:
    """Who published each and why, the newest first."""
    with parts.database.read() as session:
        found = service.form_history(session, form_id)
    return found.model_copy(update={"items": cut.of(found.items)})


@router.get("/{form_id}/versions/{version}", summary="One version of it")
def get_version(form_id: PlaceId, version: _Version, _person: AnyPerson, parts: PartsOf) -> FormView:
    """As it was filled then; a version never changes."""
    with parts.database.read() as session:
        return service.form_view(session, form_id, version=version)


@router.post("", summary="Make a check form", status_code=201)
def add_form(body: FormBody, _person: Administrator, write: Writing) -> FormView:
    """With its first version, which is in use at once."""

    def act(session: Session, by: Author) -> FormView:
        return service.form_view(session, service.add_form(session, by, body))

    return write.answer(body, FormView, act)


@router.post("/{form_id}/versions", summary="Publish a new version", status_code=201)
def add_version(form_id: PlaceId, body: VersionBody, _person: Administrator, write: Writing) -> FormView:
    """Forms that were begun with an older version are finished with that one."""

    def act(session: Session, by: Author) -> FormView:
        return service.form_view(session, service.add_version(session, by, form_id, body))

    return write.answer(body, FormView, act)


@router.post("/{form_id}/retirement", summary="Take a form out of use, or back into it")
def retire_form(form_id: PlaceId, body: RetireBody, _person: Administrator, write: Writing) -> FormView:
    """It is no longer offered; what was filled stays readable."""

    def act(session: Session, by: Author) -> FormView:
        return service.form_view(session, service.retire(session, by, form_id, retired=body.retired))

    return write.answer(body, FormView, act)
