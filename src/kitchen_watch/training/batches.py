"""Turns the plan of an epoch into tensors: reads pictures, composes canvases, changes their
look, pastes pests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from kitchen_watch.training import looks, paste
from kitchen_watch.training.compose import Jitter, Tile, grid, single
from kitchen_watch.training.config import Size, Stage
from kitchen_watch.training.dataset import Example, read_picture
from kitchen_watch.training.loss import CLASS_MASK
from kitchen_watch.training.plan import Batch

Picture = npt.NDArray[np.uint8]
WITHOUT_HEADS = {"pest", "negative"}
"""Groups whose pictures large animals may cover: no head is lost there."""
LONGEST = 768
"""Pictures are kept in memory no larger than this; more than a canvas shows is never needed."""


class Pictures:
    """All training pictures decoded once, with the pests cut out of them; about 0.8 MB of
    memory a picture.
    """

    def __init__(self, examples: Sequence[Example], tick: Callable[[], None]) -> None:
        self.examples = examples
        self.decoded: list[Picture] = []
        self.cutouts: list[paste.Cutout] = []
        for example in examples:
            picture = _no_larger(read_picture(example.picture))
            self.decoded.append(picture)
            if example.group == "pest":
                self.cutouts.extend(paste.cut_out(example, picture))
            tick()
        empty = [k for k, example in enumerate(examples) if example.group == "negative"]
        self._scraps = empty or list(range(len(examples)))

    def tile(self, index: int) -> Tile:
        """Picture `index` with its boxes."""
        return Tile(self.decoded[index], self.examples[index].boxes)

    def shapes(self) -> list[Size]:
        """(width, height) of every picture."""
        return [(picture.shape[1], picture.shape[0]) for picture in self.decoded]

    def scrap(self, rng: np.random.Generator) -> Picture:
        """A patch of an empty kitchen."""
        picture = self.decoded[self._scraps[rng.integers(len(self._scraps))]]
        side = int(min(picture.shape[:2]) * rng.uniform(0.1, 0.5))
        top = int(rng.integers(0, picture.shape[0] - side))
        left = int(rng.integers(0, picture.shape[1] - side))
        return picture[top : top + side, left : left + side]


class PlannedBatches(Dataset[dict[str, torch.Tensor]]):  # type: ignore[misc]  # torch is untyped here
    """The batches of one epoch by number. Each is a function of the plan alone, whatever
    process makes it.
    """

    def __init__(self, pictures: Pictures, plan: Sequence[Batch], stage: Stage) -> None:
        self.pictures = pictures
        self.plan = plan
        self.stage = stage

    def __len__(self) -> int:
        """Batches in the epoch."""
        return len(self.plan)

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        """Batch `number`: `img` uint8 (n, 3, h, w) RGB, `cls` (m, 1), `bboxes` (m, 4) centre
        and size in 0..1.
        """
        cv2.setNumThreads(0)
        batch = self.plan[number]
        rng = np.random.default_rng(batch.seed)
        made = [self._canvas(indices, batch.size, rng) for indices in batch.canvases]
        boxes = np.concatenate([found for _, found in made])
        owner = np.repeat(np.arange(len(made)), [len(found) for _, found in made])
        masks = [self.pictures.examples[indices[0]].class_mask() for indices in batch.canvases]
        scale = np.array(batch.size * 2, dtype=np.float32)
        corners = boxes[:, 1:] / scale
        middle, extent = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
        images = np.stack([picture for picture, _ in made]).transpose(0, 3, 1, 2)
        return {
            "img": torch.from_numpy(np.ascontiguousarray(images)),
            "batch_idx": torch.from_numpy(owner.astype(np.float32)),
            "cls": torch.from_numpy(boxes[:, :1].copy()),
            "bboxes": torch.from_numpy(np.concatenate([middle, extent], axis=1)),
            CLASS_MASK: torch.from_numpy(np.stack(masks)),
        }

    def _canvas(
        self, indices: tuple[int, ...], size: Size, rng: np.random.Generator
    ) -> tuple[Picture, npt.NDArray[np.float32]]:
        stage = self.stage
        tiles = [self.pictures.tile(index) for index in indices]
        if len(tiles) == 1:
            jitter = Jitter(stage.single_scale, stage.aspect, stage.degrees, stage.shift)
            picture, boxes = single(tiles[0], size, jitter, rng)
        else:
            jitter = Jitter(stage.grid_scale, stage.aspect, stage.degrees, 0.0)
            picture, boxes = grid(tiles, size, round(len(tiles) ** 0.5), jitter, rng)
        alone = {self.pictures.examples[index].group for index in indices} <= WITHOUT_HEADS
        if self.pictures.cutouts and alone and rng.random() < stage.crowd:
            picture, boxes = paste.crowd(picture, boxes, self.pictures.cutouts, rng)
        if self.pictures.cutouts and rng.random() < stage.paste:
            cutouts, scrap = self.pictures.cutouts, self.pictures.scrap
            picture, boxes = paste.paste(picture, boxes, cutouts, scrap, rng)
        return looks.changed(picture, stage.looks, rng), boxes


def _no_larger(picture: Picture) -> Picture:
    scale = LONGEST / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return np.asarray(
        cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8
    )
