"""Makes a model out of weights: exports it, checks it, measures it as the edge will run it, and
writes its card.

Thresholds are chosen on val for precision 0.9, by the rule in `metrics.choose_threshold` and by
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from kitchen_watch.edge.detect.card import (
    ModelCard,
    ModelInput,
    ModelOutput,
    PrecisionProof,
    card_path,
    load_card,
    sha256_of,
)
from kitchen_watch.edge.detect.measuring import this_machine
from kitchen_watch.edge.detect.openvino_yolo import OpenVinoYolo
from kitchen_watch.edge.detect.settings import DetectorSettings, Precision
from kitchen_watch.training import export, quantising
from kitchen_watch.training.config import TrainConfig
from kitchen_watch.training.dataset import LABELS, Example, read_picture
from kitchen_watch.training.evaluate import Evaluation, Result, chosen_thresholds, evaluate

WIDTH, HEIGHT = 640, 384
PARITY_PICTURES = 24
LARGEST_FALL = 0.01
"""How far AP50 of a class may fall below f32's for a precision to be proved."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where weights come from: the command that trained them, and how far the run had come."""

    command: str
    config: TrainConfig
    config_file: str
    epochs: int
    head: export.Head = "one_to_one"


@dataclass(frozen=True, slots=True)
class Pictures:
    """What a model is measured on, and what the int8 ranges are taken from: never the same."""

    validation: Sequence[Example]
    calibration: Sequence[Example] = field(default=())
    """Of train; without, no int8 model is made."""


def publish(
    weights: Path,
    target: Path,
    version: str,
    origin: Origin,
    pictures: Pictures,
    tell: Callable[[str], Callable[[], None]] = lambda _step: lambda: None,
) -> tuple[Evaluation, Result]:
    """Write `target` (.onnx), its int8 files and its card from `weights`. `tell` is called with each step
    over the validation pictures and gives what is called for each of them.

    The card is whole after every step: what is not measured yet is not in it.
    Raises ModelMismatch where the exported file does not find what the weights find.
    """
    validation = pictures.validation
    model = export.load_weights(weights, origin.config.architecture)
    export.export_onnx(model, target, origin.head)
    some = validation[:: max(1, len(validation) // PARITY_PICTURES)]
    views = (read_picture(one.picture) for one in some)
    apart = export.largest_difference(model, target, views, origin.head)
    # The detector refuses a file without a card; the first one holds provisional thresholds.
    card = _card(target, version, dict.fromkeys(LABELS, 0.5), origin)
    write_card(card, target)
    first = _measured(target, "f32", card, validation, tell("f32"))
    thresholds = chosen_thresholds(first.tally)
    evaluation = Evaluation(first.pairs, first.tally, thresholds)
    described = {"name": card.name, "version": version, "sha256": card.sha256}
    result = evaluation.result({**described, "precision": "f32"})
    training = {**card.training, "largest_difference_from_pytorch": float(f"{apart:.2g}")}
    metrics = {"val": {key: result[key] for key in ("images", "classes", "groups", "negatives")}}
    update = {"thresholds": thresholds, "training": training, "metrics": metrics}
    card = card.model_copy(update=update)
    exact = ap50_of(evaluation)
    card = _with_proof(card, target, "f32", exact, exact)
    if "bf16" in this_machine().calculates:
        found = ap50_of(_measured(target, "bf16", card, validation, tell("bf16")))
        card = _with_proof(card, target, "bf16", found, exact)
    if pictures.calibration:
        _try_int8(card, target, pictures, exact, tell)
    load_card(target)
    return evaluation, result


def ap50_of(evaluation: Evaluation) -> dict[str, float]:
    """AP50 of every class that the pictures can tell, rounded to four digits."""
    figures = evaluation.result({})["classes"]
    return {label: row["ap50"] for label, row in figures.items() if row["ap50"] is not None}


def proof_of(
    ap50: dict[str, float], exact: dict[str, float], model: Path, files: Sequence[Path] = ()
) -> PrecisionProof:
    """What the card says of a precision with these figures, against those of f32."""
    difference = {label: round(ap50.get(label, 0.0) - least, 4) for label, least in exact.items()}
    whole = files or (model,)
    return PrecisionProof(
        files=tuple(path.name for path in files),
        sha256=sha256_of(*whole),
        size_bytes=sum(path.stat().st_size for path in whole),
        ap50=ap50,
        difference=difference,
        proved=bool(difference) and min(difference.values()) >= -LARGEST_FALL,
    )


def _try_int8(
    card: ModelCard,
    target: Path,
    pictures: Pictures,
    exact: dict[str, float],
    tell: Callable[[str], Callable[[], None]],
) -> None:
    """Int8 with as few layers in float as the proof allows; the card says it where none is good enough."""
    files = quantising.files_of(target)
    for kept in quantising.KEPT_IN_FLOAT:
        quantising.quantise(target, files[0], pictures.calibration, card.input, kept)
        # The detector opens only what the card lists.
        unproved = card.precisions | {"int8": proof_of({}, exact, target, files)}
        write_card(card.model_copy(update={"precisions": unproved}), target)
        step = _measured(target, "int8", load_card(target), pictures.validation, tell(f"int8, {kept.name}"))
        if _with_proof(card, target, "int8", ap50_of(step), exact, files).precisions["int8"].proved:
            return


def _measured(
    target: Path, precision: Precision, card: ModelCard, examples: Sequence[Example], tick: Callable[[], None]
) -> Evaluation:
    finder = OpenVinoYolo(target, card, DetectorSettings(precision=precision))
    try:
        return evaluate(finder, examples, card.thresholds, tick)
    finally:
        finder.release()


def _with_proof(
    card: ModelCard,
    target: Path,
    precision: Precision,
    ap50: dict[str, float],
    exact: dict[str, float],
    files: Sequence[Path] = (),
) -> ModelCard:
    """The card with what was measured of one more precision, written to its file."""
    proofs = card.precisions | {precision: proof_of(ap50, exact, target, files)}
    card = card.model_copy(update={"precisions": proofs})
    write_card(card, target)
    return card


def write_card(card: ModelCard, model: Path) -> None:
    """Write `card` beside `model`, in the order a reader wants to read it."""
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110)
    card_path(model).write_text(text, encoding="utf-8")


def _card(target: Path, version: str, thresholds: dict[str, float], origin: Origin) -> ModelCard:
    config = origin.config
    return ModelCard(
        name=target.stem,
        version=version,
        file=target.name,
        sha256=sha256_of(target),
        size_bytes=target.stat().st_size,
        labels=LABELS,
        input=ModelInput(width=WIDTH, height=HEIGHT),
        output=ModelOutput(rows=export.ROWS),
        thresholds=thresholds,
        architecture=config.architecture.removesuffix(".yaml"),
        licence="AGPL-3.0-or-later",
        training={
            "command": origin.command,
            "config": origin.config_file,
            "seed": config.seed,
            "epochs": origin.epochs,
            "head": origin.head,
            "data": [source.model_dump() for source in config.sources],
        },
        limits=tuple(config.limits),
    )
