"""Keeps a training run in one small file: weights, their running average and the optimizer's
memory.

A full-precision AdamW checkpoint of YOLO26n is 41 MB. Here weights and averages are float16, the
second moment is kept as the float16 of its root (its own values would underflow) and the first
moment, which ten steps renew, as one byte a value with a scale per tensor: under 19 MB, so that
the file can live in the repository and a run go on elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from kitchen_watch.errors import ConfigError, ModelMissing

FORMAT = "kitchen-watch-training-1"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come: next epoch over all legs, optimizer steps and averages made,
    curves so far.
    """

    epoch: int
    steps: int
    history: list[dict[str, float]]


def save(
    path: Path,
    model: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    about: dict[str, str],
) -> None:
    """Write the run to `path`, whole or not at all; `about` says what it is (configuration,
    labels, data).
    """
    state = optimizer.state_dict()["state"]
    packed = {
        "format": FORMAT,
        "about": about,
        "epoch": progress.epoch,
        "steps": progress.steps,
        "history": progress.history,
        "model": _halved(model.state_dict()),
        "average": _halved(average.state_dict()),
        "moments": {index: _packed(moments) for index, moments in state.items()},
    }
    part = path.with_suffix(".part")
    torch.save(packed, part)
    part.replace(path)


def load(path: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Put the run in `path` back; tensors of frozen layers, which have no moments, stay without."""
    packed = read(path)
    model.load_state_dict(packed["model"])
    average.load_state_dict(packed["average"])
    state = optimizer.state_dict()
    state["state"] = {index: _unpacked(moments) for index, moments in packed["moments"].items()}
    optimizer.load_state_dict(state)
    return Progress(packed["epoch"], packed["steps"], packed["history"])


def read(path: Path) -> dict[str, Any]:
    """The content of a checkpoint. Raises ModelMissing or ConfigError where there is none or
    it is something else.
    """
    if not path.is_file():
        raise ModelMissing(f"No training checkpoint at {path}; start one with `kitchen-watch train`.")
    try:
        packed = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError) as error:
        raise ConfigError(f"{path} is not a training checkpoint of kitchen_watch.") from error
    if not isinstance(packed, dict) or packed.get("format") != FORMAT:
        raise ConfigError(f"{path} is not a training checkpoint of kitchen_watch ({FORMAT}).")
    return packed


def _halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: value.half().contiguous() if value.is_floating_point() else value.clone()
        for name, value in state.items()
    }


def _packed(moments: dict[str, Tensor]) -> dict[str, Tensor]:
    first = moments["exp_avg"].float()
    scale = first.abs().max().clamp_min(1e-30) / 127
    return {
        "step": moments["step"].float(),
        "first": (first / scale).round().to(torch.int8).contiguous(),
        "first_scale": scale,
        "second_root": moments["exp_avg_sq"].float().sqrt().half().contiguous(),
    }


def _unpacked(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    root = packed["second_root"].float()
    return {
        "step": packed["step"],
        "exp_avg": packed["first"].float() * packed["first_scale"],
        # Zero would make the next step unbounded: what fell below float16 is its smallest value.
        "exp_avg_sq": root.clamp_min(6e-8).square(),
    }
