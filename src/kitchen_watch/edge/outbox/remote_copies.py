"""Keeps a package's files in the object store too: before its event is recorded where that is possible,
soon after it where not. An alert waits for the store a few seconds at most, and not again while it is away.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.edge.evidence.manifest import manifest_name
from kitchen_watch.edge.evidence.package import ROOT, PackageFiles
from kitchen_watch.edge.evidence.remote import RemoteEvidence
from kitchen_watch.edge.outbox.database import Connection
from kitchen_watch.edge.outbox.schema import moment
from kitchen_watch.errors import EvidenceError, EvidenceMissing
from kitchen_watch.events import EvidenceKind

PATIENCE = timedelta(seconds=5)
CLIP_PATIENCE = timedelta(seconds=60)
"""Nobody is alerted by a clip, and it is large."""
PAUSE = timedelta(seconds=30)
"""So long nothing waits for a store that did not answer."""
AT_ONCE = 50
"""Files that one look catches up with."""
ORPHAN_AGE = timedelta(hours=6)
"""An object that no event names by then belongs to a process that died before it could record it."""
SWEPT_DAYS = 3
BEGAN = "began_at"
"""When this outbox began: what is older in the store may be of one that was lost, and is left alone."""
SKEW = timedelta(hours=1)

log = structlog.get_logger(__name__)


class Unstored(NamedTuple):
    """Files and manifests that only this machine has: paths below the data directory, with their number."""

    files: list[tuple[int, str]]
    manifests: list[tuple[int, str]]


class Known(NamedTuple):
    """What an outbox knows of some days' files, and since when it knows."""

    paths: set[str]
    since: datetime


class RemoteCopies:
    """Puts files into an object store and notes which are there."""

    def __init__(self, remote: RemoteEvidence, data_dir: Path, clock: Clock) -> None:
        self.remote = remote
        self.trouble: str | None = None
        """Why nothing can be stored at present; ``None`` while it can."""
        self._data_dir = data_dir
        self._clock = clock
        self._not_before = 0.0
        self._kept: deque[PackageFiles] = deque(maxlen=100)
        """Packages that are there: one may be handed in again, when the outbox did not take its event."""

    async def keep(self, package: PackageFiles) -> bool:
        """Put a package's files there before its event is recorded; whether they are there."""
        if package in self._kept:
            return True
        if self._clock.monotonic() < self._not_before:
            return False
        clip = any(file.kind is EvidenceKind.CLIP for file in package.files)
        try:
            async with asyncio.timeout((CLIP_PATIENCE if clip else PATIENCE).total_seconds()):
                for file in package.files:
                    await self._put(f"{package.folder}/{file.name}")
        except (EvidenceError, TimeoutError) as error:
            self._failed(str(error) or "it does not answer in time")
            return False
        self._worked()
        self._kept.append(package)
        return True

    async def store(self, paths: Sequence[tuple[int, str]]) -> list[int]:
        """Put files there that are not; the numbers of those that are now, or never will be."""
        done: list[int] = []
        for number, path in paths:
            try:
                await self._put(path)
            except EvidenceError as error:
                if not isinstance(error, EvidenceMissing):
                    self._failed(str(error))
                    return done
                # Another machine had it, and may have stored it without hearing so.
                if not await self._is_there(path):
                    log.error("evidence is neither on this disk nor in the store", path=path)
            done.append(number)
        self._worked()
        return done

    async def sweep(self, known: Known, *, now: datetime, days: Sequence[str]) -> int:
        """Remove objects of these days' folders that nobody named in time; how many."""
        removed = 0
        try:
            for day in days:
                for stored in await asyncio.to_thread(self.remote.below, day):
                    in_time = known.since + SKEW < stored.modified_at < now - ORPHAN_AGE
                    if in_time and stored.path not in known.paths:
                        await asyncio.to_thread(self.remote.remove, stored.path)
                        removed += 1
        except EvidenceError as error:
            self._failed(str(error))
        if removed:
            log.info("evidence without an event removed from the store", objects=removed)
        return removed

    async def _is_there(self, path: str) -> bool:
        try:
            return await asyncio.to_thread(self.remote.has, path)
        except EvidenceError:
            return False

    async def _put(self, path: str) -> None:
        await asyncio.to_thread(self.remote.put, path, self._data_dir / path)

    def _failed(self, why: str) -> None:
        if self.trouble is None:
            log.warning("evidence is kept on this machine alone; trying again", reason=why)
        self.trouble = why
        self._not_before = self._clock.monotonic() + PAUSE.total_seconds()

    def _worked(self) -> None:
        if self.trouble is not None:
            log.info("evidence is stored again")
        self.trouble, self._not_before = None, 0.0


def unstored(connection: Connection) -> Unstored:
    """The oldest files and manifests that are on this machine alone."""
    files = connection.execute(
        "SELECT upload_id, path FROM uploads JOIN manifests USING (chain_index)"
        " WHERE uploads.stored = 0 AND removed_at IS NULL AND state NOT IN ('missing', 'damaged')"
        " ORDER BY upload_id LIMIT ?",
        (AT_ONCE,),
    )
    manifests = connection.execute(
        "SELECT chain_index, folder FROM manifests WHERE stored = 0 AND on_disk = 1"
        " AND removed_at IS NULL ORDER BY chain_index LIMIT ?",
        (AT_ONCE,),
    )
    return Unstored(
        [(row["upload_id"], row["path"]) for row in files],
        [(row[0], f"{row['folder']}/{manifest_name(row[0])}") for row in manifests],
    )


def write_again(connection: Connection, manifests: Sequence[int]) -> None:
    """These manifests do not lie on this machine's disk."""
    connection.executemany(
        "UPDATE manifests SET on_disk = 0 WHERE chain_index = ?", [(number,) for number in manifests]
    )


def stored(connection: Connection, *, uploads: Sequence[int], manifests: Sequence[int]) -> None:
    """These are in the store now."""
    connection.executemany(
        "UPDATE uploads SET stored = 1 WHERE upload_id = ?", [(number,) for number in uploads]
    )
    connection.executemany(
        "UPDATE manifests SET stored = 1 WHERE chain_index = ?", [(number,) for number in manifests]
    )


def swept_days(now: datetime) -> list[str]:
    """The folders of the last days, whichever time zone named them."""
    days = [now + timedelta(days=1) - timedelta(days=back) for back in range(SWEPT_DAYS + 1)]
    return [f"{ROOT}/{day:%Y/%m/%d}" for day in days]


def named(connection: Connection, days: Sequence[str]) -> Known:
    """Every path below these folders that an event names."""
    began = connection.execute("SELECT value FROM meta WHERE key = ?", (BEGAN,)).fetchone()
    known: set[str] = set()
    for day in days:
        files = connection.execute("SELECT path FROM uploads WHERE path LIKE ?", (f"{day}/%",))
        known.update(row["path"] for row in files)
        manifests = connection.execute(
            "SELECT chain_index, folder FROM manifests WHERE folder LIKE ?", (f"{day}/%",)
        )
        known.update(f"{row['folder']}/{manifest_name(row['chain_index'])}" for row in manifests)
    return Known(known, moment(int(began["value"])))
