"""What must be hidden from the public in a picture: every head and face that was found around its time.

A face is hidden where it was found shortly before *and* shortly after a picture, along the whole way
between, because a head moves between two analysed frames and the model may miss it in one of them.
That takes a picture shown late. Where the analysis says nothing of the time around a picture, nobody
knows where the faces are, and the whole picture is hidden.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from kitchen_watch.edge.detect.detection import Box, Detection

HEADS = {"head", "hat", "no_hat", "face", "mask", "no_mask"}
PEOPLE = {"person", "uniform", "no_uniform"}
REACH = timedelta(seconds=0.75)
"""An analysed frame at most so long before a picture, and another so long after it, speak for it."""
HELD = timedelta(seconds=1.5)
"""Where a head was found so long before or after a picture, the picture shows nothing: models miss."""
PAD = 0.35
"""A head's box is widened by this share of its size at every side: hair, chin, and the box's own error."""
UPPER = 0.4
"""Share of a person's box, from above, in which the head is."""
CELLS = 3
"""A hidden box is shown as so many by so many mean colours: nothing of a face is left."""
WHOLE_CELLS = (16, 9)
KEPT = 400
"""Analysed frames remembered; more than any delay needs."""


class Sightings:
    """Where heads were in the last analysed frames of one camera. Usable from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[tuple[datetime, tuple[Box, ...]]] = deque(maxlen=KEPT)

    def note(self, at: datetime, detections: Iterable[Detection]) -> None:
        """What one analysed frame showed; weak detections count too, where a face may be."""
        boxes = tuple(_to_hide(detections))
        with self._lock:
            if self._seen and at <= self._seen[-1][0]:
                self._seen.clear()  # the clock went back: what was said of that time is about another one
            self._seen.append((at, boxes))

    def hidden_at(self, at: datetime | None) -> tuple[Box, ...] | None:
        """Boxes to hide in the picture of that time; ``None``: nobody knows, hide all of it."""
        if at is None:
            return None
        with self._lock:
            near = [(when, boxes) for when, boxes in self._seen if abs(when - at) <= HELD]
        if not any(at - REACH <= when <= at for when, _ in near):
            return None
        if not any(at <= when <= at + REACH for when, _ in near):
            return None
        return tuple(dict.fromkeys(box for _, boxes in near for box in boxes))


def hide_yuv420(planes: NDArray[np.uint8], boxes: Iterable[Box] | None) -> None:
    """Hide boxes, or with ``None`` everything, in planar YUV 4:2:0: (height * 3 / 2, width), even sizes."""
    rows, width = planes.shape
    height = rows * 2 // 3
    luma = planes[:height]
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    for box in (None,) if boxes is None else boxes:
        cells = (CELLS, CELLS) if box is not None else WHOLE_CELLS
        left, top, right, bottom = _pixels(box or Box(0, 0, 1, 1), width, height)
        _coarsen(luma[top:bottom, left:right], cells)
        for plane in chroma:
            _coarsen(plane[top // 2 : bottom // 2, left // 2 : right // 2], cells)


def hide_bgr(image: NDArray[np.uint8], boxes: Iterable[Box] | None) -> None:
    """The same in a BGR picture (height, width, 3), in place."""
    height, width = image.shape[:2]
    for box in (None,) if boxes is None else boxes:
        left, top, right, bottom = _pixels(box or Box(0, 0, 1, 1), width, height)
        _coarsen(image[top:bottom, left:right], (CELLS, CELLS) if box is not None else WHOLE_CELLS)


def _to_hide(detections: Iterable[Detection]) -> Iterator[Box]:
    for detection in detections:
        box = detection.box
        if detection.label in HEADS:
            yield _padded(box)
        elif detection.label in PEOPLE:
            # Also where no head was found: a head that the model missed is on top of its person.
            yield _padded(Box(box.x1, box.y1, box.x2, box.y1 + UPPER * box.height), share=0.1)


def _padded(box: Box, share: float = PAD) -> Box:
    across, down = share * box.width, share * box.height
    return Box(
        max(0.0, box.x1 - across), max(0.0, box.y1 - down), min(1.0, box.x2 + across), min(1.0, box.y2 + down)
    )


def _pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Outwards to even pixels, so that chroma is hidden as far as luma is."""
    left, top = int(box.x1 * width) // 2 * 2, int(box.y1 * height) // 2 * 2
    right, bottom = -(-int(np.ceil(box.x2 * width)) // 2) * 2, -(-int(np.ceil(box.y2 * height)) // 2) * 2
    return max(0, left), max(0, top), min(width, right), min(height, bottom)


def _coarsen(part: NDArray[np.uint8], cells: tuple[int, int]) -> None:
    height, width = part.shape[:2]
    if not height or not width:
        return
    small = cv2.resize(part, (min(cells[0], width), min(cells[1], height)), interpolation=cv2.INTER_AREA)
    part[:] = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).reshape(part.shape)
