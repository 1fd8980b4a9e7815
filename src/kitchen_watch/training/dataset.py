"""Reads the labelled pictures: which groups exist, which classes each group labels, and every
picture's boxes.

A group's pictures are labelled for some classes only. A class that a group does not label is
*unknown* there, neither present nor absent, so training must give it no gradient and evaluation
must not count it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from kitchen_watch.errors import ConfigError

LABELS: tuple[str, ...] = ("person", "hat", "no_hat", "mask", "no_mask", "rat", "cockroach")

LABELLED: Mapping[str, frozenset[str]] = {
    "kitchen": frozenset(LABELS),
    "kitchen_hat": frozenset({"person", "hat", "no_hat", "rat", "cockroach"}),
    "hat": frozenset({"person", "hat", "no_hat", "rat", "cockroach"}),
    "mask": frozenset({"person", "mask", "no_mask", "rat", "cockroach"}),
    "pest": frozenset({"person", "rat", "cockroach"}),
    "negative": frozenset(LABELS),
}
"""Which classes each folder labels. Other folders bring their own list in `labelled.txt`, or, where the
pictures differ (judged alerts), one list a picture in `labelled/`.
"""

PICTURE_SUFFIXES = frozenset({".webp", ".jpg", ".jpeg", ".png"})

UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
    ImportError,
)
"""What Pillow raises over files that are damaged, cut off or no pictures at all; ImportError where
Ultralytics is loaded, which then asks for a plugin.
"""

Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled picture. `boxes` is (n, 5) float32: class index, then x1 y1 x2 y2 in 0..1."""

    picture: Path
    group: str
    site: str
    labelled: frozenset[str]
    boxes: Boxes

    def class_mask(self) -> npt.NDArray[np.float32]:
        """One value per label: 1 where this picture's group labels the class, 0 where it is unknown."""
        return np.array([label in self.labelled for label in LABELS], dtype=np.float32)

    def count(self, label: str) -> int:
        """How many boxes of `label` the picture has."""
        return int((self.boxes[:, 0] == LABELS.index(label)).sum())


def site_of(picture: Path) -> str:
    """The source a picture came from: its file name without the last `_number`."""
    stem, _, number = picture.stem.rpartition("_")
    return stem if stem and number.isdigit() else picture.stem


def labelled_classes(folder: Path) -> frozenset[str]:
    """The classes that the group in `folder` labels; raises ConfigError for a group nobody has
    described.
    """
    own = folder / "labelled.txt"
    if own.is_file():
        return _class_list(own)
    known = LABELLED.get(folder.name)
    if known is None:
        raise ConfigError(
            f"{folder} is not a known group ({', '.join(sorted(LABELLED))}). "
            "Add a labelled.txt that lists the classes labelled in it."
        )
    return known


def labelled_in_folder(folder: Path) -> Callable[[Path], frozenset[str]]:
    """Which classes a picture of `folder` labels: its own list, or the folder's."""
    lists = folder / "labelled"
    if not lists.is_dir():
        names = labelled_classes(folder)
        return lambda _picture: names

    def of(picture: Path) -> frozenset[str]:
        own = lists / f"{picture.stem}.txt"
        if not own.is_file():
            raise ConfigError(f"{picture} has no list of its labelled classes: {own} is missing.")
        return _class_list(own)

    return of


def _class_list(path: Path) -> frozenset[str]:
    names = frozenset(path.read_text(encoding="utf-8").split())
    unknown = names - set(LABELS)
    if unknown:
        raise ConfigError(f"{path} names classes the model does not have: {', '.join(sorted(unknown))}.")
    return names


def read_boxes(label_file: Path) -> Boxes:
    """Boxes of one YOLO text file as (n, 5): class, x1, y1, x2, y2 in 0..1. Raises ConfigError
    naming file and line.
    """
    rows: list[tuple[float, float, float, float, float]] = []
    try:
        text = label_file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{label_file} is not a text file: {error}.") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        fields = line.split()
        try:
            label, cx, cy, w, h = (float(field) for field in fields)
        except ValueError as error:
            raise ConfigError(
                f"{label_file}:{number}: expected 'class cx cy w h', found {line!r}."
            ) from error
        if not (label.is_integer() and 0 <= label < len(LABELS)):
            raise ConfigError(f"{label_file}:{number}: class {fields[0]} is not one of 0..{len(LABELS) - 1}.")
        if not all(math.isfinite(value) for value in (cx, cy, w, h)):
            raise ConfigError(f"{label_file}:{number}: {line!r} is not a box; its numbers must be finite.")
        rows.append((label, cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
    return np.array(rows, dtype=np.float32).reshape(-1, 5)


def group_folders(split: Path) -> list[Path]:
    """The group folders of one split, sorted by name. Raises ConfigError where there is none, or
    where a group has labels and no pictures: figures without it would look whole.
    """
    if not split.is_dir():
        raise ConfigError(f"{split} is not a folder.")
    folders = sorted(path.parent for path in split.glob("*/images") if path.is_dir())
    for labels in sorted(split.glob("*/labels")):
        group = labels.parent
        if any(labels.glob("*.txt")) and (group not in folders or not any(pictures_in(group))):
            raise ConfigError(f"{group} has labels and no pictures: its images are missing.")
    inner = [split / name for name in ("train", "val") if any((split / name).glob("*/images"))]
    if not folders and inner:
        choice = " or ".join(str(path) for path in inner)
        raise ConfigError(f"{split} holds whole splits, not groups: give {choice}.")
    if not folders:
        raise ConfigError(f"No pictures under {split}: expected <group>/images and <group>/labels folders.")
    return folders


def pictures_in(folder: Path) -> Iterator[Path]:
    """The picture files of one group folder in a fixed order."""
    for path in sorted((folder / "images").iterdir()):
        if path.suffix.lower() in PICTURE_SUFFIXES:
            yield path


def label_file_of(picture: Path) -> Path:
    """Where the YOLO label file of `picture` belongs."""
    return picture.parent.parent / "labels" / f"{picture.stem}.txt"


def read_split(split: Path) -> list[Example]:
    """All examples of one split folder (`.../train` or `.../val`). Raises ConfigError for
    broken or missing labels.
    """
    examples: list[Example] = []
    for folder in group_folders(split):
        labels_of = labelled_in_folder(folder)
        for picture in pictures_in(folder):
            label_file = label_file_of(picture)
            if not label_file.is_file():
                raise ConfigError(
                    f"{picture} has no label file; an empty file says that nothing is in the picture."
                )
            boxes = read_boxes(label_file)
            examples.append(Example(picture, folder.name, site_of(picture), labels_of(picture), boxes))
    return examples


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) of the picture, without decoding it. Raises ConfigError as `read_picture` does."""
    try:
        with Image.open(path) as picture:
            return picture.size
    except UNREADABLE as error:
        raise ConfigError(f"{path} cannot be read as a picture: {error}.") from error


def read_picture(path: Path) -> npt.NDArray[np.uint8]:
    """The picture as (height, width, 3) uint8 RGB. Raises ConfigError for a file that is not a
    readable picture.
    """
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except UNREADABLE as error:
        raise ConfigError(f"{path} cannot be read as a picture: {error}.") from error
