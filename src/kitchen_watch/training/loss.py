"""The detection loss of partially labelled pictures: a class that a picture does not label gives
no gradient.

YOLO26 trains two heads at once, one-to-many and one-to-one; `E2ELoss` builds this criterion for
both of them.
"""

from __future__ import annotations

from typing import Any

import torch
from ultralytics.utils.loss import E2ELoss, v8DetectionLoss

CLASS_MASK = "class_mask"
"""Key of the batch under which the (pictures, classes) tensor of ones and zeros stands."""


class PartialLabelLoss(v8DetectionLoss):  # type: ignore[misc]  # Ultralytics is untyped
    """Ultralytics' detection loss whose per-class weights are the class mask of each picture
    in the batch.
    """

    def loss(
        self, preds: dict[str, torch.Tensor], batch: dict[str, Any]
    ) -> tuple[torch.Tensor, dict[str, Any]]:
        """Loss times batch size and its detached parts; `batch["class_mask"]` is (pictures,
        classes) in 0..1.

        The base class multiplies the classification loss, (pictures, anchors, classes), by
        `class_weights` in place; a (pictures, 1, classes) mask there silences exactly the unknown
        classes of exactly those pictures.
        """
        mask: torch.Tensor = batch[CLASS_MASK]
        self.class_weights = mask.to(self.device).view(mask.shape[0], 1, self.nc)
        result: tuple[torch.Tensor, dict[str, Any]] = super().loss(preds, batch)
        return result


class OneToManyLoss:
    """The loss of the one-to-many head alone, whole: beside the other head its weight falls to a tenth."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.criterion = PartialLabelLoss(model, tal_topk=10)

    def __call__(self, preds: dict[str, Any], batch: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        """Loss times batch size and its detached parts, of `preds["one2many"]`."""
        return self.criterion.loss(preds["one2many"], batch)


def build_loss(model: torch.nn.Module) -> E2ELoss:
    """The end-to-end criterion (both heads) for `model`, with the class mask in each."""
    return E2ELoss(model, loss_fn=PartialLabelLoss)
