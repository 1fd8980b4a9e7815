"""Pictures of a check: photos checked and encoded anew, snapshots of live cameras with their hash."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.evidence.upload import lock_content
from kitchen_watch.backend.handling.photos import Photo, look_of, looks_alike, store
from kitchen_watch.backend.live.snapshots import Snapshot
from kitchen_watch.backend.organisations.tables import CameraRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.patrols.checks import form_of, my_open_check, visible_check
from kitchen_watch.backend.patrols.queue import purpose_of
from kitchen_watch.backend.patrols.settings import PatrolSettings
from kitchen_watch.backend.patrols.tables import (
    CheckState,
    PatrolCheckRow,
    PatrolPictureRow,
    PictureSource,
)
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

MAX_PICTURES = 60
COMPARED = 2000
"""A photo is compared with so many earlier ones of its premises."""


def add_picture(
    session: Session,
    by: Author,
    settings: PatrolSettings,
    check_id: int,
    photo: Photo,
    directory: Path,
    *,
    item: str,
    camera_id: str | None = None,
) -> PatrolPictureRow:
    """Keep a picture for an item of an open check; with a camera it is a snapshot.

    Raises:
        InvalidRequest: the form has no such item, or the photo was used in another check.
        Conflict: the camera is not one of this premises, or there are too many pictures.
    """
    row = my_open_check(session, by, settings, check_id)
    if item and item not in {one.key for one in form_of(session, row).all_items()}:
        raise InvalidRequest("This form has no such item.")
    if camera_id is None:
        earlier = _same_look(session, row, photo)
        if earlier is not None:
            if (earlier.check_id, earlier.item, earlier.sha256) == (row.id, item, photo.sha256):
                return earlier  # the same upload once more: its answer was lost
            if earlier.check_id != row.id:
                raise InvalidRequest(
                    f"This picture was used before, on {earlier.at:%Y-%m-%d}. "
                    "Take a new photo of how it is now."
                )
    else:
        check_camera(session, row, camera_id)
    count = session.scalar(select(func.count()).where(PatrolPictureRow.check_id == row.id)) or 0
    if count >= MAX_PICTURES:
        raise Conflict(f"This check has {MAX_PICTURES} pictures already.")
    lock_content(session, photo.sha256)  # retention may remove an older copy just now
    store(directory, photo)
    picture = PatrolPictureRow(
        check_id=row.id,
        premises_id=row.premises_id,
        item=item,
        source=PictureSource.PHOTO if camera_id is None else PictureSource.SNAPSHOT,
        camera_id=camera_id,
        person_id=by.person.id,
        at=by.now,
        sha256=photo.sha256,
        look=photo.look,
        width=photo.width,
        height=photo.height,
        size_bytes=len(photo.content),
    )
    session.add(picture)
    by.note(
        session,
        "patrol_picture_added",
        ("patrol", row.id),
        premises_id=row.premises_id,
        purpose=purpose_of(row.id),
        sha256=photo.sha256,
        source=picture.source.value,
    )
    session.flush()
    return picture


def check_camera(session: Session, row: PatrolCheckRow, camera_id: str) -> None:
    """Return if the camera belongs to the premises of the check.

    Raises:
        Conflict: it shows another one.
    """
    camera = session.get(CameraRow, camera_id)
    if camera is None or camera.premises_id != row.premises_id:
        raise Conflict("This camera does not belong to the premises of the check.")


def as_photo(taken: Snapshot) -> Photo:
    """A marked snapshot as it is kept: the very bytes whose hash the audit log has."""
    with Image.open(io.BytesIO(taken.content), formats=("JPEG",)) as picture:
        return Photo(taken.content, picture.width, picture.height, taken.sha256, look_of(picture))


def remove_picture(
    session: Session, by: Author, settings: PatrolSettings, check_id: int, picture_id: int
) -> PatrolCheckRow:
    """Take a picture out of a check that is still open; that it was there stays in the audit log."""
    row = my_open_check(session, by, settings, check_id)
    picture = _picture(session, row, picture_id)
    session.delete(picture)
    by.note(
        session,
        "patrol_picture_removed",
        ("patrol", row.id),
        premises_id=row.premises_id,
        sha256=picture.sha256,
    )
    session.flush()
    return row


def look_at(session: Session, by: Author, check_id: int, picture_id: int) -> PatrolPictureRow:
    """A picture of a check in scope; looking at it is written down.

    Raises:
        NotFound: there is none that this person may see. The premises sees those of finished checks.
    """
    row = visible_check(session, by.person, check_id)
    if by.person.is_premises_side and row.state is not CheckState.COMPLETED:
        raise NotFound("There is no such picture.")
    picture = _picture(session, row, picture_id)
    if picture.deleted_at is not None:
        raise NotFound("There is no such picture.")
    by.note(
        session,
        "patrol_picture_viewed",
        ("patrol", row.id),
        premises_id=row.premises_id,
        sha256=picture.sha256,
    )
    return picture


def _picture(session: Session, row: PatrolCheckRow, picture_id: int) -> PatrolPictureRow:
    picture = session.get(PatrolPictureRow, picture_id)
    if picture is None or picture.check_id != row.id:
        raise NotFound("There is no such picture.")
    return picture


def _same_look(session: Session, row: PatrolCheckRow, photo: Photo) -> PatrolPictureRow | None:
    earlier = session.scalars(
        select(PatrolPictureRow)
        .where(
            PatrolPictureRow.premises_id == row.premises_id,
            PatrolPictureRow.source == PictureSource.PHOTO,
        )
        .order_by(PatrolPictureRow.id.desc())
        .limit(COMPARED)
    )
    return next((one for one in earlier if looks_alike(one.look, photo.look)), None)
