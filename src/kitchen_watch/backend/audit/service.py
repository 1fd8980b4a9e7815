"""Write down who did and saw what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.tables import AuditRow


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and from which network address."""

    person_id: int | None
    address: str


def record(
    session: Session,
    actor: Actor,
    action: str,
    *,
    at: datetime,
    about: tuple[str, object] | None = None,
    premises_id: int | None = None,
    purpose: str = "",
    **facts: Any,
) -> None:
    """Add one entry to the log; ``about`` is the kind and the id of what it was done to."""
    session.add(
        AuditRow(
            at=at,
            person_id=actor.person_id,
            action=action,
            object_type=about[0] if about else "",
            object_id=str(about[1]) if about else "",
            premises_id=premises_id,
            address=actor.address[:64],
            purpose=purpose[:200],
            facts=facts,
        )
    )
