"""The outbox: every event on disk before anybody hears of it, and until the backend has acknowledged it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from kitchen_watch.clock import Clock
from kitchen_watch.edge.evidence.package import PackageFiles, Packages
from kitchen_watch.edge.evidence.remote import RemoteEvidence
from kitchen_watch.edge.outbox import appending, carrying, keeping, pending, remote_copies
from kitchen_watch.edge.outbox.appending import Appended
from kitchen_watch.edge.outbox.database import Connection
from kitchen_watch.edge.outbox.opening import Opened, open_outbox, write_manifests
from kitchen_watch.edge.outbox.postgres import SharedDatabase
from kitchen_watch.edge.outbox.records import (
    ClipState,
    EventDraft,
    EventState,
    FileState,
    ListedEvent,
    OutboxCounts,
    Outcome,
    PendingEvent,
    PendingUpload,
    Recovery,
    StoredPackage,
)
from kitchen_watch.edge.outbox.remote_copies import RemoteCopies
from kitchen_watch.edge.outbox.writer import Writer
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.errors import EvidenceError
from kitchen_watch.events import MAX_EVENTS_PER_BATCH, Event, EventKind

LEASE = timedelta(minutes=2)
"""Longer than any delivery may take; after it an event is offered again."""


class OutboxStore:
    """One edge's outbox. Everything is written by one thread; every method may be awaited from
    the event loop and returns when its transaction is durable.

    All methods raise EvidenceError where the database cannot be written, and LeaseLost where the edge
    has a newer owner.
    """

    def __init__(
        self,
        opened: Opened,
        packages: Packages,
        *,
        edge_id: str,
        clock: Clock,
        remote: RemoteEvidence | None = None,
        shared: bool = False,
    ) -> None:
        self._packages = packages
        self._edge_id = edge_id
        self._clock = clock
        self._lock = opened.lock
        self._watchers: list[Callable[[], None]] = []
        self._writer = Writer(opened.database)
        self._shared = shared
        self.copies = None if remote is None else RemoteCopies(remote, packages.data_dir, clock)
        """The files' copies in an object store, where there is one."""
        self.recovery: Recovery = opened.recovery
        """What was found at the start: violations to go on with, and problems in words."""

    @classmethod
    async def open(
        cls,
        packages: Packages,
        *,
        edge_id: str,
        clock: Clock,
        shared: SharedDatabase | None = None,
        remote: RemoteEvidence | None = None,
    ) -> OutboxStore:
        """Open the outbox in the packages' data directory, or in a cluster's database (``shared``).
        With ``remote`` the packages' files are kept in an object store too.

        Raises:
            ConfigError: the directory is another edge's, or another edge runs on it.
            EvidenceError: it cannot be used.
            LeaseLost: the edge has a newer owner.
        """
        opened = await asyncio.to_thread(
            open_outbox, packages, edge_id=edge_id, now=clock.now(), shared=shared, remote=remote
        )
        return cls(opened, packages, edge_id=edge_id, clock=clock, remote=remote, shared=shared is not None)

    async def close(self) -> None:
        """Finish what was handed in, close the database and let others open it."""
        await asyncio.to_thread(self._writer.close)
        os.close(self._lock)

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call ``watcher`` in the event loop whenever there is something new to deliver."""
        self._watchers.append(watcher)

    # what the pipeline writes

    async def open_event(self, draft: EventDraft) -> Event:
        """A violation opened: event, manifest, uploads and journal in one transaction."""
        return await self.append(replace(draft, kind=EventKind.OPENED))

    async def append(self, draft: EventDraft) -> Event:
        """One step of a violation, with its sequence number and, for a package, the chain's next link."""
        now, stored = self._clock.now(), False
        if self.copies is not None and draft.package is not None:
            stored = await self.copies.keep(draft.package)

        def work(connection: Connection) -> Appended:
            return appending.append(connection, draft, edge_id=self._edge_id, now=now, stored=stored)

        appended = await self._writer.run(work)
        self._notify()
        if appended.manifest is not None:
            # After the commit: whatever goes wrong from here on, the event is recorded, and its
            # manifest is written by the next append, look at the disk, or start.
            with contextlib.suppress(EvidenceError):
                await self._writer.run(self._write_manifests)
        return appended.event

    async def remember(self, violation: Violation) -> None:
        """Journal a violation's growth that is not worth an event."""
        now = self._clock.now()
        await self._writer.run(lambda connection: appending.remember(connection, violation, now))

    async def clip_settled(self, violation_id: UUID) -> None:
        """The clip is there, or will never be: no longer owed."""
        await self._writer.run(
            lambda connection: connection.execute(
                "UPDATE violations SET clip = ? WHERE violation_id = ?",
                (ClipState.DONE.value, str(violation_id)),
            )
        )

    async def carry(self, name: str) -> None:
        """Let a small file of the data directory follow the edge to its next machine, where there can
        be one.

        Raises:
            EvidenceError: also where the file cannot be read.
        """
        if self._shared:
            data_dir = self._packages.data_dir
            await self._writer.run(lambda connection: carrying.carry(connection, data_dir, name))

    # what delivery asks and answers

    async def pending_events(
        self, limit: int = MAX_EVENTS_PER_BATCH, *, lease: timedelta = LEASE
    ) -> list[PendingEvent]:
        """Due events under a lease, oldest first, at most the earliest of each violation."""
        now = self._clock.now()
        return await self._writer.run(
            lambda connection: pending.lease_events(connection, limit=limit, now=now, lease=lease)
        )

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        """What became of leased events: delivered, to be tried later, or dead."""
        now = self._clock.now()
        await self._writer.run(lambda connection: pending.settle(connection, outcomes, now=now))

    async def release(self, event_ids: Iterable[UUID]) -> None:
        """Give leased events back unchanged."""
        ids = list(event_ids)
        await self._writer.run(lambda connection: pending.release(connection, ids))

    async def next_due(self) -> datetime | None:
        """When the next event or file that was put off may be tried; ``None`` if none was."""
        now = self._clock.now()
        return await self._writer.run(lambda connection: pending.next_due(connection, now=now))

    async def next_upload(self) -> PendingUpload | None:
        """The evidence file to go on with, pictures before clips."""
        now, data_dir = self._clock.now(), self._packages.data_dir
        return await self._writer.run(
            lambda connection: pending.next_upload(connection, now=now, data_dir=data_dir)
        )

    async def store_files(self, package: PackageFiles) -> None:
        """Put a package's files into the object store now, where there is one, so that :meth:`append`
        need not wait for it. Never raises for the store: what it does not take follows later."""
        if self.copies is not None:
            await self.copies.keep(package)

    async def bring_back(self, upload: PendingUpload) -> bool:
        """Fetch a file from the object store to this disk; ``False`` where there is no store.

        Raises:
            EvidenceMissing: it is not in the store either.
            EvidenceTampered: what is in the store is not what its manifest says.
            EvidenceError: the store does not answer.
        """
        if self.copies is None:
            return False
        await asyncio.to_thread(self.copies.remote.fetch, upload.key, upload.path, sha256=upload.sha256)
        return True

    async def upload_advanced(self, upload: PendingUpload, received_bytes: int) -> None:
        """The backend holds so many bytes of it."""
        await self._writer.run(
            lambda connection: pending.upload_advanced(connection, upload.upload_id, received_bytes)
        )

    async def upload_settled(
        self, upload: PendingUpload, state: FileState, reason: str | None = None
    ) -> None:
        """It is delivered, missing or damaged."""
        await self._writer.run(
            lambda connection: pending.upload_settled(connection, upload.upload_id, state, reason)
        )

    async def upload_postponed(self, upload: PendingUpload, retry_at: datetime, reason: str) -> None:
        """Try it again at ``retry_at``."""
        await self._writer.run(
            lambda connection: pending.upload_postponed(connection, upload.upload_id, retry_at, reason)
        )

    async def uploads_wanted(self, sha256s: Sequence[str]) -> int:
        """Files that the backend says it lacks are sent again; their number."""
        now = self._clock.now()
        return await self._writer.run(lambda connection: pending.uploads_wanted(connection, sha256s, now=now))

    # what people and metrics ask

    def problems(self) -> tuple[str, ...]:
        """What people have to know: what was found at the start, and whether files have a copy; sentences."""
        trouble = None if self.copies is None else self.copies.trouble
        alone = () if trouble is None else (f"Evidence is on this machine alone at present: {trouble}",)
        return (*self.recovery.problems, *alone)

    async def counts(self) -> OutboxCounts:
        """The outbox in numbers."""
        return await self._writer.run(pending.counts)

    async def oldest_undelivered_age(self) -> timedelta | None:
        """How long the oldest undelivered event has waited; dead ones are counted elsewhere."""
        oldest = await self._writer.run(pending.oldest_pending)
        return None if oldest is None else max(timedelta(0), self._clock.now() - oldest)

    async def dead_letters(self, limit: int = 1000) -> list[ListedEvent]:
        """Events the backend will never take, oldest first."""
        return await self._writer.run(
            lambda connection: pending.listed(connection, state=EventState.DEAD, limit=limit)
        )

    async def requeue(self, event_ids: Sequence[UUID] | None = None) -> int:
        """Make dead events (``None``: all) pending again; their number."""
        now = self._clock.now()
        number = await self._writer.run(lambda connection: pending.requeue(connection, event_ids, now=now))
        if number:
            self._notify()
        return number

    # what the disk policy asks

    async def packages(self, limit: int = pending.ALL) -> list[StoredPackage]:
        """Packages whose files are on disk, oldest first."""
        return await self._writer.run(lambda connection: keeping.packages(connection, limit=limit))

    async def remove_copies(self, paths: Sequence[str]) -> None:
        """Delete files (paths below the data directory) from the object store, where there is one.

        Raises:
            EvidenceError: the store does not answer.
        """
        if self.copies is not None:
            for path in paths:
                await asyncio.to_thread(self.copies.remote.remove, path)

    async def sweep_copies(self) -> int:
        """Remove from the object store what a process put there that died before it could record it."""
        if self.copies is None:
            return 0
        now = self._clock.now()
        days = remote_copies.swept_days(now)
        known = await self._writer.run(lambda connection: remote_copies.named(connection, days))
        return await self.copies.sweep(known, now=now, days=days)

    async def mark_removed(self, violation_ids: Sequence[UUID]) -> None:
        """The files of these violations go; their manifests stay in the chain."""
        now = self._clock.now()
        await self._writer.run(lambda connection: keeping.mark_removed(connection, violation_ids, now=now))

    async def hold(self, violation_id: UUID, *, held: bool = True) -> bool:
        """Protect a violation's evidence from deletion, or no longer; whether it is known here."""
        return await self._writer.run(lambda connection: keeping.hold(connection, violation_id, held=held))

    async def tidy(self, *, forget_before: datetime) -> None:
        """Write manifests that a full disk kept back, store files that only this machine has, take
        ballast aboard, forget what is long done."""
        await self._writer.run(self._write_manifests)
        if self.copies is not None:
            await self._store_copies(self.copies)
        await self._writer.tidy()
        await self._writer.run(lambda connection: keeping.forget(connection, before=forget_before))

    async def _store_copies(self, copies: RemoteCopies) -> None:
        waiting = await self._writer.run(remote_copies.unstored)
        elsewhere = [
            number for number, path in waiting.manifests if not (self._packages.data_dir / path).is_file()
        ]
        if elsewhere:  # another machine wrote them; the outbox has them as well
            await self._writer.run(lambda connection: remote_copies.write_again(connection, elsewhere))
            await self._writer.run(self._write_manifests)
        uploads = await copies.store(waiting.files)
        manifests = await copies.store(waiting.manifests) if len(uploads) == len(waiting.files) else []
        if uploads or manifests:
            await self._writer.run(
                lambda connection: remote_copies.stored(connection, uploads=uploads, manifests=manifests)
            )

    def _write_manifests(self, connection: Connection) -> None:
        write_manifests(connection, self._packages)

    def _notify(self) -> None:
        for watcher in self._watchers:
            watcher()
