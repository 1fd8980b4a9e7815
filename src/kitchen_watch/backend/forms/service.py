"""Publish and read check forms; each function is one step of a transaction."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.forms.content import FormContent, FormKind
from kitchen_watch.backend.forms.schemas import (
    FormBody,
    FormHistory,
    FormList,
    FormSummary,
    FormVersionBrief,
    FormView,
    VersionBody,
)
from kitchen_watch.backend.forms.tables import CheckFormRow, CheckFormVersionRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.errors import Conflict, NotFound

LOCK = "check-forms"


def form_list(session: Session, *, kind: FormKind | None = None, retired: bool = False) -> FormList:
    """Forms in use, and the retired ones where they are asked for."""
    query = select(CheckFormRow, CheckFormVersionRow).join(
        CheckFormVersionRow,
        (CheckFormVersionRow.form_id == CheckFormRow.id)
        & (CheckFormVersionRow.version == CheckFormRow.version),
    )
    if kind is not None:
        query = query.where(CheckFormRow.kind == kind)
    if not retired:
        query = query.where(CheckFormRow.retired.is_(False))
    found = []
    for form, newest in session.execute(query.order_by(CheckFormRow.id)).all():
        content = content_of(newest)
        found.append(
            FormSummary(
                id=form.id,
                code=form.code,
                kind=form.kind,
                name=content.name,
                name_en=content.name_en,
                version=form.version,
                items=sum(1 for _ in content.all_items()),
                retired=form.retired,
                published_at=newest.published_at,
            )
        )
    order = list(FormKind)
    return FormList(items=sorted(found, key=lambda one: (order.index(one.kind), one.id)))


def form_view(session: Session, form_id: int, *, version: int | None = None) -> FormView:
    """A version of a form, the newest where none is named.

    Raises:
        NotFound: there is no such form or version.
    """
    form = _form(session, form_id)
    row = session.scalars(
        select(CheckFormVersionRow).where(
            CheckFormVersionRow.form_id == form_id,
            CheckFormVersionRow.version == (form.version if version is None else version),
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"Form {form_id} has no version {version}.")
    return FormView(
        id=form.id,
        version_id=row.id,
        code=form.code,
        kind=form.kind,
        version=row.version,
        newest=form.version,
        retired=form.retired,
        content=content_of(row),
        sha256=row.sha256,
        published_at=row.published_at,
        published_by=_name(session, row.person_id),
        note=row.note,
    )


def form_history(session: Session, form_id: int) -> FormHistory:
    """Its versions, the newest first.

    Raises:
        NotFound: there is no such form.
    """
    _form(session, form_id)
    rows = session.scalars(
        select(CheckFormVersionRow)
        .where(CheckFormVersionRow.form_id == form_id)
        .order_by(CheckFormVersionRow.version.desc())
    )
    return FormHistory(
        items=[
            FormVersionBrief(
                version=row.version,
                published_at=row.published_at,
                published_by=_name(session, row.person_id),
                note=row.note,
                sha256=row.sha256,
            )
            for row in rows
        ]
    )


def newest_version(
    session: Session, kind: FormKind, *, form_id: int | None = None
) -> tuple[CheckFormRow, CheckFormVersionRow]:
    """What somebody fills who fills a form of this kind now: the form named, or the first one in use.

    Raises:
        NotFound: there is no such form of that kind in use.
    """
    query = select(CheckFormRow, CheckFormVersionRow).join(
        CheckFormVersionRow,
        (CheckFormVersionRow.form_id == CheckFormRow.id)
        & (CheckFormVersionRow.version == CheckFormRow.version),
    )
    query = query.where(CheckFormRow.kind == kind, CheckFormRow.retired.is_(False))
    if form_id is not None:
        query = query.where(CheckFormRow.id == form_id)
    found = session.execute(query.order_by(CheckFormRow.id).limit(1)).first()
    if found is None:
        raise NotFound("There is no such check form in use.")
    return found[0], found[1]


def content_of(row: CheckFormVersionRow) -> FormContent:
    """The sections and items of a version."""
    return FormContent.model_validate(row.content)


def add_form(session: Session, by: Author, body: FormBody) -> int:
    """Make a form and publish its first version; its id.

    Raises:
        Conflict: its code is taken.
    """
    exclusive(session, LOCK)
    if session.scalars(select(CheckFormRow.id).where(CheckFormRow.code == body.code)).first() is not None:
        raise Conflict(f"There is a check form {body.code} already. Publish a new version of it.")
    form = CheckFormRow(code=body.code, kind=body.kind, version=0, created_at=by.now)
    session.add(form)
    session.flush()
    publish(session, form, body.content, at=by.now, person_id=by.person.id, note=body.note)
    by.note(session, "check_form_published", ("check_form", form.id), code=form.code, version=1)
    return form.id


def add_version(session: Session, by: Author, form_id: int, body: VersionBody) -> int:
    """Publish the next version of a form; its id.

    Raises:
        NotFound: there is no such form.
        Conflict: somebody published one meanwhile, or nothing is different.
    """
    exclusive(session, LOCK)
    form = _form(session, form_id)
    if form.version != body.version:
        raise Conflict("Somebody else has changed this meanwhile. Look at it again, then repeat your change.")
    newest = form_view(session, form_id)
    if newest.sha256 == fingerprint(body.content):
        raise Conflict("This version says the same as the one before it.")
    publish(session, form, body.content, at=by.now, person_id=by.person.id, note=body.note)
    by.note(session, "check_form_published", ("check_form", form.id), code=form.code, version=form.version)
    return form.id


def retire(session: Session, by: Author, form_id: int, *, retired: bool) -> int:
    """Take a form out of use or back; what was filled stays as it is.

    Raises:
        NotFound: there is no such form.
    """
    form = _form(session, form_id)
    if form.retired != retired:
        form.retired = retired
        action = "check_form_retired" if retired else "check_form_restored"
        by.note(session, action, ("check_form", form.id), code=form.code)
    return form.id


def publish(
    session: Session,
    form: CheckFormRow,
    content: FormContent,
    *,
    at: datetime,
    person_id: int | None,
    edition: int | None = None,
    note: str = "",
) -> CheckFormVersionRow:
    """Add the next version of a form."""
    form.version += 1
    row = CheckFormVersionRow(
        form_id=form.id,
        version=form.version,
        content=content.model_dump(mode="json"),
        sha256=fingerprint(content),
        edition=edition,
        published_at=at,
        person_id=person_id,
        note=note,
    )
    session.add(row)
    session.flush()
    return row


def fingerprint(content: FormContent) -> str:
    """SHA-256 of the content as canonical JSON: sorted keys, no blanks, UTF-8."""
    text = json.dumps(
        content.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _form(session: Session, form_id: int) -> CheckFormRow:
    form = session.get(CheckFormRow, form_id)
    if form is None:
        raise NotFound(f"There is no check form {form_id}.")
    return form


def _name(session: Session, person_id: int | None) -> str:
    return "" if person_id is None else session.get_one(PersonRow, person_id).display_name
