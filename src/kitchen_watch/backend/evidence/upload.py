"""Uploads of evidence: who may upload what, how far it is, and what happens when it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts import feed
from kitchen_watch.backend.alerts.states import FeedKind
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.database import Database, exclusive
from kitchen_watch.backend.evidence.store import MAX_CHUNK, EvidenceStore, Progress, Upload
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.backend.organisations.places import node_paths
from kitchen_watch.clock import Clock
from kitchen_watch.errors import InvalidRequest, NotFound


@dataclass(frozen=True, slots=True)
class _Expected:
    size_bytes: int
    complete: bool


class Uploads:
    """Takes files that an edge has named in an accepted manifest, and nothing else."""

    def __init__(self, database: Database, store: EvidenceStore, clock: Clock, *, max_bytes: int) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._max_bytes = max_bytes

    def state(self, edge_id: str, sha256: str) -> Upload:
        """How far an upload is; finishes one whose last answer was lost.

        Raises:
            NotFound: no accepted manifest of this edge names the file.
        """
        expected = self._expected(edge_id, sha256)
        if expected.complete:
            return Upload(Progress.WHOLE, expected.size_bytes)
        received = self._store.received(edge_id, sha256)
        if received == expected.size_bytes:
            return self.append(edge_id, sha256, offset=received, chunk=b"")
        return Upload(Progress.GROWING, received)

    def append(self, edge_id: str, sha256: str, *, offset: int, chunk: bytes) -> Upload:
        """Take one chunk.

        Raises:
            NotFound: no accepted manifest of this edge names the file.
            InvalidRequest: the chunk or the file is larger than allowed.
        """
        if len(chunk) > MAX_CHUNK:
            raise InvalidRequest(f"A chunk may have {MAX_CHUNK} bytes at most.")
        expected = self._expected(edge_id, sha256)
        if expected.complete:
            return Upload(Progress.WHOLE, expected.size_bytes)
        if expected.size_bytes > self._max_bytes:
            raise InvalidRequest(f"Evidence files may have {self._max_bytes} bytes at most.")
        upload = self._store.append(edge_id, sha256, offset=offset, chunk=chunk, size=expected.size_bytes)
        if upload.progress is Progress.WHOLE:
            with self._database.write() as session:
                lock_content(session, sha256)
                self._store.publish(edge_id, sha256)  # unless retention has just removed an older copy
                complete_files(session, edge_id, sha256, expected.size_bytes, now=self._clock.now())
            self._store.discard_partial(edge_id, sha256)
        return upload

    def _expected(self, edge_id: str, sha256: str) -> _Expected:
        with self._database.read() as session:
            size, waiting, known = session.execute(
                select(
                    func.max(EvidenceFileRow.size_bytes),
                    func.count().filter(
                        EvidenceFileRow.completed_at.is_(None), EvidenceFileRow.deleted_at.is_(None)
                    ),
                    func.count(),
                ).where(EvidenceFileRow.edge_id == edge_id, EvidenceFileRow.sha256 == sha256)
            ).one()
        if not known:
            raise NotFound("No manifest that was accepted from this edge names the file.")
        return _Expected(size, waiting == 0)


def lock_content(session: Session, sha256: str) -> None:
    """Until this transaction ends nobody else shows or removes the file of this content."""
    exclusive(session, f"evidence/{sha256}")


def complete_files(session: Session, edge_id: str, sha256: str, size: int, *, now: datetime) -> None:
    """The content is here and right: show it on every alert of this edge that names it."""
    waiting = (
        EvidenceFileRow.edge_id == edge_id,
        EvidenceFileRow.sha256 == sha256,
        EvidenceFileRow.size_bytes == size,
        EvidenceFileRow.completed_at.is_(None),
        EvidenceFileRow.deleted_at.is_(None),
    )
    alerts = list(
        session.scalars(
            select(AlertRow)
            .where(AlertRow.id.in_(select(EvidenceFileRow.alert_id).where(*waiting)))
            .order_by(AlertRow.id)
            # Before the feed's lock, as everybody does: a feed entry refers to its alert, and would wait
            # for a step under way that itself waits for the feed.
            .with_for_update()
        )
    )
    session.execute(update(EvidenceFileRow).where(*waiting).values(completed_at=now))
    paths = node_paths(session, {alert.premises_id for alert in alerts})
    feed.append(
        session,
        [feed.news(alert, FeedKind.EVIDENCE, node_path=paths[alert.premises_id]) for alert in alerts],
        now=now,
    )
