"""Photos with which a premises answers a finding: checked and compared as those of an alert are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.evidence.upload import lock_content
from kitchen_watch.backend.handling.photos import Photo, looks_alike, store
from kitchen_watch.backend.handling.tables import PhotoRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.patrols.checks import visible_check
from kitchen_watch.backend.patrols.tables import (
    FindingPhotoRow,
    PatrolFindingRow,
    PatrolPictureRow,
    PictureSource,
)
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

COMPARED = 2000
"""A photo is compared with so many earlier ones of its premises, of each kind."""
MAX_LOOSE = 30
"""So many photos may wait for being handed in with one answer."""


def add_photo(
    session: Session, by: Author, finding: PatrolFindingRow, photo: Photo, directory: Path
) -> FindingPhotoRow:
    """Keep a photo for the answer to a finding, which the caller has locked and found to be waiting for one.

    A finding begins when its check is handed in, so by the server's time the photo comes after it.

    Raises:
        Conflict: too many wait to be handed in.
        InvalidRequest: it is a picture that was used before.
    """
    same = _same_upload(session, finding, photo)
    if same is not None:
        return same  # its answer was lost
    if (used := _used_before(session, finding.premises_id, photo)) is not None:
        raise InvalidRequest(
            f"This picture was used before, on {used:%Y-%m-%d}. Take a new photo of how it is now."
        )
    loose = session.scalar(
        select(func.count()).where(FindingPhotoRow.finding_id == finding.id, FindingPhotoRow.answer.is_(None))
    )
    if (loose or 0) >= MAX_LOOSE:
        raise Conflict(
            f"{MAX_LOOSE} photos wait to be handed in with this finding already. Hand them in first."
        )
    lock_content(session, photo.sha256)  # retention may remove an older copy just now
    store(directory, photo)
    row = FindingPhotoRow(
        finding_id=finding.id,
        premises_id=finding.premises_id,
        person_id=by.person.id,
        at=by.now,
        sha256=photo.sha256,
        look=photo.look,
        width=photo.width,
        height=photo.height,
        size_bytes=len(photo.content),
    )
    session.add(row)
    by.note(
        session,
        "finding_photo_added",
        ("finding", finding.id),
        premises_id=finding.premises_id,
        sha256=photo.sha256,
    )
    session.flush()
    return row


def hand_in(session: Session, finding: PatrolFindingRow, photo_ids: list[int]) -> None:
    """Let photos that wait go with the answer that is about to be added to the finding's rounds.

    Raises:
        InvalidRequest: one of them does not wait with this finding.
    """
    wanted = set(photo_ids)
    rows = session.scalars(
        select(FindingPhotoRow).where(
            FindingPhotoRow.id.in_(wanted),
            FindingPhotoRow.finding_id == finding.id,
            FindingPhotoRow.answer.is_(None),
        )
    ).all()
    if len(rows) != len(wanted):
        raise InvalidRequest("One of the photos is not there, or was handed in before. Upload it anew.")
    for row in rows:
        row.answer = len(finding.rounds)


def look_at_photo(session: Session, by: Author, finding_id: int, photo_id: int) -> FindingPhotoRow:
    """A photo of a finding in scope; looking at it is written down.

    Raises:
        NotFound: there is none that this person may see: officers see what was handed in.
    """
    row = session.get(FindingPhotoRow, photo_id)
    finding = session.get(PatrolFindingRow, finding_id)
    if row is None or finding is None or row.finding_id != finding.id:
        raise NotFound("There is no such picture.")
    visible_check(session, by.person, finding.check_id)
    if row.deleted_at is not None or (row.answer is None and not by.person.is_premises_side):
        raise NotFound("There is no such picture.")
    by.note(
        session,
        "finding_photo_viewed",
        ("finding", finding.id),
        premises_id=finding.premises_id,
        sha256=row.sha256,
    )
    return row


def _same_upload(session: Session, finding: PatrolFindingRow, photo: Photo) -> FindingPhotoRow | None:
    return session.scalars(
        select(FindingPhotoRow)
        .where(
            FindingPhotoRow.finding_id == finding.id,
            FindingPhotoRow.answer.is_(None),
            FindingPhotoRow.deleted_at.is_(None),
            FindingPhotoRow.sha256 == photo.sha256,
        )
        .limit(1)
    ).first()


def _used_before(session: Session, premises_id: int, photo: Photo) -> datetime | None:
    """When a picture of this look was used in the premises: for a finding, a check, or an alert."""
    earlier = (
        select(FindingPhotoRow.look, FindingPhotoRow.at)
        .where(FindingPhotoRow.premises_id == premises_id)
        .order_by(FindingPhotoRow.id.desc()),
        select(PatrolPictureRow.look, PatrolPictureRow.at)
        .where(PatrolPictureRow.premises_id == premises_id, PatrolPictureRow.source == PictureSource.PHOTO)
        .order_by(PatrolPictureRow.id.desc()),
        select(PhotoRow.look, PhotoRow.uploaded_at)
        .where(PhotoRow.premises_id == premises_id)
        .order_by(PhotoRow.id.desc()),
    )
    for query in earlier:
        for look, at in session.execute(query.limit(COMPARED)):
            if looks_alike(look, photo.look):
                return at
    return None
