"""Camera health from the frames that are decoded anyway: covered, frozen, moved, blurred.

Every reading is about this moment; how long a fault must last is the rules' business. ``None``
means unknown and never accuses: a covered camera is not also frozen, moved or blurred, and
without a reference nothing is known of moving. The checks that need comparing run about once a
second, those of the view twice, and only whether the picture repeats itself is asked of every frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import cv2
import numpy as np
from pydantic import Field

from kitchen_watch.config import Settings
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.novelty import NoveltyWatch
from kitchen_watch.edge.streams.picture import gray
from kitchen_watch.edge.streams.view import (
    Cells,
    Gray,
    ReferenceView,
    monochrome,
    sharpness,
    small,
    structured,
)

_AVERAGE_S = 1.5
"""Noise and people fade from the averaged view within seconds; the kitchen stays."""
_VIEW_EVERY_S = 0.5
"""What lies before the lens is judged so often; whether the picture repeats itself on every frame."""
_BLIND_SHARE = 0.12
"""A picture with structure in fewer cells shows nothing (a clock at its edge is a few cells)."""
_DARK = 30.0
"""Below this luma at the bright end a picture says nothing of sharpness or noise."""
_BASELINE_S = 600.0
"""Time constant with which the sharpness baseline follows a picture that got sharper."""


class HealthSettings(Settings):
    """Sensitivity of the camera health checks; the defaults suit fixed kitchen cameras."""

    reference_after: timedelta = Field(
        default=timedelta(seconds=10),
        description="seconds of clear view after which the first picture becomes the reference",
    )
    covered_share: float = Field(
        default=0.8, gt=0.3, le=1, description="share of the reference's detail that must be gone"
    )
    frozen_after: timedelta = Field(
        default=timedelta(seconds=10), description="seconds over which the picture must repeat itself"
    )
    frozen_keyframes: int = Field(
        default=5, ge=2, description="groups of pictures (keyframes) over which it must"
    )
    moved_share: float = Field(
        default=0.025, gt=0, lt=1, description="shift that counts as moved, as share of the width"
    )
    blurred_ratio: float = Field(
        default=0.55, gt=0, lt=1, description="sharpness, relative to its own baseline, that is too low"
    )
    check_every: timedelta = Field(
        default=timedelta(seconds=1), description="pause between comparisons with the reference"
    )


@dataclass(frozen=True, slots=True)
class HealthReading:
    """What one frame says of its camera. ``None``: unknown."""

    covered: bool | None
    """Black, or so little left of the reference's detail that something is before the lens."""
    frozen: bool | None
    moved: bool | None
    blurred: bool | None
    luma: float
    """Mean brightness, 0..255."""
    structure: float
    """Share of the picture's cells that show anything, 0..1."""
    agreement: float | None
    """Share of the reference's cells whose edges are in their place, 0..1."""
    sharpness: float | None
    """Relative to the baseline: 1 is as sharp as ever."""


@dataclass(frozen=True, slots=True)
class _View:
    """What lay before the lens when it was last looked at."""

    covered: bool
    dark: bool
    luma: float
    structure: float


class HealthMonitor:
    """Follows one camera. Not thread-safe; ``observe`` wants the frames in order."""

    def __init__(self, settings: HealthSettings | None = None) -> None:
        self._settings = settings or HealthSettings()
        self._novelty = NoveltyWatch(
            seconds=self._settings.frozen_after.total_seconds(), keyframes=self._settings.frozen_keyframes
        )
        self._references: dict[bool, ReferenceView] = {}  # by colour: day, and infrared at night
        self._baselines: dict[bool, float] = {}
        self._pictures: dict[bool, Image] = {}
        self._average: Gray | None = None
        self._last = 0.0
        self._clear_since: float | None = None
        self._compared_at: float | None = None
        self._moved: bool | None = None
        self._blurred: bool | None = None
        self._agreement: float | None = None
        self._sharpness: float | None = None
        self._viewed_at: float | None = None
        self._view: _View | None = None

    def set_reference(self, image: Image) -> None:
        """Make ``image`` (BGR uint8, any size) the view that this camera is supposed to have."""
        self._references.clear()
        self._baselines.clear()
        self._pictures.clear()
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        self._take_reference(small(grey), image)

    def reference(self) -> Image | None:
        """The present reference (BGR uint8) to be kept over restarts, the one in colour if any."""
        return self._pictures.get(False, self._pictures.get(True))

    def observe(self, frame: Frame) -> HealthReading:
        """Read the health from one analysed frame; its ``image`` is what is looked at."""
        frozen = self._novelty.frozen(
            gray(frame), frame.pts, frame.keyframes, discontinuity=frame.discontinuity
        )
        view = self._view
        if view is None or self._view_due(frame):
            view = self._view = self._look(frame)
        return HealthReading(
            covered=view.covered,
            frozen=None if view.covered or view.dark else frozen,
            moved=self._moved,
            blurred=self._blurred,
            luma=view.luma,
            structure=view.structure,
            agreement=self._agreement,
            sharpness=self._sharpness,
        )

    def _view_due(self, frame: Frame) -> bool:
        passed = 0.0 if self._viewed_at is None else frame.pts - self._viewed_at
        return frame.discontinuity or not 0 <= passed < _VIEW_EVERY_S

    def _look(self, frame: Frame) -> _View:
        self._viewed_at = frame.pts
        now = small(gray(frame))
        average = self._follow(now, frame.pts, restart=frame.discontinuity)
        night = monochrome(frame.image)
        # Noise only adds structure, so what is missing from either picture is missing.
        cells = structured(now) & structured(average)
        covered = self._covered(cells, self._references.get(night))
        dark = _dark(now)
        if covered:
            self._forget()
        else:
            self._compare(average, frame, night=night, dark=dark)
        return _View(covered, dark, float(now.mean()), float(cells.mean()))

    def _follow(self, now: Gray, at: float, *, restart: bool) -> Gray:
        if self._average is None or restart:
            self._average = now
            self._clear_since = self._compared_at = None
        else:
            weight = 1.0 - float(np.exp(-max(0.0, at - self._last) / _AVERAGE_S))
            self._average = self._average + weight * (now - self._average)
        self._last = at
        return self._average

    def _covered(self, cells: Cells, reference: ReferenceView | None) -> bool:
        if float(cells.mean()) < _BLIND_SHARE:
            return True
        return reference is not None and reference.lost(cells) >= self._settings.covered_share

    def _compare(self, average: Gray, frame: Frame, *, night: bool, dark: bool) -> None:
        if self._clear_since is None:
            self._clear_since = frame.pts
        clear_for = frame.pts - self._clear_since
        if clear_for < 2 * _AVERAGE_S:
            return  # the average is still forming
        reference = self._references.get(night)
        if reference is None:
            if not dark and clear_for >= self._settings.reference_after.total_seconds():
                self._take_reference(average, frame.image)
            return
        every = self._settings.check_every.total_seconds()
        if self._compared_at is not None and frame.pts - self._compared_at < every:
            return
        passed = every if self._compared_at is None else frame.pts - self._compared_at
        self._compared_at = frame.pts
        comparison = reference.compare(average, tolerance=self._settings.moved_share)
        self._agreement, self._moved = comparison.agreement, comparison.moved
        self._sharpness = self._blurred = None
        if not dark and not comparison.moved:
            self._judge_sharpness(sharpness(average), night=night, passed=passed)

    def _judge_sharpness(self, now: float, *, night: bool, passed: float) -> None:
        baseline = self._baselines[night]
        if now > baseline:
            self._baselines[night] = baseline + (now - baseline) * min(1.0, passed / _BASELINE_S)
        self._sharpness = now / baseline if baseline > 0 else None
        self._blurred = None if baseline <= 0 else now < self._settings.blurred_ratio * baseline

    def _take_reference(self, view: Gray, picture: Image) -> None:
        night = monochrome(picture)
        self._references[night] = ReferenceView(view)
        self._baselines[night] = self._references[night].sharpness
        self._pictures[night] = picture

    def _forget(self) -> None:
        """A covered camera says nothing else; afterwards the average must form anew."""
        self._clear_since = self._compared_at = None
        self._moved = self._blurred = self._agreement = self._sharpness = None


def _dark(view: Gray) -> bool:
    """Whether the 95th percentile of the view is below :data:`_DARK`; mostly counting says so."""
    below = int(np.count_nonzero(view < _DARK))
    place = 0.95 * (view.size - 1)
    if below <= int(place):
        return False
    return below >= int(place) + 2 or float(np.percentile(view, 95)) < _DARK
