"""May this person look at this file now; and the entry in the audit log that they did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import Visitor
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.evidence.links import MediaGrant
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.errors import NotFound


@dataclass(frozen=True, slots=True)
class OpenedEvidence:
    """A file that may be shown."""

    sha256: str
    media_type: str
    file_name: str


def open_evidence(
    database: Database,
    grant: MediaGrant,
    person: Person,
    visitor: Visitor,
    *,
    now: datetime,
    beginning: bool,
    download: bool,
) -> OpenedEvidence:
    """Check link, person and scope once more; write the view down when it is one from the beginning.

    Raises:
        NotFound: the link is somebody else's, the alert is out of scope, or the file is not here.
    """
    with database.read() as session:
        found = session.execute(
            select(EvidenceFileRow, AlertRow.premises_id)
            .join(AlertRow, AlertRow.id == EvidenceFileRow.alert_id)
            .where(
                EvidenceFileRow.id == grant.file_id,
                EvidenceFileRow.completed_at.is_not(None),
                person.scope.owned(AlertRow.premises_id),
            )
        ).one_or_none()
    if found is None or grant.person_id != person.id:
        raise NotFound("There is no such evidence, or the link is too old. Open the alert again.")
    file, premises_id = found
    if beginning:
        with database.write() as session:
            record(
                session,
                Actor(person.id, visitor.address),
                "evidence_downloaded" if download else "evidence_viewed",
                at=now,
                about=("alert", file.alert_id),
                premises_id=premises_id,
                file=file.name,
                sha256=file.sha256,
            )
    return OpenedEvidence(file.sha256, file.media_type, f"alert-{file.alert_id}-{file.name}")
