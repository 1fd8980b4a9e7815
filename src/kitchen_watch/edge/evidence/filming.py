"""From a clip request to a proven file in its package, or to the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from kitchen_watch.clock import Clock
from kitchen_watch.edge.evidence.clip import ClipRequest
from kitchen_watch.edge.evidence.cutting import Cut
from kitchen_watch.edge.evidence.movie import write_movie
from kitchen_watch.edge.evidence.package import PackageFiles, Packages
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.proof import prove
from kitchen_watch.edge.evidence.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that was seen to play and to show its moment. ``notes`` say where it falls short."""

    package: PackageFiles
    notes: tuple[str, ...]


class ClipMaker:
    """Makes the clips of one camera, one after the other with those of all others."""

    def __init__(self, packages: Packages, workshop: Workshop, *, mask: PrivacyMask, clock: Clock) -> None:
        self._packages = packages
        self._workshop = workshop
        self._mask = mask
        self._clock = clock

    async def make(self, request: ClipRequest, folder: str) -> Clip:
        """Wait for the post-roll, then write, prove and keep the clip in ``folder``.

        Raises:
            EvidenceError: "no clip: ...", the reason in words; nothing is left behind.
        """
        try:
            await request.ready(self._clock)
            return await self._workshop.clip(lambda: self._make(request.take(), folder))
        finally:
            request.cancel()

    def _make(self, cut: Cut, folder: str) -> Clip:
        part = self._packages.part(folder, f"clip-{uuid4().hex}")
        try:
            write_movie(cut, part, self._mask)
            prove(part, cut.moment_s - cut.show_from_s)
            file = self._packages.adopt(folder, part, starts_at=cut.starts_at, ends_at=cut.ends_at)
        finally:
            part.unlink(missing_ok=True)
        return Clip(PackageFiles(folder, (file,)), cut.notes)
