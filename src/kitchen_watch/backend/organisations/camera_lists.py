"""Cameras in pages: a city has more of them than any page can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.organisations.schemas import CameraView
from kitchen_watch.backend.organisations.service import SILENT_AFTER, camera_views
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.backend.searching import holds_words
from kitchen_watch.control import CameraState

HEALTHY = frozenset({CameraState.STREAMING, CameraState.PAUSED})


@dataclass(frozen=True, slots=True)
class CameraSlice:
    """Some of the cameras that were asked for, from number ``first`` (from 0) on; how many there are."""

    cameras: list[CameraView]
    first: int
    total: int


def in_trouble(now: datetime) -> ColumnElement[bool]:
    """Whether a camera is in a bad state, or nothing is heard of it (on its state and its edge's)."""
    return or_(
        CameraStateRow.camera_id.is_(None),
        CameraStateRow.state.not_in(HEALTHY),
        EdgeStateRow.edge_id.is_(None),
        EdgeStateRow.connection_id.is_(None),
        EdgeStateRow.last_heard_at <= now - SILENT_AFTER,
    )


def camera_slice(
    session: Session,
    person: Person,
    *,
    now: datetime,
    first: int,
    limit: int,
    words: str = "",
    troubled_first: bool = False,
) -> CameraSlice:
    """Cameras in scope whose id, name or premises hold ``words``; beyond the end it begins anew."""
    wanted = named_like(words)
    total = session.scalar(
        select(func.count())
        .select_from(CameraRow)
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .where(person.scope.owned(CameraRow.premises_id), wanted)
    )
    first = first if first < (total or 0) else 0
    order = (not_(in_trouble(now)),) if troubled_first else ()
    found = camera_views(session, person, now=now, where=wanted, limit=limit, offset=first, order=order)
    return CameraSlice(found, first, total or 0)


def first_streaming(session: Session, person: Person, *, now: datetime) -> CameraView | None:
    """A camera in scope whose picture is there now."""
    where = and_(CameraStateRow.state == CameraState.STREAMING, not_(in_trouble(now)))
    return next(iter(camera_views(session, person, now=now, where=where, limit=1)), None)


def named_like(words: str) -> ColumnElement[bool]:
    """Whether the id, a name, or the premises of a camera hold these words."""
    return holds_words(
        words,
        CameraRow.camera_id,
        CameraRow.name,
        CameraRow.name_en,
        PremisesRow.name,
        PremisesRow.name_en,
    )
