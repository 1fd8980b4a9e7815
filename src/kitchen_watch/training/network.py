"""Builds the YOLO26 network and runs it in PyTorch: for validation while training and for the
parity check of exports.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from ultralytics import YOLO
from ultralytics.cfg import get_cfg
from ultralytics.nn.tasks import DetectionModel
from ultralytics.utils import LOGGER

from kitchen_watch.errors import ModelMismatch, ModelMissing
from kitchen_watch.training.compose import PAD
from kitchen_watch.training.dataset import LABELS, Example, read_picture
from kitchen_watch.training.scoring import Found

LONG_SIDE = 640
STRIDE = 32
COCO_CLASSES = 80


def build(architecture: str, epochs: int) -> DetectionModel:
    """A fresh network for LABELS. `epochs` is the length over which its two heads' losses trade places.

    The class heads keep the width that 80 classes gave them, so that COCO weights fit up to the last layer.
    """
    LOGGER.setLevel(logging.WARNING)
    network = DetectionModel(architecture, nc=COCO_CLASSES, verbose=False)
    head = network.model[-1]
    for branches in (head.cv3, head.one2one_cv3):
        for branch in branches:
            branch[-1] = nn.Conv2d(branch[-1].in_channels, len(LABELS), 1)
    head.nc = len(LABELS)
    head.no = head.nc + 4 * head.reg_max
    head.bias_init()
    network.yaml["nc"] = network.nc = len(LABELS)
    network.args = get_cfg(overrides={"epochs": epochs})
    network.names = dict(enumerate(LABELS))
    return network


def take_weights(network: nn.Module, start: Path) -> int:
    """Copy what fits from an Ultralytics .pt file; returns the tensors taken.

    A head made for other classes does not fit and stays fresh. Raises ModelMissing or ModelMismatch.
    """
    if not start.is_file():
        raise ModelMissing(f"No weights at {start} to start from.")
    theirs = YOLO(str(start)).model
    if not isinstance(theirs, nn.Module):
        raise ModelMismatch(f"{start} is not a PyTorch model of Ultralytics.")
    own = network.state_dict()
    same_labels = list(getattr(theirs, "names", {}).values()) == list(LABELS)
    fitting = {
        name: value.float()
        for name, value in theirs.state_dict().items()
        if name in own and own[name].shape == value.shape
    }
    if len(fitting) < 0.8 * len(own) or (same_labels and len(fitting) < len(own)):
        raise ModelMismatch(f"{start} is another network: only {len(fitting)} of {len(own)} tensors fit.")
    network.load_state_dict(fitting, strict=False)
    return len(fitting)


def canvas_for(picture: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], float, int, int]:
    """`picture` at long side 640, centred on grey to multiples of 32; with its scale, left and top."""
    height, width = picture.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = (round(width * scale), round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(picture, size, interpolation=way)
    right, bottom = (-size[0]) % STRIDE, (-size[1]) % STRIDE
    left, top = right // 2, bottom // 2
    padded = cv2.copyMakeBorder(
        resized, top, bottom - top, left, right - left, cv2.BORDER_CONSTANT, value=PAD
    )
    return np.asarray(padded, dtype=np.uint8), scale, left, top


@contextmanager
def one_to_many_alone(network: DetectionModel) -> Iterator[None]:
    """While it lasts, `network` in training gives the one-to-many head's outputs only.

    The other head learns from features that it may not move, so without it they learn the same in less time.
    """
    head = network.model[-1]
    head.forward = lambda features: {"one2many": head.forward_head(features, **head.one2many)}
    try:
        yield
    finally:
        del head.forward


def detect_all(
    rows_of: nn.Module, examples: Iterable[Example], least: float = 0.005
) -> Iterator[tuple[Example, Found]]:
    """Every example with what a network finds in it, at long side 640; `rows_of` gives rows of boxes for
    a batch of pictures, as in `export.rows_of`.
    """
    weight = next(rows_of.parameters())
    for example in examples:
        picture = read_picture(example.picture)
        canvas, scale, left, top = canvas_for(picture)
        batch = torch.from_numpy(canvas).permute(2, 0, 1)[None].to(weight.device).float() / 255
        with torch.no_grad():
            rows = np.asarray(rows_of(batch)[0].float().cpu().numpy(), dtype=np.float32)
        rows = rows[rows[:, 4] >= least]
        found = np.empty((len(rows), 6), dtype=np.float32)
        found[:, 0], found[:, 1] = rows[:, 5], rows[:, 4]
        size = np.array(picture.shape[1::-1] * 2, dtype=np.float32)
        shift = np.array([left, top, left, top], dtype=np.float32)
        found[:, 2:] = np.clip((rows[:, :4] - shift) / scale / size, 0, 1)
        yield example, found
