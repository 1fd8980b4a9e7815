"""From a decoded picture to the arrays others see, scaled inside libswscale."""

from __future__ import annotations

from collections.abc import Callable

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from kitchen_watch.edge.streams.frame import Frame, Image


def fit_size(width: int, height: int, fit: tuple[int, int]) -> tuple[int, int]:
    """Largest even (width, height) inside ``fit`` with the picture's aspect, never upscaled.

    Odd pictures lose at most their last column and row, because chroma is stored for pairs.
    """
    scale = min(1.0, fit[0] / width, fit[1] / height)
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)


def gray(frame: Frame) -> NDArray[np.uint8]:
    """The frame's image in grey, uint8 (height, width), calculated once; not to be changed."""
    if not frame.gray_once:
        frame.gray_once.append(np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), dtype=np.uint8))
    return frame.gray_once[0]


def one_thread_per_picture() -> None:
    """Let OpenCV work on a picture in the thread that asks, in the whole process.

    Its own threads spin while they wait for each other: on pictures as small as those that are analysed
    that costs several times the work itself, and every camera has a thread already.
    """
    cv2.setNumThreads(1)


class Scaler:
    """Scales decoded pictures of one stream; keeps libswscale's tables between pictures.

    Not thread-safe: one per reader.
    """

    def __init__(self, fit: tuple[int, int]) -> None:
        self._fit = fit
        self._reformatter = VideoReformatter()

    def scale(self, picture: av.VideoFrame) -> Image:
        """BGR uint8 of shape (height, width, 3) inside the fit."""
        width, height = fit_size(picture.width, picture.height, self._fit)
        return _bgr(self._reformatter, picture, width, height)


def full_picture(picture: av.VideoFrame) -> Callable[[], Image]:
    """Render the undiminished picture on demand; may be called from any thread."""

    def render() -> Image:
        return _bgr(VideoReformatter(), picture, picture.width, picture.height)

    return render


def _bgr(reformatter: VideoReformatter, picture: av.VideoFrame, width: int, height: int) -> Image:
    # threads=1: otherwise libswscale starts its own threads for every camera.
    scaled = reformatter.reformat(
        picture, width, height, "bgr24", interpolation=Interpolation.AREA, threads=1
    )
    return np.asarray(scaled.to_ndarray(), dtype=np.uint8)
