"""People and a cat for the demo kitchens, cut out of public-domain photographs that packages ship.

* ``astronaut.png`` in scikit-image: Eileen Collins, NASA photograph (public domain). Bare head, no
  mask; her orange suit is recoloured into a white jacket.
* ``grace_hopper.jpg`` in matplotlib: Grace Hopper, US Navy photograph (public domain). A hat, no mask.
* ``chelsea.png`` in scikit-image: the cat Chelsea, by Stéfan van der Walt (CC0).

All three lie inside the wheels, so nothing is downloaded. The outlines below were traced once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from kitchen_watch.errors import ConfigError

Image = NDArray[np.uint8]
Outline = tuple[tuple[int, int], ...]

_ASTRONAUT: Outline = (
    (259, 22), (248, 18), (237, 16), (227, 16), (214, 21), (205, 21), (193, 29), (189, 35), (174, 43),
    (156, 58), (153, 68), (155, 98), (157, 104), (167, 115), (170, 121), (174, 128), (182, 132),
    (182, 141), (186, 152), (186, 165), (184, 167), (169, 168), (159, 171), (150, 182), (140, 183),
    (138, 187), (127, 189), (127, 194), (122, 202), (113, 202), (113, 205), (107, 211), (90, 227),
    (76, 235), (65, 246), (44, 282), (39, 306), (34, 315), (26, 342), (26, 348), (362, 348), (360, 328),
    (357, 323), (356, 302), (352, 287), (347, 283), (346, 275), (340, 262), (319, 243), (303, 233),
    (299, 219), (289, 203), (276, 189), (259, 176), (259, 167), (269, 137), (275, 134), (290, 117),
    (296, 107), (300, 92), (299, 72), (296, 66), (296, 58), (288, 43), (276, 31),
)  # fmt: skip
_HOPPER: Outline = (
    (262, 23), (231, 25), (214, 34), (197, 49), (181, 64), (177, 70), (172, 86), (154, 97), (149, 110),
    (148, 165), (153, 182), (154, 215), (161, 238), (168, 262), (178, 284), (194, 298), (195, 320),
    (183, 333), (165, 344), (129, 355), (96, 363), (80, 368), (61, 380), (47, 387), (40, 402), (34, 416),
    (28, 440), (24, 495), (17, 526), (17, 540), (511, 540), (511, 434), (507, 434), (492, 393),
    (479, 385), (464, 377), (422, 366), (376, 345), (365, 342), (352, 333), (343, 324), (338, 322),
    (330, 313), (330, 300), (337, 285), (345, 279), (353, 267), (361, 262), (367, 236), (369, 221),
    (367, 191), (373, 188), (371, 135), (369, 129), (368, 95), (363, 87), (354, 87), (351, 77),
    (344, 65), (328, 51), (311, 43), (300, 32), (288, 31), (275, 25),
)  # fmt: skip
_CAT: Outline = (
    (140, 66), (66, 14), (44, 82), (33, 130), (36, 180), (20, 220), (8, 270), (0, 369), (330, 369),
    (318, 320), (330, 285), (350, 250), (362, 220), (365, 180), (388, 140), (400, 84), (392, 10),
    (318, 66), (230, 52),
)  # fmt: skip
_CAT_EARS: tuple[Outline, ...] = (((128, 72), (66, 16), (50, 84)), ((326, 72), (391, 12), (398, 90)))
_CAT_EARS_INSIDE: tuple[Outline, ...] = (((112, 74), (72, 34), (66, 82)), ((346, 76), (385, 34), (388, 88)))
_ABOVE_THE_CAT = 70


@dataclass(frozen=True)
class Cutout:
    """A figure without its background.

    ``picture`` is BGR uint8 of shape (height, width, 3); ``alpha`` is float32 of shape (height, width)
    in 0..1, soft at its edge.
    """

    picture: Image
    alpha: NDArray[np.float32]


@cache
def astronaut() -> Cutout:
    """A cook with a bare head, without a mask, in a white jacket; 348 pixels from hair to waist."""
    cutout = _cut(_load("skimage", "data/astronaut.png"), _ASTRONAUT)
    return Cutout(_white_jacket(cutout.picture), cutout.alpha)


@cache
def hopper() -> Cutout:
    """A cook with a hat, without a mask; 520 pixels from hat to waist."""
    return _cut(_load("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"), _HOPPER)


@cache
def cat() -> Cutout:
    """A cat's head and shoulders, 359 pixels high; the photograph ends below the ears, these are drawn."""
    photograph = _load("skimage", "data/chelsea.png")
    picture = cv2.copyMakeBorder(photograph, _ABOVE_THE_CAT, 0, 0, 0, cv2.BORDER_REFLECT)
    for outlines, colour in ((_CAT_EARS, (70, 96, 124)), (_CAT_EARS_INSIDE, (122, 130, 172))):
        for outline in outlines:
            cv2.fillPoly(picture, [np.array(outline, np.int32)], colour, cv2.LINE_AA)
    ears = np.s_[: _ABOVE_THE_CAT + 20]
    picture[ears] = cv2.GaussianBlur(picture[ears], (0, 0), 2.5)
    return _cut(np.asarray(picture, np.uint8), _CAT, feather=3.0)


def _load(package: str, relative: str) -> Image:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ConfigError(
            f"The demo needs the Python package {package}, whose sample photographs it shows. "
            "Install it with: pip install 'kitchen-watch[demo]'"
        )
    path = Path(found.origin).parent / relative
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ConfigError(f"{path}: the sample photograph is missing or unreadable. Install {package} again.")
    return np.asarray(picture, dtype=np.uint8)


def _cut(picture: Image, outline: Outline, *, feather: float = 1.2) -> Cutout:
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.array(outline, np.int32)], 255)
    # One pixel in, so that no rim of the old background comes along.
    soft = cv2.GaussianBlur(cv2.erode(mask, np.ones((3, 3), np.uint8)), (0, 0), feather)
    left, top, width, height = cv2.boundingRect(mask)
    window = np.s_[top : top + height, left : left + width]
    return Cutout(
        np.ascontiguousarray(picture[window]), (soft[window].astype(np.float32) / 255.0).astype(np.float32)
    )


def _white_jacket(picture: Image) -> Image:
    """Turn strongly orange cloth below the chin into off-white cloth; its folds stay."""
    hue, saturation, value = (
        channel.astype(np.float32) for channel in cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV))
    )
    rows = np.arange(picture.shape[0], dtype=np.float32)[:, None]
    cloth = ((hue < 16) | (hue > 172)) & (saturation > 110) & (rows > 165)
    share = cv2.GaussianBlur(cloth.astype(np.float32), (0, 0), 1.0)[..., None]
    light = np.clip(40 + value * 0.92, 0, 244)
    white = np.stack([light * 0.985, light * 0.99, light], axis=-1)
    return np.asarray(picture * (1 - share) + white * share, dtype=np.uint8)
