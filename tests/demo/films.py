"""Small films for tests: made in a fraction of a second, with a grey level that tells them apart."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

RATE = 10


def write_film(
    path: Path, *, seconds: float = 2.0, grey: int = 128, codec: str = "libx264", b_frames: int = 0
) -> Path:
    """A film of 96 x 64 pixels with a keyframe every half second."""
    options = {"g": str(RATE // 2), "bf": str(b_frames), "preset": "ultrafast"} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for index in range(round(seconds * RATE)):
            picture = np.full((96, 96), 128, np.uint8)
            picture[:64] = grey
            picture[:8, : (index * 4) % 96 + 1] = 255 - grey
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def watch(url: str) -> Iterator[tuple[float, int]]:
    """Times (seconds) and mean grey levels of a camera's pictures, for ever."""
    options = {
        "rtsp_transport": "tcp",
        "fflags": "nobuffer",
        "probesize": "32768",
        "analyzeduration": "100000",
    }
    with av.open(url, options=options, timeout=(5.0, 5.0)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None:
                yield float(frame.time), round(frame.to_ndarray(format="yuv420p")[16:64].mean())
