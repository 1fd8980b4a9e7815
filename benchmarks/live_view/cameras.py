"""Cameras that encode as they go: x264 without delay, the time of sending drawn into every picture.

``python -m benchmarks.live_view.cameras WIDTHxHEIGHT:KBIT ...`` serves each as ``/0``, ``/1`` and so on
over RTSP, and prints nothing but its answers. Nothing is rendered before it is asked for, and every
connection has an encoder of its own, as with a camera.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from benchmarks.live_view.talk import serve as answer
from benchmarks.live_view.timecode import draw, now_ms
from kitchen_watch.demo.film import FilmPacket
from kitchen_watch.demo.rtsp_server import ServedCamera, serve
from kitchen_watch.demo.schedule import Film

RATE = 15
KEYFRAME_EVERY = 2 * RATE
TICK = Fraction(1, 90_000)
PICTURE = {1, 5}
"""Unit types of H.264 that carry a picture."""


@dataclass(frozen=True)
class Format:
    """Size and bit rate of one camera."""

    width: int
    height: int
    kbit: int

    @classmethod
    def parse(cls, text: str) -> Format:
        """From ``640x360:512``."""
        size, _, kbit = text.partition(":")
        width, _, height = size.partition("x")
        return cls(int(width), int(height), int(kbit))

    def encoder(self) -> VideoCodecContext:
        """As a camera's chip is set: constant bit rate, a keyframe every two seconds, no delay."""
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = self.width, self.height, "yuv420p"
        context.time_base, context.framerate = TICK, Fraction(RATE)
        context.bit_rate, context.gop_size = self.kbit * 1000, KEYFRAME_EVERY
        context.options = {
            "preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "threads": "1",
            "maxrate": f"{self.kbit}k", "bufsize": f"{self.kbit // 4}k",
        }  # fmt: skip
        return context


class Scenery:
    """A soft pattern that glides sideways, so that every picture costs bits, with the time on top."""

    def __init__(self, form: Format) -> None:
        self._form = form
        coarse = np.random.default_rng(1).integers(40, 216, (form.height // 12, form.width // 12), np.uint8)
        self._pattern = np.asarray(cv2.resize(coarse, (form.width, form.height)), dtype=np.uint8)
        self._planes = np.full((form.height * 3 // 2, form.width), 128, np.uint8)

    def picture(self, number: int) -> av.VideoFrame:
        """The picture of this very moment."""
        luma: NDArray[np.uint8] = self._planes[: self._form.height]
        shift = 2 * number % self._form.width
        luma[:, shift:] = self._pattern[:, : self._form.width - shift]
        luma[:, :shift] = self._pattern[:, self._form.width - shift :]
        draw(luma, now_ms())
        return av.VideoFrame.from_ndarray(self._planes, format="yuv420p")


@dataclass
class LiveEncoded(ServedCamera):
    """A served camera whose packets are made at the moment they are sent."""

    form: Format = Format(640, 360, 512)

    async def packets(self) -> AsyncGenerator[FilmPacket, None]:
        """Pictures of now, for as long as somebody reads."""
        encoder, scenery = self.form.encoder(), Scenery(self.form)
        began, number = time.monotonic(), 0
        while True:
            due = began + number / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            for packet in await asyncio.to_thread(self._encode, encoder, scenery, number):
                # No length: the server would otherwise spread a picture's packets over it.
                yield FilmPacket(
                    as_in_a_film(bytes(packet)), time.monotonic() - began, 0.0, bool(packet.is_keyframe)
                )
            number = max(number + 1, int((time.monotonic() - began) * RATE))

    @staticmethod
    def _encode(encoder: VideoCodecContext, scenery: Scenery, number: int) -> list[av.Packet]:
        frame = scenery.picture(number)
        frame.pts, frame.time_base = number * 90_000 // RATE, TICK
        return list(encoder.encode(frame))


def as_in_a_film(coded: bytes) -> bytes:
    """Annex B as MP4 has it: lengths before the units; the server adds the parameter sets."""
    units = [
        unit.rstrip(b"\x00")
        for unit in coded.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    ]
    return b"".join(
        len(unit).to_bytes(4, "big") + unit for unit in units if unit and unit[0] & 0x1F in PICTURE
    )


def template(form: Format, path: Path) -> Path:
    """A film of one second, from which the server describes the stream (parameter sets, size)."""
    with av.open(str(path), "w", format="mp4") as output:
        encoder, scenery = form.encoder(), Scenery(form)
        stream = output.add_stream("libx264", rate=RATE, options=dict(encoder.options))
        stream.width, stream.height, stream.pix_fmt = form.width, form.height, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.bit_rate = KEYFRAME_EVERY, form.kbit * 1000
        stream.codec_context.framerate = Fraction(RATE)
        for number in range(RATE):
            frame = scenery.picture(number)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


async def main() -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory() as home:
        cameras = []
        for number, text in enumerate(sys.argv[1:]):
            form = Format.parse(text)
            film = template(form, Path(home) / f"{number}.mp4")
            cameras.append(LiveEncoded(str(number), {Film.USUAL: film}, form=form))
        async with serve(cameras) as urls:

            async def addresses() -> list[str]:
                return [urls[str(number)] for number in range(len(cameras))]

            await answer({"urls": addresses})


if __name__ == "__main__":
    asyncio.run(main())
