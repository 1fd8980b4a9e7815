"""What is held now: conditions for queries. Whoever deletes asks here, in the transaction of the deletion."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.backend.holds.tables import HoldKind, HoldRow

LOCK = "holds"


def lock_holds(session: Session) -> None:
    """Until this transaction ends nobody else places a hold, and nobody else deletes."""
    exclusive(session, LOCK)


def active(now: datetime) -> ColumnElement[bool]:
    """Condition on :class:`HoldRow`: it holds at ``now``."""
    return and_(HoldRow.lifted_at.is_(None), or_(HoldRow.ends_at.is_(None), HoldRow.ends_at > now))


def held_alerts(session: Session, alert_ids: Iterable[int], *, now: datetime) -> set[int]:
    """Those of the alerts on which any hold lies at ``now``."""
    hold = select(HoldRow.id).where(active(now), _concerns()).exists()
    return set(session.scalars(select(AlertRow.id).where(AlertRow.id.in_(list(alert_ids)), hold)))


def _concerns() -> ColumnElement[bool]:
    """Whether a hold is about an alert: named, or by the moments that the alert or its evidence shows.

    A device's clock may be wrong, so the moment at which the backend heard of it counts as well.
    """
    shown = (
        select(EvidenceFileRow.id)
        .where(
            EvidenceFileRow.alert_id == AlertRow.id,
            EvidenceFileRow.starts_at <= HoldRow.until_at,
            or_(
                EvidenceFileRow.starts_at >= HoldRow.since_at,
                EvidenceFileRow.ends_at >= HoldRow.since_at,
            ),
        )
        .exists()
    )
    touches = or_(
        and_(AlertRow.started_at <= HoldRow.until_at, AlertRow.last_seen_at >= HoldRow.since_at),
        AlertRow.found_at.between(HoldRow.since_at, HoldRow.until_at),
        shown,
    )
    return or_(
        and_(HoldRow.kind == HoldKind.ALERT, HoldRow.alert_id == AlertRow.id),
        and_(HoldRow.kind == HoldKind.CAMERA, HoldRow.camera_id == AlertRow.camera_id, touches),
        and_(HoldRow.kind == HoldKind.PREMISES, HoldRow.premises_id == AlertRow.premises_id, touches),
    )


def alerts_of(hold: HoldRow) -> ColumnElement[bool]:
    """Condition on :class:`AlertRow`: the hold ``hold`` is about it."""
    return and_(
        AlertRow.premises_id == hold.premises_id,
        select(HoldRow.id).where(HoldRow.id == hold.id, _concerns()).exists(),
    )
