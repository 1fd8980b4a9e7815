"""Small real files: JPEG pictures and an MP4 clip, each with bytes of its own so that no two hash alike."""

from __future__ import annotations

import io
import random
import struct
from functools import cache

import av
import numpy as np
from PIL import Image

SIDE = (480, 270)


def snapshot(chance: random.Random) -> bytes:
    """A JPEG of some 10 kB with a comment of its own."""
    picture = _picture(0)
    note = chance.randbytes(16)
    comment = b"\xff\xfe" + struct.pack(">H", len(note) + 2) + note
    return picture[:2] + comment + picture[2:]


def clip(chance: random.Random) -> bytes:
    """An MP4 of two seconds with a box of its own that players skip."""
    note = chance.randbytes(16)
    return _clip() + struct.pack(">I", len(note) + 8) + b"free" + note


def photo(chance: random.Random) -> bytes:
    """A restaurant's photo; each looks different, because one that was used before is refused."""
    coarse = np.frombuffer(chance.randbytes(16 * 12 * 3), np.uint8).reshape(12, 16, 3)
    image = Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


@cache
def _picture(seed: int) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 255, (27, 48, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse).resize(SIDE, Image.Resampling.BICUBIC).save(out, "JPEG", quality=80)
    return out.getvalue()


@cache
def _clip() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "30"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(20):
            shade = np.full((180, 320, 3), 40 + number, np.uint8)
            shade[60:120, 10 * number : 10 * number + 40] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(stream.encode())
    return out.getvalue()
