"""Puts small rats and cockroaches into other pictures, since labelled pests are far larger than a
camera sees them.

Pests are cut out of their own pictures once (GrabCut inside the box) and pasted small, with a
soft edge and the light of the place. Scraps of empty kitchens are pasted the same way without a
label, so that the seam teaches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from kitchen_watch.training.dataset import LABELS, Example

Picture = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]

PESTS = (LABELS.index("rat"), LABELS.index("cockroach"))
CUTOUT_SIDE = 288
"""Cut-outs are kept no larger than this many pixels: they are pasted at 14 to 90, in a crowd at up to 320."""
CROWDED = 0.35
"""In a crowd no more than this share of an animal may be covered by the next one."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """One animal: (h, w, 3) uint8 and its cover (h, w) in 0..1, tight around it."""

    label: int
    picture: Picture
    cover: npt.NDArray[np.float32]


def cut_out(example: Example, picture: Picture) -> Iterable[Cutout]:
    """The animals of one picture whose outline could be told from the ground."""
    height, width = picture.shape[:2]
    for box in example.boxes:
        if int(box[0]) not in PESTS:
            continue
        x1, y1, x2, y2 = box[1:] * np.array([width, height, width, height])
        if min(x2 - x1, y2 - y1) < 24 or (x2 - x1) * (y2 - y1) > 0.7 * width * height:
            continue
        margin = 0.12 * max(x2 - x1, y2 - y1)
        left, top = max(0, int(x1 - margin)), max(0, int(y1 - margin))
        right, bottom = min(width, int(x2 + margin)), min(height, int(y2 + margin))
        around = picture[top:bottom, left:right]
        shrink = min(1.0, CUTOUT_SIDE / max(around.shape[:2]))
        around = np.asarray(
            cv2.resize(around, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
        inner = [int(v * shrink) for v in (x1 - left, y1 - top, x2 - x1, y2 - y1)]
        found = _outline(around, (inner[0], inner[1], inner[2], inner[3]))
        if found is not None:
            rows, columns = np.flatnonzero(found.max(1) > 0.5), np.flatnonzero(found.max(0) > 0.5)
            view = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            yield Cutout(int(box[0]), around[view].copy(), found[view].copy())


def _outline(around: Picture, inner: tuple[int, int, int, int]) -> npt.NDArray[np.float32] | None:
    """How much of each pixel is animal, or None where the cut is implausible."""
    if min(inner[2], inner[3]) < 8:
        return None
    state = np.zeros(around.shape[:2], np.uint8)
    cv2.setRNGSeed(1)
    cv2.grabCut(around, state, inner, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_RECT)
    solid = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(solid)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    _, _, wide, high, area = stats[largest]
    boxed = inner[2] * inner[3]
    if not 0.18 * boxed < area < 0.92 * boxed or wide * high < 0.5 * boxed:
        return None
    return np.asarray(cv2.GaussianBlur((parts == largest).astype(np.float32), (0, 0), 1.0))


def paste(
    picture: Picture,
    boxes: Boxes,
    cutouts: Sequence[Cutout],
    scrap: Callable[[np.random.Generator], Picture],
    rng: np.random.Generator,
) -> tuple[Picture, Boxes]:
    """`picture` with one to three animals or unlabelled scraps; `boxes` (n, 5) in pixels grows
    by the animals.
    """
    picture = picture.copy()
    for _ in range(int(rng.integers(1, 4))):
        cutout = cutouts[int(rng.integers(len(cutouts)))]
        side = float(np.exp(rng.uniform(np.log(14), np.log(90))))
        animal, cover = _turned(cutout, side, rng)
        place = _place(picture.shape, cover.shape, boxes, rng)
        if place is None:
            continue
        left, top = place
        view = np.s_[top : top + cover.shape[0], left : left + cover.shape[1]]
        ground = picture[view].astype(np.float32)
        labelled = rng.random() < 0.65
        if labelled:
            texture = animal.astype(np.float32)
        else:
            size = (cover.shape[1], cover.shape[0])
            texture = np.asarray(cv2.resize(scrap(rng), size), np.float32)
        texture = np.clip(texture * _light(texture, ground, cover, rng), 0, 255)
        soft = cover[..., None]
        picture[view] = (texture * soft + ground * (1 - soft)).astype(np.uint8)
        if labelled:
            rows, columns = np.flatnonzero(cover.max(1) > 0.4), np.flatnonzero(cover.max(0) > 0.4)
            new = [
                cutout.label,
                left + columns[0],
                top + rows[0],
                left + columns[-1] + 1,
                top + rows[-1] + 1,
            ]
            boxes = np.concatenate([boxes, np.array([new], dtype=np.float32)])
    return picture, boxes


def crowd(
    picture: Picture, boxes: Boxes, cutouts: Sequence[Cutout], rng: np.random.Generator
) -> tuple[Picture, Boxes]:
    """`picture` with one to four large animals close together, rats in many coats; `boxes` (n, 5) in
    pixels grows by them.

    Photographs of pests mostly show one animal, the wild grey or brown one, in the middle. Nests, traps
    and litters show several that cover each other.
    """
    picture = picture.copy()
    largest = min(320.0, 0.75 * min(picture.shape[:2]))
    middle = rng.uniform(0.25, 0.75, 2) * np.array(picture.shape[1::-1])
    for _ in range(int(rng.integers(1, 5))):
        cutout = cutouts[int(rng.integers(len(cutouts)))]
        side = float(np.exp(rng.uniform(np.log(80), np.log(max(81.0, largest)))))
        animal, cover = _turned(cutout, side, rng, reach_deg=180 if rng.random() < 0.5 else 25)
        if cutout.label == PESTS[0]:
            animal = _coat(animal, rng)
        rows, columns = np.flatnonzero(cover.max(1) > 0.4), np.flatnonzero(cover.max(0) > 0.4)
        if not len(rows) or not len(columns):
            continue
        view = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        animal, cover = animal[view], cover[view]
        place = _beside(picture.shape, cover.shape, boxes, middle, rng)
        if place is None:
            continue
        left, top = place
        spot = np.s_[top : top + cover.shape[0], left : left + cover.shape[1]]
        ground = picture[spot].astype(np.float32)
        texture = np.clip(animal.astype(np.float32) * rng.uniform(0.6, 1.25), 0, 255)
        picture[spot] = (texture * cover[..., None] + ground * (1 - cover[..., None])).astype(np.uint8)
        new = [cutout.label, left, top, left + cover.shape[1], top + cover.shape[0]]
        boxes = np.concatenate([boxes, np.array([new], dtype=np.float32)])
    return picture, boxes


def _coat(animal: Picture, rng: np.random.Generator) -> Picture:
    """Another coat: as it is, pale, dark, or with pale and dark patches as tame rats have."""
    kind = rng.random()
    if kind < 0.35:
        return animal
    grey = animal.mean(axis=2, keepdims=True)
    colour = grey + (animal - grey) * rng.uniform(0.2, 0.9)
    pale = 255 - (255 - colour) * rng.uniform(0.25, 0.55)
    dark = colour * rng.uniform(0.2, 0.6)
    if kind < 0.5:
        return np.asarray(pale, np.uint8)
    if kind < 0.65:
        return np.asarray(dark, np.uint8)
    noise = cv2.resize(
        rng.standard_normal((4, 4), dtype=np.float32), animal.shape[1::-1], interpolation=cv2.INTER_CUBIC
    )
    share = np.clip((noise - rng.uniform(-0.4, 0.4)) * 6 + 0.5, 0, 1)[..., None]
    return np.asarray(np.clip(pale * share + dark * (1 - share), 0, 255), np.uint8)


def _beside(
    canvas: tuple[int, ...],
    size: tuple[int, ...],
    boxes: Boxes,
    middle: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[int, int] | None:
    """A left-top corner near `middle` that covers little of what is there already."""
    if size[0] >= canvas[0] or size[1] >= canvas[1]:
        return None
    for _ in range(8):
        at = rng.normal(middle, 0.22 * np.array(canvas[1::-1])) - np.array(size[1::-1]) / 2
        left = int(np.clip(at[0], 0, canvas[1] - size[1]))
        top = int(np.clip(at[1], 0, canvas[0] - size[0]))
        wide = np.minimum(boxes[:, 3], left + size[1]) - np.maximum(boxes[:, 1], left)
        high = np.minimum(boxes[:, 4], top + size[0]) - np.maximum(boxes[:, 2], top)
        covered = np.clip(wide, 0, None) * np.clip(high, 0, None)
        areas = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
        if (covered <= CROWDED * areas).all():
            return left, top
    return None


def _turned(
    cutout: Cutout, side: float, rng: np.random.Generator, *, reach_deg: float | None = None
) -> tuple[Picture, npt.NDArray[np.float32]]:
    """The cut-out with its longer side at `side` pixels, turned by up to `reach_deg`; where that is not
    given, insects lie at any angle and rats stand.
    """
    height, width = cutout.cover.shape
    scale = side / max(height, width)
    if scale < 0.6:
        small = (max(3, round(width * scale * 1.2)), max(3, round(height * scale * 1.2)))
        animal = cv2.resize(cutout.picture, small, interpolation=cv2.INTER_AREA)
        cover = cv2.resize(cutout.cover, small, interpolation=cv2.INTER_AREA)
        height, width = cover.shape
        scale = side / max(height, width)
    else:
        animal, cover = cutout.picture, cutout.cover
    if reach_deg is None:
        reach_deg = 180 if cutout.label == PESTS[1] else 15
    angle = rng.uniform(-reach_deg, reach_deg)
    reach = int(np.ceil(np.hypot(width, height) * scale)) + 2
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    matrix[:, 2] += reach / 2 - np.array([width / 2, height / 2])
    if rng.random() < 0.5:
        animal, cover = np.ascontiguousarray(animal[:, ::-1]), np.ascontiguousarray(cover[:, ::-1])
    size = (reach, reach)
    turned = cv2.warpAffine(animal, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    covered = cv2.warpAffine(cover, matrix, size)
    return np.asarray(turned, np.uint8), np.asarray(covered, np.float32)


def _place(
    canvas: tuple[int, ...],
    size: tuple[int, ...],
    boxes: Boxes,
    rng: np.random.Generator,
) -> tuple[int, int] | None:
    """A left-top corner, more often low in the picture, where no head and no other animal is covered."""
    if size[0] >= canvas[0] or size[1] >= canvas[1]:
        return None
    heads = boxes[boxes[:, 0] != LABELS.index("person")]
    for _ in range(6):
        left = int(rng.integers(0, canvas[1] - size[1]))
        top = int((canvas[0] - size[0]) * rng.random() ** 0.6)
        free = (
            (heads[:, 1] > left + size[1])
            | (heads[:, 3] < left)
            | (heads[:, 2] > top + size[0])
            | (heads[:, 4] < top)
        )
        if free.all():
            return left, top
    return None


def _light(
    texture: npt.NDArray[np.float32],
    ground: npt.NDArray[np.float32],
    cover: npt.NDArray[np.float32],
    rng: np.random.Generator,
) -> float:
    """How much brighter or darker the animal must be to stand in the light of the place."""
    if cover.max() < 0.4:
        return 1.0
    own = max(float(texture[cover > 0.4].mean()), 8.0)
    there = max(float(ground.mean()), 8.0)
    return float(np.clip((there / own) ** rng.uniform(0.2, 0.7) * rng.uniform(0.6, 1.1), 0.25, 2.0))
