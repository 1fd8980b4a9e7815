"""Decides which pictures an epoch shows, how they are grouped on canvases, and in which order.

A pure function of configuration, examples, seed and epoch: the same run can be resumed or
repeated from any epoch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kitchen_watch.training.config import Size, Stage, TrainConfig
from kitchen_watch.training.dataset import Example


@dataclass(frozen=True, slots=True)
class Batch:
    """Canvases of one size. Each canvas holds the indices of its pictures: one, four or nine."""

    size: Size
    canvases: tuple[tuple[int, ...], ...]
    seed: int


def epoch_plan(
    config: TrainConfig,
    examples: Sequence[Example],
    shapes: Sequence[Size],
    stage: Stage,
    epoch: int,
) -> list[Batch]:
    """The batches of one epoch; `shapes` are the pictures' (width, height), `epoch` counts
    over all legs.
    """
    rng = np.random.default_rng([config.seed, epoch])
    weights = np.array([config.weight_of(example) for example in examples])
    pools: dict[frozenset[str], list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        pools[example.labelled].append(index)
    by_size: dict[Size, list[tuple[int, ...]]] = defaultdict(list)
    for first in _drawn(weights, stage.pictures, rng):
        example = examples[first]
        if rng.random() < stage.grid:
            nine = stage.nine * (3 if example.group == "pest" else 1)
            others = 8 if rng.random() < nine else 3
            pool = np.array(pools[example.labelled])
            chances = weights[pool] / weights[pool].sum()
            partners = rng.choice(pool, others, p=chances)
            size = stage.grid_canvases[rng.integers(len(stage.grid_canvases))]
            by_size[size].append((int(first), *(int(p) for p in partners)))
        else:
            by_size[_nearest(shapes[first], stage.single_canvases)].append((int(first),))
    batches = [
        Batch(size, tuple(canvases[at : at + config.batch]), int(rng.integers(2**31)))
        for size, canvases in sorted(by_size.items())
        for at in range(0, len(canvases), config.batch)
    ]
    # A rest of one or two canvases would make the batch statistics (and the step) wild.
    whole = [batch for batch in batches if len(batch.canvases) * 2 >= config.batch]
    return [whole[k] for k in rng.permutation(len(whole))]


def _drawn(weights: npt.NDArray[np.float64], count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """`count` indices, each as often as its weight says give or take one, in random order."""
    wanted = weights / weights.sum() * count
    times = np.floor(wanted + rng.random(len(weights))).astype(np.int64)
    return rng.permutation(np.repeat(np.arange(len(weights)), times))


def _nearest(shape: Size, canvases: Sequence[Size]) -> Size:
    aspect = np.log(shape[0] / shape[1])
    return min(canvases, key=lambda size: abs(float(np.log(size[0] / size[1]) - aspect)))
