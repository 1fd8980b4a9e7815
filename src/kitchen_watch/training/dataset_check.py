"""Looks a data set over before anybody trains on it: broken boxes, class balance, and leaks from
train into val.

A leak is a picture of val that is nearly the same as one of train: figures measured on it would
flatter. Pictures are compared by a 256-bit difference hash (is each cell of a 17x16 grey
thumbnail brighter than its right neighbour?), upright and mirrored; pictures of unrelated scenes
differ in about half the bits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from kitchen_watch.errors import ConfigError
from kitchen_watch.training.dataset import (
    LABELS,
    Example,
    group_folders,
    label_file_of,
    labelled_in_folder,
    pictures_in,
    read_boxes,
    read_picture,
    site_of,
)

GRID = 16
NEAR = 20
"""Bits of 256 by which two pictures of the same moment differ at most (other size, other compression)."""
FLAT = 6.0
"""Thumbnails whose grey values stray less than this have no scene to compare (a white wall, a
black frame).
"""
OUTSIDE = 0.005
"""How far past the edge a box may reach before it counts as broken: rounding of six decimals
and of pixels.
"""
SCARCE = 50
"""Fewer boxes than this in train cannot teach a class."""

Hash = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Leak:
    """A picture of val that train has as well, and in how many of 256 bits they differ."""

    train: Path
    val: Path
    distance: int


@dataclass
class Findings:
    """What the check found. `broken` holds sentences; `balance` counts boxes by (split, label)."""

    pictures: Counter[str] = field(default_factory=Counter)
    balance: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)

    @property
    def scarce(self) -> list[str]:
        """Classes with too few boxes in train."""
        return [label for label in LABELS if self.balance["train", label] < SCARCE]

    def refuse(self) -> None:
        """Raise ConfigError where nobody should train or measure on this data."""
        if self.leaks:
            first = self.leaks[0]
            raise ConfigError(
                f"{len(self.leaks)} pictures of val are also in train, such as {first.val.name} = "
                f"{first.train.name}: figures would flatter. Move or delete one of each pair."
            )
        if self.broken:
            raise ConfigError(f"{len(self.broken)} labels are broken, such as: {self.broken[0]}")


def check(data: Path, tick: Callable[[], None] = lambda: None) -> Findings:
    """Look over `data` with its train and val folders; `tick` is called once a picture."""
    findings = Findings()
    hashes: dict[str, list[tuple[Path, Hash]]] = {"train": [], "val": []}
    for split, seen in hashes.items():
        for folder in group_folders(data / split):
            labels_of = labelled_in_folder(folder)
            for picture in pictures_in(folder):
                tick()
                findings.pictures[split] += 1
                try:
                    pixels = read_picture(picture)
                    boxes = read_boxes(label_file_of(picture))
                    labelled = labels_of(picture)
                except (ConfigError, FileNotFoundError) as error:
                    findings.broken.append(str(error))
                    continue
                example = Example(picture, folder.name, site_of(picture), labelled, boxes)
                findings.broken.extend(broken_boxes(example))
                for label in LABELS:
                    findings.balance[split, label] += example.count(label)
                found = difference_hash(pixels)
                if found is not None:
                    seen.append((picture, found))
    findings.leaks = near_duplicates(hashes["train"], hashes["val"])
    return findings


def broken_boxes(example: Example) -> list[str]:
    """One sentence for each box that is empty, outside the picture, doubled, or of a class its
    group lacks.
    """
    found: list[str] = []
    seen: set[tuple[float, ...]] = set()
    for number, box in enumerate(example.boxes, 1):
        where = f"{label_file_of(example.picture)}, box {number}"
        label = LABELS[int(box[0])]
        x1, y1, x2, y2 = (float(v) for v in box[1:])
        key = tuple(round(float(v), 4) for v in box)
        if not x2 > x1 or not y2 > y1:
            found.append(f"{where}: {label} has no area.")
        elif min(x1, y1) < -OUTSIDE or max(x2, y2) > 1 + OUTSIDE:
            found.append(f"{where}: {label} reaches outside the picture.")
        if key in seen:
            found.append(f"{where}: {label} stands there twice.")
        if label not in example.labelled:
            found.append(f"{where}: group {example.group} does not label {label}.")
        seen.add(key)
    return found


def difference_hash(picture: npt.NDArray[np.uint8]) -> Hash | None:
    """256 bits of the (h, w, 3) picture, or None where it is too flat to be told from another."""
    thumbnail = Image.fromarray(picture).convert("L").resize((GRID + 1, GRID), Image.Resampling.BOX)
    cells = np.asarray(thumbnail, dtype=np.int16)
    if cells.std() < FLAT:
        return None
    return np.asarray(cells[:, 1:] > cells[:, :-1]).reshape(-1)


def near_duplicates(train: Sequence[tuple[Path, Hash]], val: Sequence[tuple[Path, Hash]]) -> list[Leak]:
    """Every picture of `val` whose hash, upright or mirrored, is within NEAR bits of one of `train`."""
    if not train or not val:
        return []
    known = np.stack([found for _, found in train])
    leaks: list[Leak] = []
    for path, found in val:
        # Mirroring swaps neighbours: the bit of each cell turns round, read from the other end.
        mirrored = ~found.reshape(GRID, GRID)[:, ::-1].reshape(-1)
        distances = np.minimum((known != found).sum(axis=1), (known != mirrored).sum(axis=1))
        nearest = int(distances.argmin())
        if distances[nearest] <= NEAR:
            leaks.append(Leak(train[nearest][0], path, int(distances[nearest])))
    return leaks
