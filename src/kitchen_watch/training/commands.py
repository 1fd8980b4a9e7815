"""The commands of the training side: train, evaluate, export, dataset check. Thin: they parse,
call and print.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kitchen_watch.clock import SystemClock

CHECKPOINT = Path("models/kitchen-yolo26n.ckpt")


def train(
    data: Annotated[Path, typer.Option(help="Folder with train/ and val/, groups below them.")],
    config: Annotated[Path, typer.Option(help="What to train and how.")] = Path("configs/train.yaml"),
    start: Annotated[Path | None, typer.Option(help="Weights (.pt) to start from.")] = None,
    checkpoint: Annotated[Path, typer.Option(help="Written after every epoch.")] = CHECKPOINT,
    resume: Annotated[bool, typer.Option(help="Go on where the checkpoint stands.")] = False,
    legs: Annotated[int | None, typer.Option(help="Stop after this many legs.")] = None,
    curves: Annotated[Path, typer.Option(help="Learning curves, PNG.")] = Path("var/train/curves.png"),
) -> None:
    """Train the detector; deterministic for one configuration, data set and machine."""
    from kitchen_watch.training import dataset, trainer  # noqa: PLC0415  # torch only when it is needed
    from kitchen_watch.training.config import read_config  # noqa: PLC0415
    from kitchen_watch.training.curves import draw  # noqa: PLC0415
    from kitchen_watch.training.progress import ShownRun  # noqa: PLC0415

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
