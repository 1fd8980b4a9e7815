"""What the cameras of the benchmark show, encoded once: a kitchen with somebody in it, and an empty one.

The pictures are the demo's, enlarged to 1080p, with the noise of a sensor; encoded as cameras do (H.264,
25 pictures a second, no B-frames, a keyframe every two seconds, bounded bit rate). Every main stream has a
sub stream of the same pictures (640x360, 15 a second).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from kitchen_watch.demo.scene import Figure, Scene, SceneSettings, Step

SECONDS = 12
MAIN, MAIN_RATE, MAIN_BITS = (1920, 1080), 25, 4_000_000
SUB, SUB_RATE, SUB_BITS = (640, 360), 15, 512_000
NOISE = 2.0
"""Standard deviation of the sensor's noise in the main stream, grey levels."""
SCENES = {
    "moving": SceneSettings(
        room="preparation", title="moving", seconds=SECONDS, steam=((1125, 452),),
        figures=(
            Figure("hopper", 0.43, (Step(0, 0.2), Step(4, 0.7), Step(8, 0.45), Step(12, 0.2))),
            Figure("astronaut", 0.5, (Step(0, 0.8), Step(6, 0.5), Step(12, 0.8))),
        ),
    ),
    "still": SceneSettings(room="cold-dishes", title="still", seconds=SECONDS),
}  # fmt: skip


def film(folder: Path, scene: str, stream: str) -> Path:
    """Where the film of a scene's main or sub stream lies."""
    return folder / f"{scene}.{stream}.mp4"


def make_films(folder: Path) -> None:
    """Encode what is missing."""
    for name, settings in SCENES.items():
        for stream, size, rate, bits in (
            ("main", MAIN, MAIN_RATE, MAIN_BITS),
            ("sub", SUB, SUB_RATE, SUB_BITS),
        ):
            path = film(folder, name, stream)
            if not path.exists():
                partial = path.with_suffix(".part")
                _encode(partial, _pictures(settings, size, rate), rate=rate, bits=bits, size=size)
                partial.rename(path)


def _pictures(settings: SceneSettings, size: tuple[int, int], rate: int) -> Iterator[Any]:
    scene = Scene(settings)
    rng = np.random.default_rng(1)
    # A sub stream is the sensor's picture made smaller, which averages its noise.
    field = rng.normal(0, NOISE * size[0] / MAIN[0] + 0.3, (2 * size[1], 2 * size[0])).astype(np.float32)
    for index in range(SECONDS * rate):
        picture = cv2.resize(scene.picture(index, rate), size, interpolation=cv2.INTER_AREA)
        y, x = (int(rng.integers(0, side)) for side in (size[1], size[0]))
        noisy = picture + field[y : y + size[1], x : x + size[0], None]
        yield np.clip(noisy, 0, 255).astype(np.uint8)


def _encode(path: Path, pictures: Iterator[Any], *, rate: int, bits: int, size: tuple[int, int]) -> None:
    options = {"preset": "superfast", "tune": "zerolatency", "maxrate": str(bits), "bufsize": str(bits)}
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream: Any = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height = size
        stream.pix_fmt, stream.bit_rate = "yuv420p", bits
        stream.gop_size, stream.max_b_frames, stream.time_base = 2 * rate, 0, Fraction(1, rate)
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
