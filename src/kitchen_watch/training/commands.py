"""The commands of the training side: train, evaluate, export, dataset check. Thin: they parse,
call and print.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from kitchen_watch.clock import SystemClock
from kitchen_watch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitchen_watch.edge.detect.card import ModelCard
    from kitchen_watch.training.dataset import Example
    from kitchen_watch.training.evaluate import Result

# Every command imports its own room when it runs: torch, numpy and OpenVINO take seconds to load.
# ruff: noqa: PLC0415

CONFIG = Path("configs/train.yaml")
MODEL = Path("models/kitchen-yolo26n.onnx")
CHECKPOINT = Path("models/kitchen-yolo26n.ckpt")
CURVES = Path("models/pictures/learning.png")
PRECISIONS = ("f32", "bf16", "int8")

Data = Annotated[Path, typer.Option(help="Folder with train/ and val/, groups below them.")]


def train(
    data: Data,
    config: Annotated[Path, typer.Option(help="What to train and how.")] = CONFIG,
    start: Annotated[Path | None, typer.Option(help="Weights (.pt) to start from.")] = None,
    checkpoint: Annotated[Path, typer.Option(help="Written after every epoch.")] = CHECKPOINT,
    resume: Annotated[bool, typer.Option(help="Go on where the checkpoint stands.")] = False,
    legs: Annotated[int | None, typer.Option(help="Stop after this many legs.")] = None,
    curves: Annotated[Path, typer.Option(help="Learning curves, PNG.")] = CURVES,
) -> None:
    """Train the detector; repeatable for one configuration, data set and machine."""
    from kitchen_watch.training import dataset
    from kitchen_watch.training.config import read_config
    from kitchen_watch.training.progress import ShownRun

    _need_torch()
    from kitchen_watch.training import trainer
    from kitchen_watch.training.curves import draw

    settings = read_config(config)
    examples, validation = dataset.read_split(data / "train"), dataset.read_split(data / "val")
    run = trainer.prepare(settings, start, checkpoint if resume else None)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)

    class Drawn(ShownRun):
        """Draws the curves anew after every epoch."""

        def epoch_over(self, record: dict[str, float]) -> None:
            super().epoch_over(record)
            draw(run.progress.history, curves)

    with Drawn(Console(), SystemClock()) as witness:
        trainer.train(run, examples, validation, checkpoint, witness, legs=legs)


def evaluate(
    data: Annotated[Path, typer.Option(help="Folder of groups, such as detect/val.")],
    model: Annotated[Path, typer.Option(help="ONNX file with its card.")] = MODEL,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write a picture report there.")] = None,
    precision: Annotated[
        str, typer.Option(help="f32, bf16 or int8; fixed, so that figures can be compared.")
    ] = "f32",
) -> None:
    """Measure a model on labelled pictures, as the edge would run it."""
    if precision not in PRECISIONS:
        raise ConfigError(f"--precision is {precision!r}; give one of {', '.join(PRECISIONS)}.")
    from kitchen_watch.edge.detect.card import load_card
    from kitchen_watch.edge.detect.openvino_yolo import OpenVinoYolo
    from kitchen_watch.edge.detect.settings import DetectorSettings, Precision
    from kitchen_watch.training import dataset
    from kitchen_watch.training import evaluate as evaluation

    examples = dataset.read_split(data)
    card = load_card(model)
    finder = OpenVinoYolo(model, card, DetectorSettings(precision=cast(Precision, precision)))
    done = evaluation.evaluate(finder, examples, card.thresholds, _ticks(examples))
    used = finder.model
    described = {
        "name": used.name,
        "version": used.version,
        "sha256": used.sha256,
        "precision": used.precision,
    }
    result = done.result(described)
    if report is not None:
        from kitchen_watch.training import report as pages

        page = pages.write(done, result, report)
        Console(stderr=True).print(f"Report: {page}", soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    else:
        _print(result)


def export(  # noqa: PLR0913 - each option is one of the command line
    data: Data,
    *,
    version: Annotated[str, typer.Option(help="Version of the model, for its card.")],
    weights: Annotated[Path, typer.Option(help="Training checkpoint, or Ultralytics .pt.")] = CHECKPOINT,
    target: Annotated[Path, typer.Option(help="ONNX file to write, its card beside it.")] = MODEL,
    config: Annotated[Path, typer.Option(help="The configuration it was trained with.")] = CONFIG,
    command: Annotated[
        str, typer.Option(help="The training command, for the card.")
    ] = "kitchen-watch train --data DIR",
    int8: Annotated[bool, typer.Option("--int8/--no-int8", help="Also make an int8 model.")] = True,
    head: Annotated[
        str, typer.Option(help="one_to_one, or one_to_many with doubles removed in the graph.")
    ] = "one_to_one",
    report: Annotated[Path | None, typer.Option(help="Write a picture report there.")] = None,
) -> None:
    """Export weights as ONNX with a card: checked against PyTorch, measured, thresholds chosen on val."""
    _need_torch()
    if int8:
        _need("nncf")
    from kitchen_watch.edge.detect.card import load_card
    from kitchen_watch.training import checkpoint, dataset, publishing
    from kitchen_watch.training.config import read_config
    from kitchen_watch.training.export import Head

    if head not in get_args(Head):
        raise ConfigError(f"--head is {head!r}; give one of {', '.join(get_args(Head))}.")
    validation = dataset.read_split(data / "val")
    epochs = 0 if weights.suffix == ".pt" else int(checkpoint.read(weights)["epoch"])
    origin = publishing.Origin(command, read_config(config), config.as_posix(), epochs, cast(Head, head))
    calibration = dataset.read_split(data / "train") if int8 else ()
    pictures = publishing.Pictures(validation, calibration)
    done, result = publishing.publish(
        weights, target, version, origin, pictures, lambda step: _ticks(validation, step)
    )
    if report is not None:
        from kitchen_watch.training import report as pages

        pages.write(done, result, report)
    _print(result)
    _print_proofs(load_card(target))


dataset_app = typer.Typer(help="Look after the labelled pictures.", no_args_is_help=True)


@dataset_app.callback()
def dataset_group() -> None:
    """Look after the labelled pictures."""


@dataset_app.command("check")
def dataset_check(data: Annotated[Path, typer.Argument(help="Folder with train/ and val/.")]) -> None:
    """Find broken boxes and duplicates, count classes, and refuse a leak between train and val."""
    from kitchen_watch.training import dataset_check as checking
    from kitchen_watch.training.dataset import LABELS

    console = Console()
    with console.status("Reading pictures"):
        findings = checking.check(data)
    table = Table("class", "train", "val")
    table.add_row("pictures", *(str(findings.pictures[split]) for split in ("train", "val")))
    for label in LABELS:
        table.add_row(label, *(str(findings.balance[split, label]) for split in ("train", "val")))
    console.print(table)
    for label in findings.scarce:
        console.print(f"Scarce in train: {label}", highlight=False)
    for sentence in findings.broken:
        console.print(sentence, highlight=False, soft_wrap=True)
    for leak in findings.leaks:
        console.print(f"{leak.val} is {leak.train} ({leak.distance} of 256 bits differ)", soft_wrap=True)
    findings.refuse()
    console.print("No broken box, and no picture of val in train.")


COMMANDS: dict[str, Callable[..., None]] = {"train": train, "evaluate": evaluate, "export": export}


def _need_torch() -> None:
    _need("torch", "ultralytics")


def _need(*modules: str) -> None:
    try:
        for module in modules:
            import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"Training needs {error.name}: install it with `pip install kitchen-watch[train]`."
        ) from error


def _ticks(examples: list[Example], step: str = "") -> Callable[[], None]:
    """A progress bar on stderr that moves on at every call."""
    # One more to draw than to tick: the first starts the bar, and the last tick must find it full.
    steps = range(len(examples) + 1)
    moves = iter(track(steps, f"Looking {step}".rstrip(), total=len(examples), console=Console(stderr=True)))
    next(moves)

    def tick() -> None:
        next(moves, None)

    return tick


def _print_proofs(card: ModelCard) -> None:
    for precision, proof in card.precisions.items():
        label, fall = min(proof.difference.items(), key=lambda item: item[1])
        verdict = "proved" if proof.proved else "NOT proved"
        line = f"{precision}: {verdict}; AP50 against f32 at least {fall:+.4f} ({label})"
        Console().print(line, highlight=False)


def _print(result: Result) -> None:
    console = Console()
    table = Table("class", "boxes", "AP50", "AP50-95", "threshold", "precision", "recall")
    for label, row in result["classes"].items():
        shown = [row[key] for key in ("ap50", "ap50_95", "threshold", "precision", "recall")]
        numbers = ["–" if value is None else f"{value:.3f}" for value in shown]
        table.add_row(label, str(row["truths"]), *numbers)
    console.print(table)
    for site, rows in result["groups"].items():
        if rows:
            parts = ", ".join(f"{label} {row['ap50'] or 0:.3f}" for label, row in rows.items())
            console.print(f"{site}: {parts}", highlight=False)
    negatives = result["negatives"]
    console.print(
        f"False alarms: {negatives['false_alarms']} boxes in {negatives['pictures']} empty pictures"
    )
