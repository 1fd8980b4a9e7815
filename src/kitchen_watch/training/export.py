"""Exports trained weights as ONNX with the NMS-free head, and checks that ONNX finds what PyTorch
finds.

The file takes any batch, height and width (multiples of 32, at least 160x160): a runtime that
fixes the shape loses nothing, and one file serves whole frames, square pictures and crops alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import Tensor, nn
from ultralytics.nn.tasks import DetectionModel

from kitchen_watch.errors import ModelMismatch
from kitchen_watch.training import checkpoint, network
from kitchen_watch.training.dataset import LABELS
from kitchen_watch.training.metrics import overlap

Head = Literal["one_to_one", "one_to_many"]

ROWS = 300
CANDIDATES = 160
"""Boxes of a class that are looked at, the surest."""
ROUNDS = 4
"""Enough for who stays to settle: measured on val, four and sixteen give the same figures."""
OVERLAP = 0.55
"""Above this, two boxes of a class are one thing: heads side by side overlap less."""
AGREEING = 0.7
"""Boxes of a class that overlap by more say the same from neighbouring places: their mean is nearer to it."""
OPSET = 18
CONFIDENT = 0.05
"""Detections above this must agree; fainter ones alert nobody."""
AGREEMENT = 0.01
"""Largest difference of a confidence, and of 1 - IoU, between PyTorch and ONNX (float32
rounding is 1e-4).
"""


def load_weights(path: Path, architecture: str = "yolo26n.yaml") -> DetectionModel:
    """The network with the weights of a training checkpoint (its running average) or of an
    Ultralytics .pt file.
    """
    model = network.build(architecture, epochs=1)
    if path.suffix == ".pt":
        network.take_weights(model, path)
    else:
        model.load_state_dict(checkpoint.read(path)["average"])
    return model.eval()


class OneToManyRows(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """The one-to-many head with its doubles removed inside the graph, for any batch and size.

    Non-maximum suppression by matrices only, so that every runtime can fuse it: a box goes where a surer one
    of its class that stays itself overlaps it by more than OVERLAP. Who stays settles within a few rounds
    ("Cluster NMS", Zheng et al., 2020). Each class has candidates of its own: in a crowd, all others of the
    picture's would be the many boxes of its people, and faint heads would not even be asked. A box that stays
    is drawn to the mean of those that agree with it, by their confidence (the same paper's weighted variant).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.classes = len(LABELS)
        self.register_buffer("surer", torch.ones(CANDIDATES, CANDIDATES).triu(1))

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) RGB 0..1 to (n, 300, 6) rows, the surest first."""
        boxes, scores = self.network(images).split((4, self.classes), dim=1)
        confidence, anchors = scores.topk(CANDIDATES, dim=-1)
        corners = boxes[:, None].expand(-1, self.classes, -1, -1)
        corners = corners.gather(3, anchors[:, :, None].expand(-1, -1, 4, -1))
        shared, areas = _shared(corners)
        doubles = _alike(shared, areas, OVERLAP).to(confidence.dtype) * self.surer
        stays = torch.ones_like(confidence)
        for _ in range(ROUNDS):
            stays = (torch.matmul(stays[..., None, :], doubles)[..., 0, :] < 0.5).to(confidence.dtype)
        weights = _alike(shared, areas, AGREEING).to(confidence.dtype) * confidence[..., None, :]
        total = weights.sum(-1)[..., None, :]
        # Multiplied and summed, not a product of matrices: bf16 has those, and in it 601 is 600.
        means = (weights[..., None, :, :] * corners[..., :, None, :]).sum(-1) / total.clamp(min=1e-9)
        # A box of nothing agrees not even with itself; it stays where it is.
        rows = torch.where(total > 0, means, corners).transpose(2, 3).flatten(1, 2)
        confidence, order = (confidence * stays).flatten(1).topk(ROWS)
        rows = rows.gather(1, order[..., None].expand(-1, -1, 4))
        label = (order // CANDIDATES).to(rows.dtype)
        return torch.cat([rows, confidence[..., None], label[..., None]], dim=-1)


def _shared(corners: Tensor) -> tuple[Tensor, Tensor]:
    """The area that each two of k boxes, (..., 4, k), share, and the sum of their areas, as (..., k, k)."""
    left, top, right, bottom = corners.unbind(dim=-2)
    width = torch.minimum(right[..., :, None], right[..., None, :]) - torch.maximum(
        left[..., :, None], left[..., None, :]
    )
    height = torch.minimum(bottom[..., :, None], bottom[..., None, :]) - torch.maximum(
        top[..., :, None], top[..., None, :]
    )
    area = (right - left) * (bottom - top)
    return width.clamp(min=0) * height.clamp(min=0), area[..., :, None] + area[..., None, :]


def _alike(shared: Tensor, areas: Tensor, least: float) -> Tensor:
    """Which boxes overlap by more than `least`: shared / (areas - shared) > least, without a division."""
    return shared > areas * (least / (1 + least))


def export_onnx(model: DetectionModel, target: Path, head: Head = "one_to_one") -> None:
    """Write `model` to `target`: `images` (n, 3, h, w) float RGB 0..1 to `detections` (n, 300, 6).

    A row is x1, y1, x2, y2 in input pixels, confidence, class; rows are sorted by confidence.
    """
    fused = rows_of(model, head)
    axes = {"images": {0: "batch", 2: "height", 3: "width"}, "detections": {0: "batch"}}
    target.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but the newer one fixes the anchor grid to one size.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            fused,
            (torch.zeros(1, 3, 384, 640),),
            str(target),
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["detections"],
            dynamic_axes=axes,
        )


def largest_difference(
    model: DetectionModel,
    onnx: Path,
    pictures: Iterable[npt.NDArray[np.uint8]],
    head: Head = "one_to_one",
) -> float:
    """How far ONNX strays from PyTorch on `pictures` (h, w, 3 RGB): in confidence or 1 - IoU,
    whichever is more.

    Raises ModelMismatch where one finds something that the other does not, or they stray beyond
    AGREEMENT.
    """
    session = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    fused = rows_of(model, head)
    worst = 0.0
    for picture in pictures:
        canvas = network.canvas_for(picture)[0]
        batch = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None].astype(np.float32) / 255)
        with torch.no_grad():
            expected = fused(torch.from_numpy(batch))[0].numpy()
        (rows,) = session.run(None, {"images": batch})
        worst = max(worst, difference(expected, np.asarray(rows)[0]))
    if worst > AGREEMENT:
        raise ModelMismatch(f"{onnx} strays from the PyTorch weights by {worst:.3f}; do not ship it.")
    return worst


def rows_of(model: DetectionModel, head: Head) -> nn.Module:
    """A fused copy of `model` that gives the rows of one head; the model itself stays trainable."""
    fused = deepcopy(model).cpu().float().eval()
    fused.model[-1].end2end = head == "one_to_one"
    fused = fused.fuse(verbose=False)
    fused.requires_grad_(False)
    last = fused.model[-1]
    last.export, last.dynamic, last.format, last.max_det = True, True, "onnx", ROWS
    if head == "one_to_one":
        return fused
    last.xyxy = True
    return OneToManyRows(fused).eval()


def difference(expected: npt.NDArray[np.float32], rows: npt.NDArray[np.float32]) -> float:
    """Each confident row, (n, 6), of one side against its best partner of the same class on the other."""
    # Where the list is full, its weakest rows may be others on the other side.
    least = max(CONFIDENT, float(expected[:, 4].min()), float(rows[:, 4].min())) + AGREEMENT
    worst = 0.0
    for mine, theirs in ((expected, rows), (rows, expected)):
        for row in mine[mine[:, 4] > least]:
            same = theirs[theirs[:, 5] == row[5]]
            if len(same) == 0:
                return 1.0
            shared = overlap(row[None, :4], same[:, :4])[0]
            apart = np.maximum(1 - shared, np.abs(same[:, 4] - row[4]))
            worst = max(worst, float(apart.min()))
    return worst
