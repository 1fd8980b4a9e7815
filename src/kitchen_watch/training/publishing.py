"""Makes a model out of weights: exports it, checks it, measures it as the edge will run it, and
writes its card.

Thresholds are chosen on val for precision 0.9, by the rule in `metrics.choose_threshold` and by
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from kitchen_watch.edge.detect.card import (
    ModelCard,
    ModelInput,
    ModelOutput,
    card_path,
    load_card,
    sha256_of,
)
from kitchen_watch.edge.detect.openvino_yolo import OpenVinoYolo
from kitchen_watch.training import export
from kitchen_watch.training.config import TrainConfig
from kitchen_watch.training.dataset import LABELS, Example, read_picture
from kitchen_watch.training.evaluate import Evaluation, Result, chosen_thresholds, evaluate

WIDTH, HEIGHT = 640, 384
PARITY_PICTURES = 24


@dataclass(frozen=True, slots=True)
class Origin:
    """Where weights come from: the command that trained them, and how far the run had come."""

    command: str
    config: TrainConfig
    config_file: str
    epochs: int
    head: export.Head = "one_to_one"


def publish(
    weights: Path,
    target: Path,
    version: str,
    origin: Origin,
    validation: Sequence[Example],
    tick: Callable[[], None] = lambda: None,
) -> tuple[Evaluation, Result]:
    """Write `target` (.onnx) and its card from `weights`, measured on `validation`.

    Raises ModelMismatch where the exported file does not find what the weights find.
    """
    model = export.load_weights(weights, origin.config.architecture)
    export.export_onnx(model, target, origin.head)
    some = validation[:: max(1, len(validation) // PARITY_PICTURES)]
    pictures = (read_picture(one.picture) for one in some)
    apart = export.largest_difference(model, target, pictures, origin.head)
    # The detector refuses a file without a card; the first one holds provisional thresholds.
    card = _card(target, version, dict.fromkeys(LABELS, 0.5), origin)
    write_card(card, target)
    finder = OpenVinoYolo(target, load_card(target))
    first = evaluate(finder, validation, card.thresholds, tick)
    thresholds = chosen_thresholds(first.tally)
    evaluation = Evaluation(first.pairs, first.tally, thresholds)
    described = {"name": card.name, "version": version, "sha256": card.sha256}
    result = evaluation.result({**described, "precision": finder.model.precision})
    training = {**card.training, "largest_difference_from_pytorch": float(f"{apart:.2g}")}
    metrics = {"val": {key: result[key] for key in ("images", "classes", "groups", "negatives")}}
    update = {"thresholds": thresholds, "training": training, "metrics": metrics}
    write_card(card.model_copy(update=update), target)
    load_card(target)
    return evaluation, result


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
