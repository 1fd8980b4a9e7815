"""What pages show of a whole district without reading all of it: counts, choices, and what is troubled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.organisations.camera_lists import in_trouble
from kitchen_watch.backend.organisations.schemas import CameraView
from kitchen_watch.backend.organisations.service import SILENT_AFTER, camera_views
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.control import CameraState

NEVER_HEARD = "unknown"
MOST_CHOICES = 300
"""As many as a list to choose from can sensibly hold: more than any station has."""


@dataclass(frozen=True, slots=True)
class PremisesChoice:
    """A premises in a list to choose from."""

    id: int
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class CameraOverview:
    """How many cameras are in which state, and the first of those in trouble."""

    by_state: Counter[str]
    troubled: list[CameraView]

    @property
    def total(self) -> int:
        """How many there are."""
        return self.by_state.total()


def premises_choices(session: Session, person: Person, *, chosen: int | None) -> list[PremisesChoice]:
    """Every premises in scope; where they are too many for a list, only the chosen one."""
    query = select(PremisesRow.id, PremisesRow.name, PremisesRow.name_en).where(person.scope.premises())
    rows = session.execute(query.order_by(PremisesRow.id).limit(MOST_CHOICES + 1)).all()
    if len(rows) > MOST_CHOICES:
        rows = session.execute(query.where(PremisesRow.id == chosen)).all()
    return [PremisesChoice(*row) for row in rows]


def premises_count(session: Session, person: Person) -> int:
    """How many premises are in scope."""
    return session.scalar(select(func.count()).select_from(PremisesRow).where(person.scope.premises())) or 0


def camera_overview(session: Session, person: Person, *, now: datetime, troubled: int = 0) -> CameraOverview:
    """Cameras in scope by the state that is shown of them, and up to ``troubled`` in a bad one."""
    connected = and_(EdgeStateRow.connection_id.is_not(None), EdgeStateRow.last_heard_at > now - SILENT_AFTER)
    counts = session.execute(
        select(CameraStateRow.state, connected, func.count())
        .select_from(CameraRow)
        .outerjoin(CameraStateRow, CameraStateRow.camera_id == CameraRow.camera_id)
        .outerjoin(EdgeStateRow, EdgeStateRow.edge_id == CameraRow.edge_id)
        .where(person.scope.owned(CameraRow.premises_id))
        .group_by(CameraStateRow.state, connected)
    )
    by_state: Counter[str] = Counter()
    for state, heard, count in counts:
        by_state[NEVER_HEARD if state is None else state if heard else CameraState.OFFLINE] += count
    found = camera_views(session, person, now=now, where=in_trouble(now), limit=troubled) if troubled else []
    return CameraOverview(by_state, found)
