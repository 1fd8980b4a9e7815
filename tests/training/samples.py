"""Small made-up data sets for the training tests: coloured pictures with known boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from kitchen_watch.training.dataset import LABELLED, LABELS, Example


def picture(seed: int, size: tuple[int, int] = (160, 120)) -> npt.NDArray[np.uint8]:
    """A smooth random scene, (height, width, 3), different for every seed."""
    small = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC))


def add(
    split: Path,
    group: str,
    name: str,
    lines: list[str],
    pixels: npt.NDArray[np.uint8] | None = None,
) -> Path:
    """Write one picture and its label file into `split`/`group`; returns the picture."""
    for folder in ("images", "labels"):
        (split / group / folder).mkdir(parents=True, exist_ok=True)
    path = split / group / "images" / f"{name}.png"
    Image.fromarray(picture(sum(name.encode())) if pixels is None else pixels).save(path)
    (split / group / "labels" / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    return path


def example(
    boxes: list[tuple[str, float, float, float, float]],
    *,
    group: str = "kitchen",
    site: str = "web",
    path: Path = Path("web_1.png"),
) -> Example:
    """An example with boxes given as label, x1, y1, x2, y2 in 0..1."""
    rows = [(LABELS.index(label), *corners) for label, *corners in boxes]
    array = np.array(rows, dtype=np.float32).reshape(-1, 5)
    return Example(path, group, site, LABELLED[group], array)
