"""Makes each step of a violation durable: snapshots first, then the event, then the clip when it is in."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.edge.detect.detection import Detector
from kitchen_watch.edge.evidence.annotation import Caption
from kitchen_watch.edge.evidence.clip import ClipRequest, PacketRing
from kitchen_watch.edge.evidence.filming import ClipMaker
from kitchen_watch.edge.evidence.holds import Holds
from kitchen_watch.edge.evidence.package import PackageFiles, Packages
from kitchen_watch.edge.evidence.snapshot import Snapshots
from kitchen_watch.edge.evidence.workshop import Workshop
from kitchen_watch.edge.outbox.records import ClipState, EventDraft
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.references import References
from kitchen_watch.edge.rules.violation import ChangeKind, Violation, ViolationChange
from kitchen_watch.edge.sealing import detections_seen, draft_of_change, draft_of_clip
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.tracks import Track
from kitchen_watch.edge.waiting import Waiting
from kitchen_watch.errors import EvidenceError
from kitchen_watch.events import ModelUsed

if TYPE_CHECKING:
    from kitchen_watch.edge.shadow.watching import ShadowWatch

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Labelling:
    """How one camera's evidence is labelled."""

    camera_name: str
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """Where a clip comes from and how long it is."""

    ring: PacketRing
    before: timedelta
    after: timedelta


@dataclass(frozen=True, slots=True)
class Shared:
    """What all cameras of an edge share. ``opened`` counts violations opened, by code."""

    detector: Detector
    packages: Packages
    workshop: Workshop
    references: References
    store: OutboxStore
    clock: Clock
    server_offset: Callable[[], timedelta | None]
    opened: Counter[str]
    holds: Holds | None = None
    """What the backend has asked to hold."""
    shadow: ShadowWatch | None = None
    """A new model that looks along."""


class Recorder:
    """Records for one camera. A step that cannot be written is kept and tried until it is."""

    def __init__(
        self, shared: Shared, *, snapshots: Snapshots, clips: ClipMaker, plan: ClipPlan, labelling: Labelling
    ) -> None:
        self._shared = shared
        self._clock = shared.clock
        self._model = shared.detector.model
        self._snapshots = snapshots
        self._clips = clips
        self._plan = plan
        self._labelling = labelling
        self._last_frame: Frame | None = None
        self._latest: dict[UUID, Violation] = {}
        self._filming: set[asyncio.Task[None]] = set()
        self.waiting = Waiting(self._append, clock=shared.clock)
        """Steps that the outbox does not take just now."""

    async def __call__(self, change: ViolationChange, frame: Frame | None, tracks: Sequence[Track]) -> None:
        """Return once the step is on disk, or waits for an outbox that cannot be written just now.
        See :class:`kitchen_watch.edge.pipeline.Record`."""
        violation = change.violation
        begins = change.kind in (ChangeKind.OPENED, ChangeKind.REOPENED)
        request, trouble = self._request_clip(change, frame) if begins else (None, None)
        package, detail = await self._snapshot(change, frame, tracks) if begins else (None, None)
        draft = draft_of_change(
            change,
            model=self._model,
            tracks=tracks,
            server_offset=self._shared.server_offset(),
            package=package,
            clip=ClipState.DUE if request is not None else None,
            detail=" ".join(filter(None, (violation.detail, detail, trouble))) or None,
        )
        await self.waiting.add(draft)
        self._note(change)
        if request is not None:
            task = asyncio.create_task(self._film(violation, request), name=f"clip-{violation.violation_id}")
            self._filming.add(task)
            task.add_done_callback(self._filming.discard)

    def saw(self, frame: Frame) -> None:
        """Remember the newest frame: the last picture of a camera that goes away."""
        self._last_frame = frame

    async def live_snapshot(self, frame: Frame) -> bytes:
        """The frame as JPEG, privacy burnt in, for somebody who asks how the camera looks."""
        return await self._snapshots.live(frame)

    async def close(self) -> None:
        """Give up clips under way. They stay owed in the journal, and the next start settles them."""
        for task in self._filming:
            task.cancel()
        if self._filming:
            await asyncio.wait(self._filming)
        await self.waiting.close()

    def _request_clip(
        self, change: ViolationChange, frame: Frame | None
    ) -> tuple[ClipRequest | None, str | None]:
        """Around the moment; of a camera that is away, around its last picture."""
        shown = frame or self._last_frame
        moment = change.at if shown is None else shown.captured_at
        try:
            return self._plan.ring.cut(moment, self._plan.before, self._plan.after), None
        except EvidenceError as error:
            return None, str(error)

    async def _snapshot(
        self, change: ViolationChange, frame: Frame | None, tracks: Sequence[Track]
    ) -> tuple[PackageFiles | None, str | None]:
        """The package with both snapshots, or why there is none. An event never waits for a picture."""
        violation, shown = change.violation, frame or self._last_frame
        if shown is None:
            return None, "No picture: the camera has given none since the edge started."
        names = violation.parameters.get("name", {})
        caption = Caption(
            camera_name=self._labelling.camera_name,
            code=violation.code,
            name_zh=names.get("zh", violation.code),
            name_en=names.get("en", ""),
            tier=violation.tier,
            at=shown.captured_at,
            zone=self._labelling.zone,
            detail=violation.detail,
        )
        try:
            return await self._snapshots.keep(violation, shown, detections_seen(tracks), caption), None
        except EvidenceError as error:
            log.error("snapshot not kept", code=violation.code, reason=str(error))
            return None, f"No snapshot: {error}"

    async def _film(self, violation: Violation, request: ClipRequest) -> None:
        package, detail = None, None
        try:
            folder = self._shared.packages.folder(violation.violation_id, violation.started_at)
            clip = await self._clips.make(request, folder)
            package, detail = clip.package, " ".join(clip.notes) or None
        except EvidenceError as error:
            detail = str(error)
            log.info("no clip", code=violation.code, camera_id=violation.camera_id, reason=detail)
        if package is not None:
            await self._shared.store.store_files(package)
        # The violation may have grown or closed while its clip was made: tell its latest state.
        latest = self._latest.get(violation.violation_id, violation)
        await self.waiting.add(
            draft_of_clip(
                latest, model=self._model, at=self._clock.now(), server_offset=self._shared.server_offset(),
                package=package, detail=detail,
            )
        )  # fmt: skip
        if latest.ended_at is not None:
            self._latest.pop(violation.violation_id, None)

    async def _append(self, draft: EventDraft) -> None:
        await self._shared.store.append(draft)

    def _note(self, change: ViolationChange) -> None:
        violation = change.violation
        if change.kind is ChangeKind.OPENED:
            self._shared.opened[violation.code] += 1
        self._latest[violation.violation_id] = violation
        if change.kind is ChangeKind.CLOSED and not self._filming:
            self._latest.pop(violation.violation_id, None)
        log.info(
            "violation " + change.kind.value,
            code=violation.code,
            camera_id=violation.camera_id,
            violation_id=str(violation.violation_id),
            confidence=round(violation.confidence, 2),
        )


async def settle_owed_clips(store: OutboxStore, *, model: ModelUsed, clock: Clock) -> None:
    """Say of clips that an earlier process did not finish that there will be none: its ring is gone."""
    for entry in store.recovery.violations:
        if entry.clip is ClipState.DUE:
            await store.append(
                draft_of_clip(
                    entry.violation, model=model, at=clock.now(), server_offset=None, package=None,
                    detail="no clip: the edge was restarted before the clip was complete",
                )
            )  # fmt: skip
