"""The training run: plan, batches, forward pass in bfloat16, masked loss, averages, validation,
checkpoint.

Ultralytics gives the network, its assigner and its losses; the loop is here because partial
labels, group-pure grids and a resume file of a few megabytes are, and because a CPU wants
channels-last tensors and bfloat16.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from ultralytics.nn.tasks import DetectionModel
from ultralytics.utils.torch_utils import ModelEMA

from kitchen_watch.errors import ConfigError
from kitchen_watch.training import checkpoint, metrics, network, scoring
from kitchen_watch.training.batches import Pictures, PlannedBatches
from kitchen_watch.training.config import Leg, Stage, TrainConfig
from kitchen_watch.training.dataset import LABELS, Example
from kitchen_watch.training.export import Head, rows_of
from kitchen_watch.training.loss import OneToManyLoss, build_loss
from kitchen_watch.training.plan import epoch_plan

FLOOR_OF_WARMUP = 0.05


class Witness(Protocol):
    """Whoever watches the run: a progress bar, a log, a test."""

    def reading(self, done: int, of: int) -> None:
        """`done` of `of` pictures are in memory."""

    def step(self, epoch: int, done: int, of: int, loss: float) -> None:
        """`done` of `of` batches of the epoch are trained; `loss` is the epoch's mean so far."""

    def epoch_over(self, record: dict[str, float]) -> None:
        """An epoch is over and saved."""


@dataclass
class Run:
    """The state of one training run between epochs."""

    config: TrainConfig
    model: DetectionModel
    average: ModelEMA
    optimizer: torch.optim.Optimizer
    progress: checkpoint.Progress
    start: dict[str, Tensor] | None = None


def prepare(config: TrainConfig, start: Path | None, resume: Path | None) -> Run:
    """A run ready to train: from `start` weights (or none), or where the checkpoint `resume` stands."""
    torch.manual_seed(config.seed)
    # Ultralytics sets OMP_NUM_THREADS=1 on import; a training run wants every core it may have.
    # One core of its own beats two shared ones: threads that wait for each other wait for everybody.
    torch.set_num_threads(_cores())
    model = network.build(config.architecture, config.legs[0].epochs)
    began: dict[str, Tensor] | None = None
    if start is not None:
        network.take_weights(model, start)
        began = {name: value.clone() for name, value in model.state_dict().items()}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device=device, memory_format=torch.channels_last)
    average = ModelEMA(model, decay=config.ema_decay, tau=300)
    optimizer = torch.optim.AdamW(_groups(model, config.weight_decay), lr=1e-3, betas=(0.9, 0.999))
    progress = checkpoint.Progress(0, 0, [])
    if resume is not None:
        progress = checkpoint.load(resume, model, average.ema, optimizer)
        average.updates = progress.steps
    return Run(config, model, average, optimizer, progress, began)


def train(
    run: Run,
    training: Sequence[Example],
    validation: Sequence[Example],
    save_to: Path,
    witness: Witness,
    *,
    legs: int | None = None,
) -> None:
    """Train to the end of leg `legs` (default: all), writing the checkpoint `save_to` after every epoch."""
    wanted = run.config.legs[: legs if legs is not None else len(run.config.legs)]
    last = sum(leg.epochs for leg in wanted)
    if run.progress.epoch >= last:
        raise ConfigError(f"This run has its {last} epochs; add a leg to the configuration to train on.")
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        witness.reading(done, len(training))

    pictures = Pictures(training, tick)
    loss = build_loss(run.model)
    for _ in range(run.progress.epoch):
        loss.update()
    for epoch in range(run.progress.epoch, last):
        leg, within = _leg_at(run.config, epoch)
        mean = _one_epoch(run, pictures, leg, within, epoch, loss, witness)
        loss.update()
        if within + 1 == leg.epochs and leg.share < 1:
            blend(run, leg.share)
        record: dict[str, float] = {"epoch": epoch + 1, "loss": mean}
        record["learning_rate"] = run.optimizer.param_groups[0]["lr"]
        if validation and ((epoch + 1) % run.config.validate_every == 0 or epoch + 1 == last):
            head: Head = "one_to_many" if leg.head == "one_to_many" else "one_to_one"
            record.update(validate(run.average.ema, validation, head))
        history = [*run.progress.history, record]
        run.progress = checkpoint.Progress(epoch + 1, run.progress.steps, history)
        about = {
            "name": run.config.name,
            "labels": " ".join(LABELS),
            "architecture": run.config.architecture,
            "config_sha256": _hash(run.config),
        }
        checkpoint.save(save_to, run.model, run.average.ema, run.optimizer, run.progress, about)
        witness.epoch_over(record)


def _cores() -> int:
    """Processors this process may use (`taskset` may have left it fewer than there are)."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


def blend(run: Run, share: float) -> None:
    """Draw weights and running average back towards the start: `share` of them stays, the rest is
    the start's.

    What fine-tuning gains it keeps for the most part, and what it forgets comes back (WiSE-FT,
    Wortsman et al., 2022). Raises ConfigError where the run was not given its start.
    """
    if run.start is None:
        raise ConfigError("This leg blends the run with its start: give --start, also when resuming.")
    for network_ in (run.model, run.average.ema):
        mixed = {
            name: torch.lerp(run.start[name].to(value.device), value, share)
            if value.is_floating_point()
            else value
            for name, value in network_.state_dict().items()
        }
        network_.load_state_dict(mixed)


def validate(average: DetectionModel, examples: Sequence[Example], head: Head) -> dict[str, float]:
    """AP50 of each class on `examples` by one head of the running average of the weights."""
    seen = scoring.tally(network.detect_all(rows_of(average, head), examples))
    found = {label: metrics.ap50(seen.of_class(label)) for label in LABELS}
    return {f"ap50/{label}": value for label, value in found.items() if value is not None}


def learning_rate(leg: Leg, step: int, steps: int) -> float:
    """A short straight warm-up, then a cosine from the leg's rate down to its final fraction."""
    fraction = leg.final_fraction
    swing = fraction + (1 - fraction) * (1 + math.cos(math.pi * min(step / steps, 1))) / 2
    warm = min(1.0, FLOOR_OF_WARMUP + step / leg.warmup_steps) if leg.warmup_steps else 1.0
    return leg.learning_rate * swing * warm


def _one_epoch(
    run: Run,
    pictures: Pictures,
    leg: Leg,
    within: int,
    epoch: int,
    loss: object,
    witness: Witness,
) -> float:
    stage: Stage = leg.stage_at(within)
    plan = epoch_plan(run.config, pictures.examples, pictures.shapes(), stage, epoch)
    # One process beside the training keeps two cores busy; batches do not depend on who makes them.
    loader = DataLoader(
        PlannedBatches(pictures, plan, stage),
        batch_size=None,
        num_workers=1,
        prefetch_factor=4,
        multiprocessing_context="fork",
    )
    freeze(run.model, len(run.model.model) - 1 if stage.head_only else run.config.frozen_layers)
    total = 0.0
    with ExitStack() as alone:
        if leg.head == "one_to_many":
            alone.enter_context(network.one_to_many_alone(run.model))
            loss = OneToManyLoss(run.model)
        for number, batch in enumerate(loader):
            rate = learning_rate(leg, within * len(plan) + number, leg.epochs * len(plan))
            for group in run.optimizer.param_groups:
                group["lr"] = rate
            total += train_step(run, batch, loss)
            witness.step(epoch + 1, number + 1, len(plan), total / (number + 1))
    return total / len(plan)


def freeze(model: DetectionModel, layers: int) -> None:
    """Put `model` into training, its first `layers` layers apart: these keep weights and statistics."""
    model.train()
    for number, layer in enumerate(model.model):
        layer.requires_grad_(number >= layers)
        if number < layers:
            layer.eval()


def train_step(run: Run, batch: dict[str, Tensor], loss: object) -> float:
    """One optimizer step on one batch; returns the loss of a picture (box + class + distance)."""
    device = next(run.model.parameters()).device
    batch = {name: value.to(device) for name, value in batch.items()}
    images = batch["img"].to(memory_format=torch.channels_last).float() / 255
    with torch.autocast(device.type, torch.bfloat16):
        raw = run.model(images)
    outputs = {head: _single_precision(parts) for head, parts in raw.items()}
    assert callable(loss)
    parts, _ = loss(outputs, batch)
    value = parts.sum()
    if not torch.isfinite(value):
        raise ConfigError("The loss is no longer a number: lower the learning rate and resume.")
    value.backward()
    nn.utils.clip_grad_norm_(run.model.parameters(), max_norm=10.0)
    run.optimizer.step()
    run.optimizer.zero_grad(set_to_none=True)
    run.average.update(run.model)
    run.progress = checkpoint.Progress(run.progress.epoch, run.progress.steps + 1, run.progress.history)
    return float(value.detach()) / len(images)


def _single_precision(parts: dict[str, object]) -> dict[str, object]:
    """Losses are taken in float32: bfloat16 boxes are off by pixels."""
    return {
        name: [one.float() for one in value] if isinstance(value, list) else value.float()
        for name, value in parts.items()
        if isinstance(value, (list, Tensor))
    }


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weights decay; biases and normalisation do not. Frozen ones have no gradient and stay as they are."""
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _leg_at(config: TrainConfig, epoch: int) -> tuple[Leg, int]:
    for leg in config.legs:
        if epoch < leg.epochs:
            return leg, epoch
        epoch -= leg.epochs
    raise ConfigError("The configuration has no leg for this epoch.")


def _hash(config: TrainConfig) -> str:
    return hashlib.sha256(json.dumps(config.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
