"""Small videos that tests render themselves, and pictures to fill them with."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from kitchen_watch.edge.streams.frame import Image


def write_video(
    path: Path,
    pictures: Iterable[Image],
    *,
    codec: str = "libx264",
    rate: int = 25,
    gop: int = 25,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode BGR pictures without B-frames, as cameras do; returns ``path``."""
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {"preset": "ultrafast"}
    with av.open(str(path), "w") as container:
        stream: VideoStream | None = None
        for index, picture in enumerate(pictures):
            if stream is None:
                stream = cast(
                    "VideoStream", container.add_stream(codec, rate=rate, options=quiet | (options or {}))
                )
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.gop_size = gop
                stream.max_b_frames = 0
                stream.time_base = Fraction(1, rate)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = index
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode(None))
    return path


def moving_box(count: int, size: tuple[int, int] = (320, 240)) -> Iterable[Image]:
    """``count`` pictures of (width, height) with a bright box that moves 4 px a picture."""
    width, height = size
    for index in range(count):
        picture = np.full((height, width, 3), 90, np.uint8)
        left = (index * 4) % (width - 30)
        picture[height // 4 : height // 2, left : left + 30] = 220
        yield picture


def kitchen(size: tuple[int, int] = (640, 360), *, seed: int = 5, light: float = 1.0) -> Image:
    """A drawn kitchen: worktops, shelves, pots and tiles. ``light`` scales the brightness."""
    width, height = size
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), (150, 160, 165), np.uint8)
    for x in range(0, width, 32):
        cv2.line(picture, (x, 0), (x, height // 2), (135, 140, 150), 1)
    for y in range(0, height // 2, 24):
        cv2.line(picture, (0, y), (width, y), (135, 140, 150), 1)
    cv2.rectangle(picture, (0, int(height * 0.62)), (width, height), (95, 105, 110), -1)
    cv2.rectangle(picture, (0, int(height * 0.5)), (width, int(height * 0.62)), (185, 190, 195), -1)
    for _ in range(26):
        x, y = int(rng.integers(0, width - 60)), int(rng.integers(0, height - 50))
        w, h = int(rng.integers(15, 60)), int(rng.integers(12, 50))
        colour = tuple(int(value) for value in rng.integers(30, 230, 3))
        if rng.random() < 0.5:
            cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
        else:
            cv2.circle(picture, (x + w // 2, y + h // 2), h // 2, colour, -1)
        cv2.rectangle(picture, (x, y), (x + w, y + h), (40, 40, 40), 1)
    return np.asarray(np.clip(picture * light, 0, 255), dtype=np.uint8)


def with_noise(picture: Image, rng: np.random.Generator, sigma: float) -> Image:
    """``picture`` as a sensor sees it: Gaussian noise of ``sigma`` grey levels, never the same.

    A field of noise is drawn once and moved about at random, which costs a tenth of drawing it.
    """
    height, width = picture.shape[:2]
    field = _noise_field(height, width) * np.float32(sigma * rng.choice((-1.0, 1.0)))
    y, x = int(rng.integers(height)), int(rng.integers(width))
    moved = np.roll(field, (y, x), axis=(0, 1))[..., None]
    return np.asarray(np.clip(np.rint(picture + moved), 0, 255), dtype=np.uint8)


@cache
def _noise_field(height: int, width: int) -> NDArray[np.float32]:
    return np.random.default_rng(7).standard_normal((height, width), dtype=np.float32)


def with_clock(picture: Image, text: str) -> Image:
    """``picture`` with the camera's clock in its upper left corner."""
    marked = picture.copy()
    cv2.putText(marked, text, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
    return marked


def with_person(picture: Image, x: int, *, height: int = 220) -> Image:
    """``picture`` with somebody standing at ``x`` pixels from the left."""
    marked = picture.copy()
    bottom = marked.shape[0] - 10
    cv2.rectangle(marked, (x - 35, bottom - height + 45), (x + 35, bottom), (225, 225, 230), -1)
    cv2.line(marked, (x, bottom - height + 60), (x, bottom - 20), (120, 120, 140), 2)
    cv2.circle(marked, (x, bottom - height + 20), 24, (130, 160, 205), -1)
    return marked
