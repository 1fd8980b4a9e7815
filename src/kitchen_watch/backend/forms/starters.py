"""The forms that come with the service, as versioned data: loaded once, never over somebody's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.database import Database, exclusive
from kitchen_watch.backend.forms.content import FormContent, FormKind
from kitchen_watch.backend.forms.service import LOCK, publish
from kitchen_watch.backend.forms.tables import CheckFormRow, CheckFormVersionRow

FILE = Path(__file__).with_name("starters.yaml")


@dataclass(frozen=True, slots=True)
class Starter:
    """One shipped form; ``edition`` counts what was shipped under its code."""

    code: str
    kind: FormKind
    edition: int
    content: FormContent


@cache
def starters() -> tuple[Starter, ...]:
    """The shipped forms, one of each kind."""
    values = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        Starter(
            one.pop("code"), FormKind(one.pop("kind")), one.pop("edition"), FormContent.model_validate(one)
        )
        for one in values["forms"]
    )


def load_starters(database: Database, *, now: datetime) -> None:
    """Publish shipped forms that are not there yet, and newer editions of those that nobody changed."""
    with database.read() as session:
        if not any(_missing(session, one) for one in starters()):
            return  # the usual start takes no write lock
    with database.write() as session:
        exclusive(session, LOCK)
        for one in starters():
            if not _missing(session, one):
                continue
            form = session.scalars(select(CheckFormRow).where(CheckFormRow.code == one.code)).one_or_none()
            if form is None:
                form = CheckFormRow(code=one.code, kind=one.kind, version=0, created_at=now)
                session.add(form)
                session.flush()
            publish(session, form, one.content, at=now, person_id=None, edition=one.edition)


def _missing(session: Session, starter: Starter) -> bool:
    newest = session.execute(
        select(CheckFormVersionRow.edition)
        .join(CheckFormRow, CheckFormRow.id == CheckFormVersionRow.form_id)
        .where(CheckFormRow.code == starter.code, CheckFormVersionRow.version == CheckFormRow.version)
    ).first()
    if newest is None:
        return True
    # An administrator's own version is newer than whatever is shipped.
    return newest.edition is not None and newest.edition < starter.edition
