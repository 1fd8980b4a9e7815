"""Take a photo for the rectification of an alert."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.service import record
from kitchen_watch.backend.evidence.upload import lock_content
from kitchen_watch.backend.handling.photos import Photo, looks_alike, store
from kitchen_watch.backend.handling.service import WITH_PREMISES
from kitchen_watch.backend.handling.steps import Hand, locked_alert
from kitchen_watch.backend.handling.tables import PhotoRow
from kitchen_watch.backend.patrols.tables import FindingPhotoRow
from kitchen_watch.errors import Conflict, InvalidRequest, NotPermitted

COMPARED = 2000
"""A photo is compared with so many earlier ones of its premises."""
MAX_LOOSE = 30
"""So many photos may wait for being submitted with one alert."""


def add_photo(session: Session, hand: Hand, alert_id: int, photo: Photo, directory: Path) -> PhotoRow:
    """Keep a photo for this alert. By the server's time it comes after the assignment, or not at all.

    Raises:
        Conflict: the alert is not with the restaurant now.
        InvalidRequest: it is a picture that was used before.
    """
    alert = locked_alert(session, hand, alert_id)
    if not hand.person.is_premises_side:
        raise NotPermitted("Only the restaurant's own people may do this.")
    if alert.state not in WITH_PREMISES:
        raise Conflict(
            "Photos are taken from the assignment of an alert until its rectification is submitted."
        )
    earlier = _same_look(session, alert, photo)
    if earlier is not None:
        if (earlier.alert_id, earlier.rectification_id, earlier.sha256) == (alert.id, None, photo.sha256):
            return earlier  # the same upload once more: its answer was lost
        raise InvalidRequest(
            f"This picture was used before, on {earlier.uploaded_at:%Y-%m-%d}. "
            "Take a new photo of how it is now."
        )
    if (used := _used_for_a_finding(session, alert, photo)) is not None:
        raise InvalidRequest(
            f"This picture was used before, on {used:%Y-%m-%d}. Take a new photo of how it is now."
        )
    loose = session.scalar(
        select(func.count()).where(PhotoRow.alert_id == alert.id, PhotoRow.rectification_id.is_(None))
    )
    if (loose or 0) >= MAX_LOOSE:
        raise Conflict(f"{MAX_LOOSE} photos wait to be submitted with this alert already. Submit them first.")
    lock_content(session, photo.sha256)  # retention may remove an older copy just now
    store(directory, photo)
    row = PhotoRow(
        alert_id=alert.id,
        premises_id=alert.premises_id,
        person_id=hand.person.id,
        uploaded_at=hand.now,
        sha256=photo.sha256,
        look=photo.look,
        width=photo.width,
        height=photo.height,
        size_bytes=len(photo.content),
    )
    session.add(row)
    record(
        session,
        hand.actor,
        "photo_uploaded",
        at=hand.now,
        about=("alert", alert.id),
        premises_id=alert.premises_id,
        sha256=photo.sha256,
    )
    session.flush()
    return row


def _same_look(session: Session, alert: AlertRow, photo: Photo) -> PhotoRow | None:
    earlier = session.scalars(
        select(PhotoRow)
        .where(PhotoRow.premises_id == alert.premises_id)
        .order_by(PhotoRow.id.desc())
        .limit(COMPARED)
    )
    return next((row for row in earlier if looks_alike(row.look, photo.look)), None)


def _used_for_a_finding(session: Session, alert: AlertRow, photo: Photo) -> datetime | None:
    earlier = session.execute(
        select(FindingPhotoRow.look, FindingPhotoRow.at)
        .where(FindingPhotoRow.premises_id == alert.premises_id)
        .order_by(FindingPhotoRow.id.desc())
        .limit(COMPARED)
    )
    return next((at for look, at in earlier if looks_alike(look, photo.look)), None)
