"""The PDF of a letter: made once, kept as a file, checked against its hash at every download."""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.database import Database, exclusive
from kitchen_watch.backend.letters.content import LetterContent
from kitchen_watch.backend.letters.pdf import render
from kitchen_watch.backend.letters.service import visible_letter
from kitchen_watch.backend.letters.tables import LetterPdfRow, LetterRow
from kitchen_watch.errors import Conflict

DAMAGED = (
    "This letter is no longer what was issued; its content or file was changed. Tell your administrator."
)


def letter_pdf(
    database: Database, person: Person, letter_id: int, *, directory: Path, by: Actor, now: datetime
) -> tuple[LetterRow, bytes]:
    """The letter and its PDF; the download is written down.

    Raises:
        NotFound: it is not theirs to know about.
        Conflict: content or file are not what was sealed; written down, too.
    """
    with database.read() as session:
        letter = visible_letter(session, person, letter_id)
        sealed = session.get(LetterPdfRow, letter.id)
    content = LetterContent.model_validate(letter.content)
    intact = content.sha256 == letter.content_sha256
    file = b""
    if intact:
        file = _read(directory, sealed.sha256) if sealed is not None else b""
        if not file:
            # Rendering takes half a second: outside of any transaction. The same letter gives the same bytes.
            file = render(content, issued_at=letter.issued_at)
        intact = sealed is None or _hash(file) == sealed.sha256
    with database.write() as session:
        if intact and sealed is None:
            file = _seal(session, letter.id, file, directory, now=now)
        record(
            session,
            by,
            "letter_downloaded" if intact else "letter_found_damaged",
            at=now,
            about=("letter", letter.id),
            premises_id=letter.premises_id,
        )
    if not intact:
        raise Conflict(DAMAGED)
    return letter, file


def _seal(session: Session, letter_id: int, file: bytes, directory: Path, *, now: datetime) -> bytes:
    exclusive(session, f"letter/{letter_id}")
    known = session.get(LetterPdfRow, letter_id)
    if known is not None:  # another process was faster; its file is the one
        return _read(directory, known.sha256) or file
    sha256 = _hash(file)
    _write(directory, sha256, file)
    session.add(LetterPdfRow(letter_id=letter_id, sha256=sha256, size_bytes=len(file), made_at=now))
    return file


def _hash(file: bytes) -> str:
    return hashlib.sha256(file).hexdigest()


def _read(directory: Path, sha256: str) -> bytes:
    try:
        return (directory / f"{sha256}.pdf").read_bytes()
    except FileNotFoundError:
        return b""


def _write(directory: Path, sha256: str, file: bytes) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    draft = directory / f".{sha256}.{secrets.token_hex(4)}"
    with draft.open("wb") as out:
        out.write(file)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(directory / f"{sha256}.pdf")
