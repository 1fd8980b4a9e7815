"""Evidence to look at: a drawn kitchen as JPEG, and the same kitchen moving as H.264 in MP4."""

from __future__ import annotations

import functools
import io
import tempfile
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 640, 360
RATE = 10
SECONDS = 15


def kitchen(step: int = 0, *, annotated: bool = False) -> Image.Image:
    """One picture: wall, worktop, hood, a cook with a bare head who moves with ``step``."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (196, 205, 209))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 250, WIDTH, HEIGHT), fill=(142, 150, 156))
    draw.rectangle((0, 235, WIDTH, 252), fill=(98, 106, 112))
    draw.polygon(((380, 0), (600, 0), (560, 80), (420, 80)), fill=(168, 176, 181))
    for x in (60, 130, 200):
        draw.rectangle((x, 60, x + 46, 120), fill=(176, 130, 84))
    left = 180 + step % 120
    draw.rounded_rectangle((left, 150, left + 110, HEIGHT), 26, fill=(240, 242, 244))
    draw.ellipse((left + 22, 70, left + 88, 156), fill=(214, 168, 136))
    draw.chord((left + 20, 62, left + 90, 130), 180, 360, fill=(52, 40, 34))
    if annotated:
        draw.rectangle((left + 12, 54, left + 98, 164), outline=(255, 176, 0), width=4)
    return image


def picture(*, annotated: bool = False, shade: int = 0) -> bytes:
    """A JPEG; another ``shade`` gives other bytes, and so another hash."""
    buffer = io.BytesIO()
    kitchen(shade, annotated=annotated).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


@functools.cache
def clip() -> bytes:
    """Fifteen seconds of H.264 that a browser can begin to play before all of it is there."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "clip.mp4"  # a real file: faststart moves the index when it is done
        with av.open(path, "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream(
                "libx264", rate=RATE, options={"preset": "veryfast", "g": str(RATE)}
            )
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for step in range(RATE * SECONDS):
                frame = av.VideoFrame.from_ndarray(np.asarray(kitchen(step)), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path.read_bytes()
