"""Changes how a training picture looks without moving anything in it: what kitchens and cameras
do to light.

Dark rooms and sensor noise, infrared at night, steam and low contrast, glare, blur, the blocks of
a cheap codec. Each look is a function of the picture and a random generator, and is drawn with
the probability the configuration gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Look = Callable[[Picture, np.random.Generator], Picture]


def colour(picture: Picture, rng: np.random.Generator) -> Picture:
    """Mild hue, saturation and brightness drift (white balance, lamps)."""
    hue, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV))
    steps = np.arange(256, dtype=np.float32)
    turn = rng.uniform(-4, 4)
    hue = cv2.LUT(hue, ((steps + turn) % 180).astype(np.uint8))
    saturation = cv2.LUT(saturation, _table(steps * rng.uniform(0.5, 1.5)))
    value = cv2.LUT(value, _table(steps * rng.uniform(0.65, 1.3)))
    return _rgb(cv2.cvtColor(cv2.merge((hue, saturation, value)), cv2.COLOR_HSV2RGB))


def dark(picture: Picture, rng: np.random.Generator) -> Picture:
    """A badly lit room: gamma and gain down, and the noise that the camera's gain brings."""
    steps = np.linspace(0, 1, 256, dtype=np.float32)
    table = _table(255 * rng.uniform(0.45, 0.9) * steps ** rng.uniform(1.0, 1.7))
    return noise(_rgb(cv2.LUT(picture, table)), rng)


def noise(picture: Picture, rng: np.random.Generator) -> Picture:
    """Gaussian sensor noise, standard deviation 3 to 16 of 255, sometimes in blocks as
    denoisers leave it.
    """
    height, width = picture.shape[:2]
    coarse = int(rng.integers(1, 3))
    shape = (height // coarse + 1, width // coarse + 1, 3)
    grain = rng.standard_normal(shape, dtype=np.float32) * np.float32(rng.uniform(3, 16))
    grain = cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR)
    return _clipped(picture.astype(np.float32) + grain)


def grey(picture: Picture, _rng: np.random.Generator) -> Picture:
    """A camera in black and white."""
    return _rgb(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def infrared(picture: Picture, rng: np.random.Generator) -> Picture:
    """A night camera with its own lamp: one channel, cloth and skin pale, bright middle, dark
    corners, noise.
    """
    weights = rng.dirichlet((4.0, 1.5, 1.0)).astype(np.float32)
    single = picture.astype(np.float32) @ weights / 255
    lifted = single ** np.float32(rng.uniform(0.5, 1.1))
    height, width = single.shape
    lit = _spot(width, height, rng, spread=(0.45, 0.9))
    out = 255 * lifted * (rng.uniform(0.15, 0.45) + rng.uniform(0.5, 0.9) * lit)
    return noise(_rgb(cv2.cvtColor(_clipped(out), cv2.COLOR_GRAY2RGB)), rng)


def steam(picture: Picture, rng: np.random.Generator) -> Picture:
    """Steam and a greasy lens: a pale veil, thicker in some places, that takes the contrast."""
    height, width = picture.shape[:2]
    clouds = cv2.resize(rng.random((4, 5), dtype=np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    veil = np.clip(clouds * rng.uniform(0.3, 0.75), 0, 0.75)[..., None]
    return _clipped(picture * (1 - veil) + rng.uniform(160, 235) * veil)


def flat(picture: Picture, rng: np.random.Generator) -> Picture:
    """Low contrast all over."""
    steps = np.arange(256, dtype=np.float32)
    return _rgb(cv2.LUT(picture, _table((steps - 128) * rng.uniform(0.35, 0.8) + rng.uniform(90, 165))))


def glare(picture: Picture, rng: np.random.Generator) -> Picture:
    """A lamp or its reflection on steel in the picture."""
    height, width = picture.shape[:2]
    light = _spot(width, height, rng, spread=(0.08, 0.3))[..., None]
    return _clipped(picture + light * rng.uniform(80, 230))


def blur(picture: Picture, rng: np.random.Generator) -> Picture:
    """Out of focus, or moved while the shutter was open."""
    if rng.random() < 0.5:
        return _rgb(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 2.0)))
    length = int(rng.integers(3, 9))
    line = np.zeros((length, length), dtype=np.float32)
    line[length // 2] = 1.0
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), rng.uniform(0, 180), 1.0)
    line = cv2.warpAffine(line, turn, (length, length))
    return _rgb(cv2.filter2D(picture, -1, line / max(float(line.sum()), 1e-6)))


def codec(picture: Picture, rng: np.random.Generator) -> Picture:
    """The blocks and smears of a low bit rate, or of a small sub stream blown up."""
    height, width = picture.shape[:2]
    if rng.random() < 0.4:
        factor = rng.uniform(0.45, 0.8)
        small = cv2.resize(picture, (int(width * factor), int(height * factor)), interpolation=cv2.INTER_AREA)
        picture = _rgb(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(22, 75))])
    return _rgb(cv2.imdecode(packed, cv2.IMREAD_COLOR))


LOOKS: Mapping[str, Look] = {
    "colour": colour,
    "steam": steam,
    "flat": flat,
    "glare": glare,
    "dark": dark,
    "grey": grey,
    "infrared": infrared,
    "blur": blur,
    "noise": noise,
    "codec": codec,
}
"""In the order in which light, lens, sensor and codec act."""


def changed(
    picture: Picture, chances: Mapping[str, float], rng: np.random.Generator, *, most: int = 3
) -> Picture:
    """`picture` with at most `most` looks, each drawn with its chance from `chances` (names of LOOKS)."""
    drawn = [name for name in LOOKS if rng.random() < chances.get(name, 0.0)]
    for name in drawn[-most:]:
        picture = LOOKS[name](picture, rng)
    return picture


def _spot(
    width: int, height: int, rng: np.random.Generator, *, spread: tuple[float, float]
) -> npt.NDArray[np.float32]:
    """A soft round light, 1 in its middle, (height, width)."""
    x = (np.arange(width, dtype=np.float32) / width - np.float32(rng.uniform(0.2, 0.8))) ** 2
    y = (np.arange(height, dtype=np.float32) / height - np.float32(rng.uniform(0.2, 0.8))) ** 2
    size = np.float32(rng.uniform(*spread))
    return np.asarray(np.exp(-y / size**2)[:, None] * np.exp(-x / size**2)[None], dtype=np.float32)


def _table(values: npt.NDArray[np.floating]) -> Picture:
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)


def _clipped(values: npt.NDArray[np.floating]) -> Picture:
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)


def _rgb(picture: object) -> Picture:
    return np.asarray(picture, dtype=np.uint8)
