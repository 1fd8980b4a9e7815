"""Lays pictures out on one training canvas: a single picture or a grid of them, with their boxes
carried along.

Every tile goes onto the canvas through one affine warp, so a grid costs no more than its output
pixels. Tiles of one canvas must label the same classes; the caller sees to that.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from kitchen_watch.training.dataset import LABELS

Picture = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]

PAD = (114, 114, 114)
"""Grey around letterboxed pictures, as the edge pads its frames."""
VISIBLE, VISIBLE_HEAD = 0.3, 0.55
"""A box of which less than this is left after cropping is dropped. Half a head cannot be judged; half a
rat is a rat, and dropping its box would teach the opposite.
"""
HEADS = tuple(LABELS.index(label) for label in ("hat", "no_hat", "mask", "no_mask"))
SMALLEST = 4.0
"""Boxes narrower or lower than this many pixels carry no picture of the thing."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture, (h, w, 3) uint8, with its boxes, (n, 5): class, x1 y1 x2 y2 in 0..1."""

    picture: Picture
    boxes: Boxes


@dataclass(frozen=True, slots=True)
class Jitter:
    """How far geometry may stray: scale range, aspect factor, degrees, share of the canvas."""

    scale: tuple[float, float]
    aspect: float
    degrees: float
    shift: float


def single(
    tile: Tile, size: tuple[int, int], jitter: Jitter, rng: np.random.Generator
) -> tuple[Picture, Boxes]:
    """One picture on a (width, height) canvas; boxes come back in canvas pixels as (n, 5)."""
    tile = _mirrored(tile, rng)
    height, width = tile.picture.shape[:2]
    fit = min(size[0] / width, size[1] / height)
    scale = fit * float(np.exp(rng.uniform(*np.log(jitter.scale))))
    # A picture larger than the canvas is looked at where its boxes are, or most of them would be cut.
    focus = _focus(tile, rng) if scale > fit else (0.5, 0.5)
    target = (
        size[0] * (0.5 + rng.uniform(-jitter.shift, jitter.shift)),
        size[1] * (0.5 + rng.uniform(-jitter.shift, jitter.shift)),
    )
    return _warp(tile, size, _matrix(tile, scale, focus, target, jitter, rng))


def grid(
    tiles: list[Tile], size: tuple[int, int], side: int, jitter: Jitter, rng: np.random.Generator
) -> tuple[Picture, Boxes]:
    """`side` x `side` pictures on a (width, height) canvas with jittered cuts; `tiles` holds
    side² of them.
    """
    canvas = np.empty((size[1], size[0], 3), dtype=np.uint8)
    columns, rows = _cuts(size[0], side, rng), _cuts(size[1], side, rng)
    found: list[Boxes] = []
    for index, upright in enumerate(tiles):
        tile = _mirrored(upright, rng)
        left, right = columns[index % side], columns[index % side + 1]
        top, bottom = rows[index // side], rows[index // side + 1]
        cell = (right - left, bottom - top)
        height, width = tile.picture.shape[:2]
        cover = max(cell[0] / width, cell[1] / height)
        scale = cover * float(np.exp(rng.uniform(*np.log(jitter.scale))))
        centre = (cell[0] / 2, cell[1] / 2)
        matrix = _matrix(tile, scale, _focus(tile, rng), centre, jitter, rng)
        picture, boxes = _warp(tile, cell, matrix)
        canvas[top:bottom, left:right] = picture
        boxes[:, 1:] += np.array([left, top, left, top], dtype=np.float32)
        found.append(boxes)
    return canvas, np.concatenate(found)


def _mirrored(tile: Tile, rng: np.random.Generator) -> Tile:
    if rng.random() < 0.5:
        return tile
    boxes = tile.boxes.copy()
    boxes[:, [1, 3]] = 1 - tile.boxes[:, [3, 1]]
    return Tile(tile.picture[:, ::-1], boxes)


def _cuts(length: int, side: int, rng: np.random.Generator) -> list[int]:
    step = length / side
    inner = [round(step * (k + rng.uniform(-0.3, 0.3))) for k in range(1, side)]
    return [0, *inner, length]


def _focus(tile: Tile, rng: np.random.Generator) -> tuple[float, float]:
    """A point of the picture, 0..1, that shall be in view: mostly a box, sometimes anywhere."""
    if len(tile.boxes) == 0 or rng.random() < 0.25:
        return float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.8))
    box = tile.boxes[rng.integers(len(tile.boxes))]
    at = rng.uniform(0.2, 0.8, 2)
    return (
        float(box[1] + (box[3] - box[1]) * at[0]),
        float(box[2] + (box[4] - box[2]) * at[1]),
    )


def _matrix(
    tile: Tile,
    scale: float,
    focus: tuple[float, float],
    target: tuple[float, float],
    jitter: Jitter,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """The 2x3 affine that scales, turns and squeezes the picture and brings `focus` to `target`."""
    height, width = tile.picture.shape[:2]
    squeeze = float(np.exp(rng.uniform(-1, 1) * np.log(jitter.aspect)))
    angle = np.deg2rad(rng.uniform(-jitter.degrees, jitter.degrees))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([scale * squeeze**0.5, scale / squeeze**0.5])
    point = np.array([focus[0] * width, focus[1] * height])
    return np.hstack([linear, (np.array(target) - linear @ point)[:, None]])


def _warp(tile: Tile, size: tuple[int, int], matrix: npt.NDArray[np.float64]) -> tuple[Picture, Boxes]:
    picture, matrix = _shrunk(tile.picture, matrix)
    height, width = picture.shape[:2]
    boxes = tile.boxes.copy()
    boxes[:, 1:] *= np.array([width, height, width, height], dtype=np.float32)
    canvas = cv2.warpAffine(
        np.ascontiguousarray(picture), matrix, size, flags=cv2.INTER_LINEAR, borderValue=PAD
    )
    return np.asarray(canvas, dtype=np.uint8), carried(boxes, matrix, size)


def _shrunk(picture: Picture, matrix: npt.NDArray[np.float64]) -> tuple[Picture, npt.NDArray[np.float64]]:
    """Halve the picture by area first where the warp would skip pixels (bilinear aliases below
    one half).
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale >= 0.6:
        return picture, matrix
    height, width = picture.shape[:2]
    small = (max(1, round(width * scale * 1.2)), max(1, round(height * scale * 1.2)))
    shrunk = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    back = np.diag([width / small[0], height / small[1]])
    return np.asarray(shrunk, dtype=np.uint8), np.hstack([matrix[:, :2] @ back, matrix[:, 2:]])


def carried(boxes: Boxes, matrix: npt.NDArray[np.float64], size: tuple[int, int]) -> Boxes:
    """`boxes` (n, 5 in pixels) through the affine `matrix`, clipped to the canvas; lost ones
    are dropped.
    """
    if len(boxes) == 0:
        return boxes
    corners = boxes[:, [1, 2, 3, 2, 3, 4, 1, 4]].reshape(-1, 4, 2).astype(np.float64)
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    low, high = moved.min(axis=1), moved.max(axis=1)
    area = np.prod(high - low, axis=1)
    limit = np.array(size, dtype=np.float64)
    low, high = np.clip(low, 0, limit), np.clip(high, 0, limit)
    left = high - low
    visible = np.where(np.isin(boxes[:, 0], HEADS), VISIBLE_HEAD, VISIBLE)
    kept = (np.prod(left, axis=1) > visible * area) & (left.min(axis=1) >= SMALLEST)
    out = np.concatenate([boxes[:, :1], low, high], axis=1)
    return np.asarray(out[kept], dtype=np.float32)
