"""Letterbox geometry: a picture of any size on the network's canvas, and boxes back to 0..1."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kitchen_watch.edge.detect.card import ModelInput
from kitchen_watch.edge.streams.frame import Image

SMALLEST_SIDE = 160
"""The NMS-free head keeps 300 rows and needs at least so many places to look at."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture lies on the canvas; pixels.

    ``canvas_width`` x ``canvas_height`` is the network's input; the picture is scaled to
    ``width`` x ``height`` with its upper left corner at (``left``, ``top``).
    """

    canvas_width: int
    canvas_height: int
    width: int
    height: int
    left: int
    top: int

    def draw(self, picture: Image, canvas: Image, pad: int) -> None:
        """Fill ``canvas``, shape (canvas_height, canvas_width, 3), with the picture on ``pad``."""
        if picture.shape[:2] != (self.height, self.width):
            shrinking = self.width < picture.shape[1]
            picture = np.asarray(
                cv2.resize(
                    picture,
                    (self.width, self.height),
                    interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR,
                ),
                dtype=np.uint8,
            )
        canvas[: self.top] = pad
        canvas[self.top + self.height :] = pad
        canvas[:, : self.left] = pad
        canvas[:, self.left + self.width :] = pad
        canvas[self.top : self.top + self.height, self.left : self.left + self.width] = picture

    def back(self, boxes: NDArray[np.float32]) -> NDArray[np.float64]:
        """Boxes (n, 4) xyxy in canvas pixels as xyxy in 0..1 of the picture, clipped to it."""
        shift = np.array([self.left, self.top] * 2, dtype=np.float64)
        size = np.array([self.width, self.height] * 2, dtype=np.float64)
        return np.clip((boxes - shift) / size, 0.0, 1.0)


def letterbox(width: int, height: int, network: ModelInput) -> Letterbox:
    """Long side to the network's width, the other side padded up to the next allowed size.

    A 16:9 picture needs 640x384, a square one 640x640, a portrait one 384x640: nothing is ever
    squeezed into a shape that would make its heads smaller than those the model was trained on.
    """
    scale = network.width / max(width, height)
    scaled_width = max(1, round(width * scale))
    scaled_height = max(1, round(height * scale))
    canvas_width = _side(scaled_width, network.multiple)
    canvas_height = _side(scaled_height, network.multiple)
    return Letterbox(
        canvas_width=canvas_width,
        canvas_height=canvas_height,
        width=scaled_width,
        height=scaled_height,
        left=(canvas_width - scaled_width) // 2,
        top=(canvas_height - scaled_height) // 2,
    )


def _side(length: int, multiple: int) -> int:
    return -(-max(length, SMALLEST_SIDE) // multiple) * multiple
