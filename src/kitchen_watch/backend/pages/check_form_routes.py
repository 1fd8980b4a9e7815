"""Pages of check forms: which there are, and an editor that publishes the next version of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import Administrator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.forms import service
from kitchen_watch.backend.forms.content import FormContent, ItemKind
from kitchen_watch.backend.forms.schemas import FormBody, FormView, VersionBody
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.check_form_editing import (
    choice_lines,
    content_of_fields,
    moved,
    rows_of,
)
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.patrol_words import KINDS
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.pages.spoken import said
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.errors import Conflict

router = APIRouter(prefix="/administration/check-forms", include_in_schema=False)

ITEM_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "yes_no": N_("Yes or no"),
        "choice": N_("One of several"),
        "number": N_("Measured value: rapid test, sample, temperature"),
        "text": N_("Words"),
    }
)
SPARE = 2
"""Empty lines at the end of every section, for new items."""
PROBLEM = N_(
    "This is no possible form yet: every section and item needs a name, one of several needs two or more "
    "choices, and a lower limit must not lie above the upper one. Nothing was published."
)


@router.get("")
def list_forms(_person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """Every form by its newest version, those out of use among them."""
    return _list(frame, parts)


@router.post("")
async def add_form(
    request: Request, person: Administrator, visitor: VisitorOf, frame: FrameOf, parts: PartsOf
) -> Response:
    """A new form that begins as a copy of another."""
    fields = {key: str(value) for key, value in (await request.form()).items()}
    return await run_in_threadpool(_add, fields, person, visitor.address, frame, parts)


@router.get("/{form_id}")
def show_form(form_id: PlaceId, _person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """The editor, and who changed what when."""
    return _editor(form_id, frame, parts)


@router.post("/{form_id}")
async def publish_version(
    form_id: PlaceId,
    request: Request,
    person: Administrator,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
) -> Response:
    """The next version, in use at once; what was begun with the one before is finished with that.

    A button that moves something only shows the page anew: the order is published like any change.
    """
    fields = {key: str(value).replace("\0", "") for key, value in (await request.form()).items()}
    if move := fields.pop("move", ""):
        return await run_in_threadpool(_move, form_id, fields, move, frame, parts)
    return await run_in_threadpool(_publish, form_id, fields, person, visitor.address, frame, parts)


@router.post("/{form_id}/retirement")
def retire(form_id: PlaceId, person: Administrator, visitor: VisitorOf, parts: PartsOf) -> Response:
    """Out of use, or back into it."""

    def act(session: Session, by: Author) -> int:
        retired = service.form_view(session, form_id).retired
        return service.retire(session, by, form_id, retired=not retired)

    _write(parts, person, visitor.address, act)
    return go_to(f"/administration/check-forms/{form_id}")


def _write(parts: Parts, person: Person, address: str, act: Callable[[Session, Author], int]) -> int:
    author = Author(person, Actor(person.id, address), parts.clock.now())
    with parts.database.write() as session:
        return act(session, author)


def _add(fields: dict[str, str], person: Person, address: str, frame: Frame, parts: Parts) -> Response:
    def act(session: Session, by: Author) -> int:
        copied = service.form_view(session, int(fields.get("like", "")))
        content = copied.content.model_copy(update={"name": fields.get("name", ""), "name_en": ""})
        body = FormBody(
            code=fields.get("code", ""),
            kind=copied.kind,
            content=FormContent.model_validate(content.model_dump()),
        )
        return service.add_form(session, by, body)

    try:
        form_id = _write(parts, person, address, act)
    except ValueError:  # a ValidationError is one
        return _list(frame, parts, given=fields, problem=frame.language.gettext(PROBLEM))
    except Conflict as error:
        return _list(frame, parts, given=fields, problem=said(str(error), frame.language))
    return go_to(f"/administration/check-forms/{form_id}")


def _publish(
    form_id: int, fields: dict[str, str], person: Person, address: str, frame: Frame, parts: Parts
) -> Response:
    def act(session: Session, by: Author) -> int:
        before = service.form_view(session, form_id)
        body = VersionBody(
            content=content_of_fields(fields, before.content),
            version=int(fields.get("version", "")),
            note=fields.get("note", "").strip(),
        )
        return service.add_version(session, by, form_id, body)

    try:
        _write(parts, person, address, act)
    except (ValidationError, ValueError):
        return _editor(form_id, frame, parts, given=fields, problem=frame.language.gettext(PROBLEM))
    except Conflict as error:
        return _editor(form_id, frame, parts, given=fields, problem=said(str(error), frame.language))
    return go_to(f"/administration/check-forms/{form_id}")


def _move(form_id: int, fields: dict[str, str], move: str, frame: Frame, parts: Parts) -> Response:
    mark, _, way = move.rpartition("-")
    fields, mark = moved(fields, mark, -1 if way == "up" else 1)
    return _editor(form_id, frame, parts, given=fields, moved_to=(mark, way))


def _list(
    frame: Frame, parts: Parts, *, given: Mapping[str, str] | None = None, problem: str = ""
) -> Response:
    with parts.database.read() as session:
        forms = service.form_list(session, kind=None, retired=True).items
    return page(
        "administration/check_forms.html", frame, status=422 if problem else 200, forms=forms, kinds=KINDS,
        given=given or {}, problem=problem,
    )  # fmt: skip


def _editor(
    form_id: int,
    frame: Frame,
    parts: Parts,
    *,
    given: Mapping[str, str] | None = None,
    problem: str = "",
    moved_to: tuple[str, str] = ("", ""),
) -> Response:
    with parts.database.read() as session:
        form = service.form_view(session, form_id)
        history = service.form_history(session, form_id).items
    return page(
        "administration/check_form.html", frame, status=422 if problem else 200, form=form, history=history,
        problem=problem, kinds=KINDS, item_kinds=ITEM_KINDS, **lines_of(form, given), moved_to=moved_to,
    )  # fmt: skip


def lines_of(form: FormView, given: Mapping[str, str] | None) -> dict[str, Any]:
    """The fields of the page and how many lines each section has; what was typed comes back line by line."""
    if given:
        return {"fields": given, "rows": rows_of(given)}
    fields = fields_of(form)
    return {"fields": fields, "rows": [*(count + SPARE for count in rows_of(fields)), SPARE]}


def fields_of(form: FormView) -> dict[str, str]:
    """The newest version as the fields of the page."""
    content = form.content
    fields = {"name": content.name, "name_en": content.name_en, "version": str(form.version), "note": ""}
    for number, section in enumerate(content.sections):
        fields |= {
            f"{number}-key": section.key,
            f"{number}-name": section.name,
            f"{number}-name_en": section.name_en,
        }
        for place, item in enumerate(section.items):
            mark = f"{number}-{place}"
            values = {
                "key": item.key, "name": item.name, "name_en": item.name_en, "kind": item.kind.value,
                "hint": item.hint, "hint_en": item.hint_en, "good": item.good, "unit": item.unit,
                "minimum": _plain(item.minimum), "maximum": _plain(item.maximum),
                "choices": choice_lines(item.choices) if item.kind is ItemKind.CHOICE else "",
            }  # fmt: skip
            fields |= {f"{mark}-{name}": value for name, value in values.items()}
            if item.required:
                fields[f"{mark}-required"] = "on"
            if item.photo_if_bad:
                fields[f"{mark}-photo"] = "on"
    return fields


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:g}"
