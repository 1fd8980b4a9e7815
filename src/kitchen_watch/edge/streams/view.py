"""What a camera looks at, in a form that outlives people walking by and lights going on and off.

A view is the averaged small picture of one stream, cut into 9 rows of 16 cells. Three questions
are answered on it: which cells show any structure, how much of the structure of a reference view
is still in its place, and how sharp the picture is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kitchen_watch.edge.streams.frame import Image

Gray = NDArray[np.float32]
Cells = NDArray[np.bool_]

WIDTH, HEIGHT = 320, 180
_ROWS, _COLUMNS = 9, 16
_STRUCTURE = 1.6
"""Grey levels of spread within a cell; sensor noise leaves less after averaging."""
_IN_PLACE = 0.4
_EDGES_IN_PLACE = 0.5
_MATCHES = 12
_INLIERS = 0.35


def small(gray: NDArray[np.uint8]) -> Gray:
    """The grey picture (uint8, any size) as float32 of shape (180, 320)."""
    return np.asarray(cv2.resize(gray, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), dtype=np.float32)


def monochrome(image: Image) -> bool:
    """Whether the picture has no colour: cameras switch so to infrared at night."""
    tiny = cv2.resize(image, (32, 18), interpolation=cv2.INTER_AREA).astype(np.int16)
    return bool((tiny.max(axis=2) - tiny.min(axis=2)).mean() < 4)


def structured(view: Gray) -> Cells:
    """Which of the 9 x 16 cells show anything, shape (9, 16), apart from slow gradients."""
    coarse = cv2.resize(view, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    detail = coarse - cv2.GaussianBlur(coarse, (0, 0), 5)
    return np.asarray(_cells(detail * detail).mean(axis=(1, 3)) > _STRUCTURE**2)


def sharpness(view: Gray) -> float:
    """Share of fine detail in the picture's detail (0..1), the same in bright and dim light.

    Ratio of the energy above and below one octave of the Laplacian pyramid.
    """
    smooth = cv2.GaussianBlur(view, (0, 0), 1.0)
    coarse = cv2.GaussianBlur(view, (0, 0), 4.0)
    fine = float(np.square(view - smooth).mean())
    middle = float(np.square(smooth - coarse).mean())
    return float(np.sqrt(fine / (fine + middle))) if middle > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a view relates to a reference."""

    agreement: float
    """Share of the reference's structured cells whose edges are where they were, 0..1."""
    moved: bool | None
    """Whether the camera looks elsewhere; ``None``: cannot be told."""


class ReferenceView:
    """The view that a camera is supposed to have."""

    def __init__(self, view: Gray) -> None:
        self.view = view
        self.cells = structured(view)
        self.sharpness = sharpness(view)
        self._edges = _edges(view)
        self._orb = cv2.ORB.create(nfeatures=400, scaleFactor=1.2, nlevels=4, fastThreshold=10)
        self._points, self._descriptors = self._orb.detectAndCompute(_levelled(view), None)

    def lost(self, cells: Cells) -> float:
        """Share of the reference's structured cells that ``cells`` no longer has."""
        total = int(self.cells.sum())
        return float((self.cells & ~cells).sum()) / total if total else 0.0

    def compare(self, view: Gray, *, tolerance: float) -> Comparison:
        """Whether ``view`` is moved by more than ``tolerance`` (share of the width)."""
        agreement = self._agreement(view)
        if agreement >= _EDGES_IN_PLACE:
            return Comparison(agreement, moved=False)
        shift = self._shift(view)
        if shift is not None:
            return Comparison(agreement, moved=shift > tolerance * WIDTH)
        # Nothing is where it was and nothing is found elsewhere: another scene, unless so little
        # can be seen that it might as well be a bad view of the old one.
        enough = self.lost(structured(view)) < 0.5
        return Comparison(agreement, moved=True if agreement < 0.15 and enough else None)

    def _agreement(self, view: Gray) -> float:
        ours, theirs = self._edges, _edges(view)
        product = _cells(ours[0] * theirs[0] + ours[1] * theirs[1]).sum(axis=(1, 3))
        energy = _cells(ours[0] ** 2 + ours[1] ** 2).sum(axis=(1, 3))
        energy = energy * _cells(theirs[0] ** 2 + theirs[1] ** 2).sum(axis=(1, 3))
        likeness = product / np.sqrt(np.maximum(energy, 1e-6))
        return float((likeness[self.cells] > _IN_PLACE).mean()) if self.cells.any() else 0.0

    def _shift(self, view: Gray) -> float | None:
        """Mean displacement of the picture's corners in pixels of the view; ``None``: no match."""
        points, descriptors = self._orb.detectAndCompute(_levelled(view), None)
        if self._descriptors is None or descriptors is None:
            return None
        matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(self._descriptors, descriptors)
        matches = [match for match in matches if match.distance < 64]
        if len(matches) < _MATCHES:
            return None
        here = np.array([self._points[match.queryIdx].pt for match in matches], np.float32)
        there = np.array([points[match.trainIdx].pt for match in matches], np.float32)
        transform, inliers = cv2.estimateAffinePartial2D(
            here, there, method=cv2.RANSAC, ransacReprojThreshold=3.0
        )
        if transform is None or inliers.sum() < max(_MATCHES, _INLIERS * len(matches)):
            return None
        corners = np.array([[0, 0], [WIDTH, 0], [0, HEIGHT], [WIDTH, HEIGHT]], np.float32)
        moved = corners @ transform[:, :2].T + transform[:, 2]
        return float(np.linalg.norm(moved - corners, axis=1).mean())


def _edges(view: Gray) -> tuple[Gray, Gray]:
    """Edges as strength and doubled angle, so that a light edge and its dark negative are alike."""
    smooth = cv2.GaussianBlur(view, (0, 0), 1.5)
    x, y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength = np.sqrt(x * x + y * y) + 1e-3
    return (x * x - y * y) / strength, 2 * x * y / strength


def _levelled(view: Gray) -> Image:
    """The view with its local contrast evened out, for features that outlive a change of light."""
    levels = np.clip(view, 0, 255).astype(np.uint8)
    return np.asarray(cv2.createCLAHE(3.0, (4, 4)).apply(levels), dtype=np.uint8)


def _cells(values: Gray) -> Gray:
    height, width = values.shape
    return values.reshape(_ROWS, height // _ROWS, _COLUMNS, width // _COLUMNS)
