"""The model card: what a model file promises, read strictly and checked against the file.

``models/<name>.onnx`` has its card in ``models/<name>.yaml``. A model without a card, or one that
is not what its card says, is refused before it looks at a single frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from kitchen_watch.config import Settings, load_settings
from kitchen_watch.errors import ModelMismatch, ModelMissing
from kitchen_watch.events import Sha256, Unit

_CHUNK = 1 << 20


class ModelInput(Settings):
    """The network's input: (batch, 3, height, width), float in 0..1 after ``divisor``.

    Pictures are scaled so that their long side is ``width`` and padded to multiples of
    ``multiple``; ``height`` is what a 16:9 picture needs.
    """

    name: str = "images"
    width: Annotated[int, Field(ge=32, le=4096)]
    height: Annotated[int, Field(ge=32, le=4096)]
    multiple: Annotated[int, Field(ge=1, le=256)] = 32
    colour: Literal["RGB", "BGR"] = "RGB"
    divisor: Annotated[float, Field(gt=0)] = 255
    pad: Annotated[int, Field(ge=0, le=255)] = 114


class ModelOutput(Settings):
    """The network's output: (batch, rows, 6) of x1, y1, x2, y2 in input pixels, confidence, class."""

    name: str = "detections"
    format: Literal["xyxy_confidence_class"] = "xyxy_confidence_class"
    rows: Annotated[int, Field(ge=1)]


class PrecisionProof(Settings):
    """What a model still finds when it is calculated in one precision, measured on val.

    ``files`` are those of this precision beside the model file, with one SHA-256 over all of them, one after
    the other (``cat FILES | sha256sum``); none where the model file itself serves.
    """

    files: tuple[str, ...] = ()
    sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0)]
    ap50: dict[str, Unit]
    difference: Annotated[dict[str, float], Field(description="AP50 less that of f32, by label")]
    proved: Annotated[bool, Field(description="no label falls by more than 0.01")]


class ModelCard(Settings):
    """What a regulator and the edge need to know of a model. The last fields are for people."""

    name: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    file: Annotated[str, Field(min_length=1)]
    sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0)]
    labels: Annotated[tuple[str, ...], Field(min_length=1, description="in class order")]
    input: ModelInput
    output: ModelOutput
    thresholds: dict[str, Unit]
    track_threshold: Annotated[
        Unit,
        Field(
            description="weaker detections are dropped; between this and the label's threshold "
            "they only keep tracks alive"
        ),
    ] = 0.1
    suspicion: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="share of its label's threshold from which a detection is a suspicion: it may be "
            "looked at again, and accuses nobody by itself",
        ),
    ] = 0.5
    precisions: Annotated[
        dict[str, PrecisionProof],
        Field(description="f32, bf16, int8; of a card without, only f32 is taken as proved"),
    ] = Field(default_factory=dict)
    architecture: str = ""
    licence: str
    training: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)
    limits: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _labels_fit(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels: a label is given twice; every class needs its own")
        without = [label for label in self.labels if label not in self.thresholds]
        unknown = [label for label in self.thresholds if label not in self.labels]
        files = [name for proof in self.precisions.values() for name in proof.files]
        odd = [repr(name) for name in files if Path(name).name != name or name in {"", ".."}]
        if odd:
            raise ValueError(f"precisions: {', '.join(odd)}: give the names of files beside the model")
        if without:
            raise ValueError(f"thresholds: {', '.join(without)} has none; give every label one")
        if unknown:
            raise ValueError(f"thresholds: {', '.join(unknown)} is not among the labels; remove it")
        return self


def card_path(model_path: Path) -> Path:
    """Where the card of a model file lies."""
    return model_path.with_suffix(".yaml")


def load_card(model_path: Path) -> ModelCard:
    """The card beside ``model_path``, after checking that the file is the one it describes.

    Raises:
        ModelMissing: the model or its card is not there, or the model file is empty.
        ModelMismatch: size or SHA-256 differ from the card.
        ConfigError: the card has an unknown key or an unacceptable value.
    """
    if not model_path.is_file():
        raise ModelMissing(f"{model_path}: there is no such model file. Give the path of an existing one.")
    size = model_path.stat().st_size
    if size == 0:
        raise ModelMissing(f"{model_path}: the model file is empty. Fetch or export it again.")
    path = card_path(model_path)
    if not path.is_file():
        raise ModelMissing(
            f"{path}: the model has no card there. Export the model with `kitchen-watch export`, "
            "which writes one."
        )
    card = load_settings(path, ModelCard)
    if card.file != model_path.name:
        raise ModelMismatch(f"{path}: the card describes {card.file}, not {model_path.name}.")
    if size != card.size_bytes:
        raise ModelMismatch(
            f"{model_path}: has {size} bytes where its card says {card.size_bytes}; it is cut short or "
            "another file. Fetch or export it again."
        )
    if sha256_of(model_path) != card.sha256:
        raise ModelMismatch(
            f"{model_path}: its SHA-256 is not the one in its card; the file was changed. "
            "Fetch or export it again."
        )
    return card


def precision_files(model_path: Path, card: ModelCard, precision: str) -> tuple[Path, ...]:
    """The files of ``precision``: the model file, or those that the card lists, after checking their hash.

    Raises:
        ModelMissing: one of them is not there.
        ModelMismatch: they are not what the card says, or it says nothing of such files.
    """
    proof = card.precisions.get(precision)
    if proof is None or not proof.files:
        if precision == "int8":
            raise ModelMismatch(
                f"{card_path(model_path)}: the card lists no int8 files. Export the model again with "
                "`kitchen-watch export`."
            )
        return (model_path,)
    paths = tuple(model_path.with_name(name) for name in proof.files)
    for path in paths:
        if not path.is_file():
            raise ModelMissing(f"{path}: the {precision} file is not there. Fetch or export the model again.")
    if sum(path.stat().st_size for path in paths) != proof.size_bytes or sha256_of(*paths) != proof.sha256:
        raise ModelMismatch(
            f"{' and '.join(map(str, paths))}: the SHA-256 is not the one in the card for {precision}; "
            "a file was changed. Fetch or export the model again."
        )
    return paths


def check_labels(card: ModelCard, required: Iterable[str]) -> None:
    """Refuse a model that lacks a label somebody needs.

    Raises:
        ModelMismatch: names the missing labels and those that the model has.
    """
    missing = [label for label in required if label not in card.labels]
    if missing:
        raise ModelMismatch(
            f"Model {card.name} {card.version} has no label {', '.join(missing)}; it has "
            f"{', '.join(card.labels)}. Use a model with these labels, or rules without them."
        )


def sha256_of(*paths: Path) -> str:
    """Hex SHA-256 of a file's content, or of several files' one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
