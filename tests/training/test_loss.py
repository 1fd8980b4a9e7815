"""A class that a picture does not label gives no gradient, in either head."""

from __future__ import annotations

from typing import Any

import pytest

from tests.training.parts import need_torch

need_torch()

import torch  # noqa: E402

from kitchen_watch.training import network  # noqa: E402
from kitchen_watch.training.dataset import LABELS  # noqa: E402
from kitchen_watch.training.loss import CLASS_MASK, OneToManyLoss, build_loss  # noqa: E402

MASK, NO_MASK = LABELS.index("mask"), LABELS.index("no_mask")


def outputs_of(pictures: int) -> dict[str, Any]:
    """Random outputs of both heads for 64x64 pictures, as the network gives them while training."""
    torch.manual_seed(3)
    feats = [torch.zeros(pictures, 1, 64 // s, 64 // s) for s in (8, 16, 32)]
    anchors = sum(f.shape[2] * f.shape[3] for f in feats)
    heads = {}
    for head in ("one2many", "one2one"):
        boxes = torch.rand(pictures, 4, anchors).requires_grad_()
        scores = torch.randn(pictures, len(LABELS), anchors).requires_grad_()
        heads[head] = {"boxes": boxes, "scores": scores, "feats": feats}
    return heads


def batch_of(masks: list[list[str]]) -> dict[str, torch.Tensor]:
    """One hat in the middle of each picture; `masks` names the classes each picture labels."""
    rows = [[float(label in labelled) for label in LABELS] for labelled in masks]
    count = len(masks)
    return {
        "batch_idx": torch.arange(count).float(),
        "cls": torch.full((count, 1), float(LABELS.index("hat"))),
        "bboxes": torch.tensor([[0.5, 0.5, 0.4, 0.4]]).repeat(count, 1),
        CLASS_MASK: torch.tensor(rows),
    }


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    """The smallest real network: the loss reads strides and classes from it."""
    return network.build("yolo26n.yaml", epochs=10)


@pytest.mark.parametrize("head", ["one2many", "one2one"])
def test_a_face_without_label_gives_no_gradient_for_mask_classes(model: torch.nn.Module, head: str) -> None:
    hats_only = ["person", "hat", "no_hat", "rat", "cockroach"]
    outputs = outputs_of(2)
    value, _ = build_loss(model)(outputs, batch_of([hats_only, list(LABELS)]))
    value.sum().backward()
    gradient = outputs[head]["scores"].grad
    assert gradient[0, [MASK, NO_MASK]].abs().max() == 0
    known = [LABELS.index(label) for label in hats_only]
    assert gradient[0, known].abs().amin(dim=-1).min() > 0
    assert gradient[1].abs().amin(dim=-1).min() > 0


def test_an_unknown_class_does_not_change_the_loss(model: torch.nn.Module) -> None:
    batch = batch_of([["person", "hat", "no_hat"]])
    first = outputs_of(1)
    before, _ = build_loss(model)(first, batch)
    for head in first.values():
        head["scores"] = head["scores"].detach().clone()
        head["scores"][:, MASK] = 9.0
    after, _ = build_loss(model)(first, batch)
    assert torch.allclose(before.sum(), after.sum())


def test_the_one_to_many_loss_alone_keeps_the_class_mask_and_leaves_the_other_head(
    model: torch.nn.Module,
) -> None:
    outputs = outputs_of(2)
    value, _ = OneToManyLoss(model)(outputs, batch_of([["hat", "no_hat"], list(LABELS)]))
    value.sum().backward()
    gradient = outputs["one2many"]["scores"].grad
    assert gradient[0, [MASK, NO_MASK]].abs().max() == 0
    assert gradient[1, [MASK, NO_MASK]].abs().max() > 0
    assert outputs["one2one"]["scores"].grad is None
