"""The training configuration (`configs/train.yaml`): strict, complete, and the only thing
besides data and seed that decides what the weights become.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from kitchen_watch.errors import ConfigError
from kitchen_watch.training.dataset import Example
from kitchen_watch.training.looks import LOOKS

Chance = Annotated[float, Field(ge=0, le=1)]
Size = tuple[int, int]
Range = tuple[float, float]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Share(_Strict):
    """How often pictures of a group are drawn, relative to one; `site` and `holding` narrow it."""

    group: str
    site: str | None = None
    holding: str | None = None
    weight: float = Field(ge=0)

    def fits(self, example: Example) -> bool:
        """Whether this share speaks of `example`."""
        return (
            example.group == self.group
            and (self.site is None or example.site == self.site)
            and (self.holding is None or example.count(self.holding) > 0)
        )


class Stage(_Strict):
    """Some epochs with the same canvases and geometry. Sizes are (width, height), multiples of 32."""

    epochs: int = Field(gt=0)
    pictures: int = Field(gt=0, description="canvases an epoch")
    grid: Chance = Field(description="share of canvases that are a grid of pictures")
    nine: Chance = Field(description="share of grids that are 3x3; pest pictures three times as often")
    grid_canvases: list[Size]
    grid_scale: Range
    single_canvases: list[Size] = Field(description="the one nearest in aspect is taken")
    single_scale: Range
    aspect: float = Field(ge=1)
    degrees: float = Field(ge=0, le=20)
    shift: float = Field(ge=0, le=0.5)
    paste: Chance
    crowd: Chance = Field(0.0, description="of large pests together on a picture of pests or of nothing")
    looks: dict[str, Chance]
    head_only: bool = Field(False, description="train the two heads on features that stand still")


class Leg(_Strict):
    """One full learning-rate cycle; later legs take up the weights of earlier ones."""

    learning_rate: float = Field(gt=0)
    final_fraction: float = Field(gt=0, le=1)
    warmup_steps: int = Field(ge=0)
    stages: list[Stage] = Field(min_length=1)
    head: Literal["both", "one_to_many"] = Field(
        "both", description="which head learns; of the one-to-one head nothing reaches the features"
    )
    share: float = Field(
        1.0, gt=0, le=1, description="of the run in the weights after this leg; the rest is the start's"
    )

    @property
    def epochs(self) -> int:
        """Epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    def stage_at(self, epoch: int) -> Stage:
        """The stage of the leg's `epoch`, counted from 0."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        return self.stages[-1]


class Source(_Strict):
    """Where training pictures come from, for the model card."""

    name: str
    licence: str


class TrainConfig(_Strict):
    """Everything that `kitchen-watch train` needs to know besides where the data lies."""

    name: str
    seed: int
    architecture: str
    batch: int = Field(gt=0)
    weight_decay: float = Field(ge=0)
    ema_decay: float = Field(gt=0, lt=1)
    frozen_layers: int = Field(ge=0, description="leading backbone layers kept as they start")
    validate_every: int = Field(gt=0, description="epochs between looks at val")
    shares: list[Share]
    legs: list[Leg] = Field(min_length=1)
    sources: list[Source] = Field(default_factory=list, description="for the model card")
    limits: list[str] = Field(default_factory=list, description="for the model card")

    def weight_of(self, example: Example) -> float:
        """The first fitting share's weight. Raises ConfigError for a group without one."""
        for share in self.shares:
            if share.fits(example):
                return share.weight
        raise ConfigError(
            f"No share for pictures of group {example.group!r}: add one to `shares` of the training config."
        )


def read_config(path: Path) -> TrainConfig:
    """The configuration in `path`. Raises ConfigError with the place and the reason."""
    try:
        config = TrainConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not a usable training configuration: {error}") from error
    for leg in config.legs:
        for stage in leg.stages:
            unknown = set(stage.looks) - set(LOOKS)
            odd = [s for s in (*stage.grid_canvases, *stage.single_canvases) if s[0] % 32 or s[1] % 32]
            if unknown or odd:
                raise ConfigError(
                    f"{path}: unknown looks {sorted(unknown)} or sizes not multiples of 32 {odd}."
                )
    return config
