"""The disk fills up: say so early, and let go only of evidence that the backend holds whole.

What goes is decided by a pure plan: first what is older than it must be kept, then, below the floor,
the oldest of the rest. What is undelivered, held or belongs to an open violation never goes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.edge.evidence.holds import Holds
from kitchen_watch.edge.evidence.package import REMOVED_NAME, Packages
from kitchen_watch.edge.outbox.records import StoredPackage
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.errors import EvidenceError

LOOK_EVERY = timedelta(seconds=30)
LIST_EVERY = timedelta(hours=1)
HEADROOM = 1.1
"""Deleting goes on a little above the floor, so that it does not begin again with the next picture."""

MOST_STUCK = 20
"""After so many packages that cannot be removed nothing more is tried in one look: the disk itself is ill."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DiskPolicy:
    """Bytes that must stay free, bytes below which people are told, and how long delivered evidence stays."""

    warn_free_bytes: int
    floor_free_bytes: int
    keep: timedelta


@dataclass(frozen=True, slots=True)
class DiskPlan:
    """Packages whose files go, in this order, and what people have to know."""

    remove: tuple[StoredPackage, ...]
    warnings: tuple[str, ...]


def plan(packages: Sequence[StoredPackage], *, free: int, now: datetime, policy: DiskPolicy) -> DiskPlan:
    """What to remove from ``packages`` (oldest first) with ``free`` bytes left."""
    may_go = [package for package in packages if package.delivered and not package.held and not package.open]
    remove: list[StoredPackage] = []
    for package in may_go:
        expired = package.created_at < now - policy.keep
        pressed = free < policy.floor_free_bytes * HEADROOM and (remove or free < policy.floor_free_bytes)
        if not expired and not pressed:
            continue
        remove.append(package)
        free += package.size_bytes
    warnings = []
    if free < policy.floor_free_bytes:
        stuck = len(packages) - len(may_go)
        warnings.append(
            f"The disk is nearly full ({_megabytes(free)} left) and nothing on it may be deleted: {stuck} "
            "evidence packages are undelivered, held or still open. Free space or restore the connection."
        )
    elif free < policy.warn_free_bytes:
        warnings.append(
            f"The disk is filling up ({_megabytes(free)} left). Below "
            f"{_megabytes(policy.floor_free_bytes)} the oldest delivered evidence is deleted."
        )
    return DiskPlan(tuple(remove), tuple(warnings))


class DiskKeeper:
    """Looks after one edge's disk until it is cancelled."""

    def __init__(
        self,
        store: OutboxStore,
        packages: Packages,
        *,
        warn_free_bytes: int,
        floor_free_bytes: int,
        keep: timedelta,
        clock: Clock,
        holds: Holds | None = None,
    ) -> None:
        self._store = store
        self._holds = holds
        self._packages = packages
        self._policy = DiskPolicy(warn_free_bytes, floor_free_bytes, keep)
        self._clock = clock
        self._list_again = 0.0
        self.warnings: tuple[str, ...] = ()
        """What people have to know now; sentences."""

    async def run(self) -> None:
        """Look every half minute until cancelled."""
        while True:
            try:
                await self.look()
            except (EvidenceError, OSError) as error:
                self.warnings = (f"The disk cannot be looked after: {error}",)
                log.error("the disk cannot be looked after", reason=str(error))
            await self._clock.sleep(LOOK_EVERY)

    async def look(self) -> DiskPlan:
        """Plan once and do it.

        Raises:
            EvidenceError: the outbox cannot be written.
            OSError: the file system does not answer.
        """
        now = self._clock.now()
        free = await asyncio.to_thread(self._packages.free_bytes)
        packages = await self._store.packages() if self._is_due(free) else []
        if self._holds is not None:
            packages = [
                replace(package, held=package.held or package.kept_by(self._holds)) for package in packages
            ]
        made = await self._carry_out(packages, free, now)
        if made.warnings != self.warnings:
            for warning in made.warnings:
                log.warning("disk", reason=warning)
        self.warnings = made.warnings
        await self._store.tidy(forget_before=now - self._policy.keep)
        if packages:  # once an hour or under pressure
            await self._store.sweep_copies()
        return made

    async def _carry_out(self, packages: Sequence[StoredPackage], free: int, now: datetime) -> DiskPlan:
        """Plan and remove; what cannot be removed frees nothing, so others are planned in its place."""
        stuck: dict[UUID, str] = {}
        removed: list[StoredPackage] = []
        gone: set[UUID] = set()
        while True:
            there = [one for one in packages if one.violation_id not in gone | stuck.keys()]
            made = plan(there, free=free, now=now, policy=self._policy)
            failed = False
            for package in made.remove:
                # Files first: a crash in between leaves a package that the next look removes again.
                try:
                    await asyncio.to_thread(self._remove, package, now)
                    await self._store.remove_copies([f"{package.folder}/{name}" for name in package.files])
                except (OSError, EvidenceError) as error:
                    log.warning("evidence cannot be removed", package=package.folder, reason=str(error)[:300])
                    stuck[package.violation_id] = f"{package.folder}: {error}"
                    failed = True
                    if len(stuck) >= MOST_STUCK:
                        break
                    continue
                await self._store.mark_removed([package.violation_id])
                removed.append(package)
                gone.add(package.violation_id)
                free += package.size_bytes
            if not failed or len(stuck) >= MOST_STUCK:
                break
        if removed:
            log.warning("delivered evidence removed", packages=len(removed), free_bytes=free)
        warnings = made.warnings
        if stuck:
            warnings += (
                f"{len(stuck)} evidence packages cannot be removed and are tried again, such as "
                f"{next(iter(stuck.values()))}",
            )
        return DiskPlan(tuple(removed), warnings)

    def _is_due(self, free: int) -> bool:
        """Listing thousands of packages is work: only under pressure, or once an hour for what is old."""
        elapsed = self._clock.monotonic()
        if free >= self._policy.floor_free_bytes and elapsed < self._list_again:
            return False
        self._list_again = elapsed + LIST_EVERY.total_seconds()
        return True

    def _remove(self, package: StoredPackage, now: datetime) -> None:
        folder = self._packages.data_dir / package.folder
        for name in package.files:
            (folder / name).unlink(missing_ok=True)
        if folder.is_dir():
            note = {"removed_at": now.isoformat(), "files": list(package.files), "reason": "retention"}
            self._packages.write_note(package.folder, REMOVED_NAME, json.dumps(note, indent=2).encode())


def _megabytes(size: int) -> str:
    return f"{max(0, size) / 1_000_000:,.0f} MB"
