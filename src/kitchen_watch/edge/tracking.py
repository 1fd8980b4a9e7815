"""Tracks from detections: one ByteTrack per group of labels that are states of the same thing.

A head that is bare and then wears a hat stays one head, because hat and no_hat are associated
together. Weak detections (see :class:`Detection`) carry a track through a weak moment; only firm
ones are given to the rules. Where a model says hat *and* no_hat of one head with similar
confidence, its state is unknown in that frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import hypot
from typing import Annotated

import numpy as np
import supervision
from pydantic import Field
from trackers import ByteTrackTracker
from trackers.utils.iou import BIoU

from kitchen_watch.config import Settings
from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.tracks import Track

GROUPS: Mapping[str, str] = {
    "person": "person",
    "hat": "head",
    "no_hat": "head",
    "mask": "face",
    "no_mask": "face",
    "rat": "rat",
    "cockroach": "cockroach",
}
"""Labels that are states of one thing; any other label is a group by itself."""

_UNITS = 640.0
"""ByteTrack's noise is tuned in pixels; a picture is made so many units wide for it."""
_REFERENCE_RATE = 5.0
_FIRM, _WEAK, _SPLIT = 0.9, 0.3, 0.6
_LIBRARY_RATE = 30.0
_SHORTEST_STEP = 0.2


class TrackerSettings(Settings):
    """How long and how far apart two sightings may be the same object."""

    lost_s: Annotated[float, Field(gt=0, le=60, description="a lost object is found again within")] = 3.0
    reach: Annotated[
        float,
        Field(
            ge=0,
            le=3,
            description="boxes are widened by this share of their size before comparing; "
            "heads and pests move further than their own width between two analysed frames",
        ),
    ] = 0.6
    least_overlap: Annotated[float, Field(gt=0, lt=1, description="least IoU of widened boxes")] = 0.1
    same_object: Annotated[
        float, Field(gt=0, le=1, description="detections of one group overlapping so much are one object")
    ] = 0.55
    ambiguous: Annotated[
        float,
        Field(gt=0, le=1, description="a second state so nearly as sure as the first makes both unknown"),
    ] = 0.8
    suspicions: Annotated[
        frozenset[str],
        Field(description="labels whose suspicions (see the model card) are tracked like firm detections"),
    ] = frozenset()


@dataclass(slots=True)
class _History:
    track_id: int
    first_seen_at: datetime
    seen_at: datetime
    hits: int
    stood: Box
    """Where it was when it last counted as having moved."""
    travelled: float


@dataclass(frozen=True, slots=True)
class _Settled:
    """One object in one frame. ``counts`` is False where its state is weak or ambiguous; ``seen``
    says whether it may begin a track.
    """

    detection: Detection
    counts: bool
    seen: bool


class Tracker:
    """Tracks of one camera. Ids count up for the life of the instance, over resets too."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.shown: set[str] = set()
        """What the objects of the last frame look most like: of heads and faces also weakly."""
        self._settings = settings or TrackerSettings()
        self._groups: dict[str, _Group] = {}
        self._started_at: datetime | None = None
        self._last = -1.0
        self._previous_at: datetime | None = None
        self._next_id = 0

    def update(self, detections: Iterable[Detection], *, at: datetime, aspect: float) -> tuple[Track, ...]:
        """Objects that are firmly seen (or suspected) in this frame, in the order of their ids.

        ``at`` is the frame's aware time; ``aspect`` its width divided by its height. Intervals may
        be irregular. A time that does not grow starts tracking anew, as :meth:`reset` does. An
        object becomes a track when it is seen the second time.
        """
        if self._started_at is None or (at - self._started_at).total_seconds() <= self._last:
            self.reset()
            self._started_at = at
        self._last = (at - self._started_at).total_seconds()
        by_group: dict[str, list[Detection]] = {group: [] for group in self._groups}
        for detection in detections:
            by_group.setdefault(GROUPS.get(detection.label, detection.label), []).append(detection)
        tracks: list[Track] = []
        self.shown = set()
        for name, members in by_group.items():
            group = self._groups.setdefault(name, _Group(self._settings))
            objects = settle(members, self._settings)
            self.shown.update(
                one.detection.label for one in objects if one.seen or one.detection.label in GROUPS
            )
            for settled, key in group.associate(objects, self._last, aspect):
                history = self._record(group, key, settled.detection.box, at, aspect)
                if settled.counts:
                    tracks.append(_track(name, settled.detection, history))
        self._previous_at = at
        return tuple(sorted(tracks, key=lambda track: track.track_id))

    def reset(self) -> None:
        """Forget all objects, as after a reconnect; ids go on counting."""
        self._groups = {}
        self._started_at = None
        self._last = -1.0
        self._previous_at = None

    def _record(self, group: _Group, key: int, box: Box, at: datetime, aspect: float) -> _History:
        history = group.histories.get(key)
        if history is None:
            # ByteTrack names an object at its second sighting; the first was a frame ago.
            first_seen_at = self._previous_at or at
            history = _History(self._next_id, first_seen_at, at, 1, box, 0.0)
            group.histories[key] = history
            self._next_id += 1
        step = shift(history.stood, box, aspect)
        if step >= _SHORTEST_STEP * max(box.width, box.height / aspect):
            history.travelled += step
            history.stood = box
        history.hits += 1
        history.seen_at = at
        return history


class _Group:
    """ByteTrack over the detections of one group."""

    def __init__(self, settings: TrackerSettings) -> None:
        self.histories: dict[int, _History] = {}
        self._lost_s = settings.lost_s
        self._tracker = ByteTrackTracker(
            lost_track_buffer=max(1, round(settings.lost_s * _LIBRARY_RATE)),
            frame_rate=_REFERENCE_RATE,
            track_activation_threshold=_SPLIT,
            high_conf_det_threshold=_SPLIT,
            minimum_consecutive_frames=1,
            minimum_iou_threshold=settings.least_overlap,
            iou=BIoU(buffer_ratio=settings.reach),
        )

    def associate(self, objects: list[_Settled], seconds: float, aspect: float) -> list[tuple[_Settled, int]]:
        """Objects that continue a track, with ByteTrack's key of it."""
        if not objects and not self._tracker.tracks:
            return []  # nothing to find again, nothing to lose
        scale = np.array([_UNITS, _UNITS / aspect] * 2)
        boxes = np.array([entry.detection.box for entry in objects], dtype=float).reshape(-1, 4) * scale
        result = self._tracker.update(
            supervision.Detections(
                xyxy=boxes,
                # Each label has its own threshold, so ByteTrack is told the verdict, not the number.
                confidence=np.array([_FIRM if entry.seen else _WEAK for entry in objects]),
                class_id=np.arange(len(objects)),
            ),
            timestamp=seconds,
        )
        self._forget_dead()
        if result.class_id is None or result.tracker_id is None:
            return []
        pairs = zip(result.class_id.tolist(), result.tracker_id.tolist(), strict=True)
        return [(objects[index], key) for index, key in pairs if key >= 0]

    def _forget_dead(self) -> None:
        alive = {tracklet.tracker_id for tracklet in self._tracker.tracks}
        self.histories = {key: history for key, history in self.histories.items() if key in alive}


def settle(detections: Iterable[Detection], settings: TrackerSettings) -> list[_Settled]:
    """One entry per object: overlapping detections of a group are states of the same thing.

    The surest state stands; a different one that is nearly as sure makes the state unknown.
    """
    remaining = sorted(detections, key=lambda detection: -detection.confidence)
    settled: list[_Settled] = []
    while remaining:
        best, *others = remaining
        same = [other for other in others if best.box.overlap(other.box) >= settings.same_object]
        ambiguous = any(
            other.label != best.label and other.confidence >= settings.ambiguous * best.confidence
            for other in same
        )
        seen = best.firm or (best.suspect and best.label in settings.suspicions)
        settled.append(_Settled(best, seen and not ambiguous, seen))
        remaining = [other for other in others if other not in same]
    return settled


def shift(before: Box, after: Box, aspect: float) -> float:
    """How far a box moved as a whole, in picture widths.

    Only what opposite edges have in common counts: a leg in front of a toy, or a tail that comes
    into sight, moves one edge and carries nothing anywhere.
    """
    across = _common(after.x1 - before.x1, after.x2 - before.x2)
    down = _common(after.y1 - before.y1, after.y2 - before.y2)
    return hypot(across, down / aspect)


def _common(one: float, other: float) -> float:
    return min(abs(one), abs(other)) if one * other > 0 else 0.0


def _track(group: str, detection: Detection, history: _History) -> Track:
    return Track(
        track_id=history.track_id,
        group=group,
        label=detection.label,
        confidence=detection.confidence,
        box=detection.box,
        first_seen_at=history.first_seen_at,
        seen_at=history.seen_at,
        hits=history.hits,
        travelled=history.travelled,
        firm=detection.firm,
    )
