"""Files of reports: what may be attached, and where it lies."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.evidence.upload import lock_content
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.tasks.service import visible_unit
from kitchen_watch.backend.tasks.tables import TaskAttachmentRow
from kitchen_watch.errors import InvalidRequest, NotFound

MAX_BYTES = 15 * 1024 * 1024
BEGINNINGS = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"PK\x03\x04", "application/octet-stream"),
)
"""How files begin that may be attached: PDF, pictures, and the documents of office programs."""


def take_attachment(
    session: Session, author: Author, unit_id: int, name: str, content: bytes, directory: Path
) -> TaskAttachmentRow:
    """Keep a file for a report of the unit.

    Raises:
        NotFound: the unit lies outside the person's scope.
        InvalidRequest: it is of a kind that is not taken.
    """
    visible_unit(session, author.person, unit_id)
    media_type = next((kind for begin, kind in BEGINNINGS if content.startswith(begin)), None)
    if media_type is None:
        raise InvalidRequest("Attach a PDF, a picture (JPEG, PNG) or a document (.docx, .xlsx).")
    sha256 = hashlib.sha256(content).hexdigest()
    lock_content(session, sha256)  # retention may remove an older copy just now
    path = path_of(directory, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{sha256}.{secrets.token_hex(4)}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    clean = "".join(letter for letter in Path(name).name if letter.isprintable()).strip() or "file"
    row = TaskAttachmentRow(
        unit_id=unit_id, person_id=author.person.id, at=author.now, name=clean[-200:],
        media_type=media_type, sha256=sha256, size_bytes=len(content),
    )  # fmt: skip
    session.add(row)
    session.flush()
    author.note(session, "task_file_uploaded", ("task_unit", unit_id), sha256=sha256)
    return row


def visible_attachment(session: Session, person: Person, attachment_id: int) -> TaskAttachmentRow:
    """A file, if its unit lies in the person's scope.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.get(TaskAttachmentRow, attachment_id)
    if row is None:
        raise NotFound("There is no such file that you may see.")
    visible_unit(session, person, row.unit_id)
    if row.deleted_at is not None:
        raise NotFound("This file was deleted by policy; its hash stays.")
    return row


def path_of(directory: Path, sha256: str) -> Path:
    """Where a file lies."""
    return directory / sha256[:2] / sha256
