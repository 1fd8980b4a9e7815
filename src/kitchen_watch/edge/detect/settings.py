"""How the detector uses the machine: threads, streams, precision."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from kitchen_watch.config import Settings

Precision = Literal["auto", "f32", "bf16", "f16", "int8"]


class DetectorSettings(Settings):
    """Zero lets the runtime choose for the machine it finds; the precision really used is in every event's
    ``model``.
    """

    threads: Annotated[int, Field(ge=0, le=256, description="CPU threads for inference")] = 0
    streams: Annotated[int, Field(ge=0, le=64, description="frames inferred at the same time")] = 0
    batch: Annotated[
        int,
        Field(ge=1, le=64, description="frames of several cameras given to a .pt or .engine model at once"),
    ] = 1
    precision: Annotated[
        Precision,
        Field(
            description="auto: the fastest here of those that the model card proves, measured at the first"
            " start and kept in data_dir; on a CPU, one that the card does not prove is refused"
        ),
    ] = "auto"
    choices: Annotated[
        Path | None,
        Field(description="file that keeps what auto measured; default: precision.json in data_dir"),
    ] = None
    device: Annotated[
        str,
        Field(
            description="cpu; gpu for an Intel GPU (.onnx); or what Ultralytics takes (cuda:0, mps) for .pt"
            " and .engine files. Nothing but cpu has been tried."
        ),
    ] = "cpu"
