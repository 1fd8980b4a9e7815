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

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from ultralytics.nn.tasks import DetectionModel

from kitchen_watch.errors import ModelMismatch
from kitchen_watch.training import checkpoint, network
from kitchen_watch.training.metrics import overlap

ROWS = 300
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


def export_onnx(model: DetectionModel, target: Path) -> None:
    """Write `model` to `target`: `images` (n, 3, h, w) float RGB 0..1 to `detections` (n, 300, 6).

    A row is x1, y1, x2, y2 in input pixels, confidence, class; rows are sorted by confidence.
    """
    fused = _inference_copy(model)
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


def largest_difference(model: DetectionModel, onnx: Path, pictures: Iterable[npt.NDArray[np.uint8]]) -> float:
    """How far ONNX strays from PyTorch on `pictures` (h, w, 3 RGB): in confidence or 1 - IoU,
    whichever is more.

    Raises ModelMismatch where one finds something that the other does not, or they stray beyond
    AGREEMENT.
    """
    session = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    fused = _inference_copy(model)
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


def _inference_copy(model: DetectionModel) -> DetectionModel:
    """Fused, with only the one-to-one head, giving rows; the model itself stays trainable."""
    fused = deepcopy(model).cpu().float().eval()
    fused.model[-1].end2end = True
    fused = fused.fuse(verbose=False)
    fused.requires_grad_(False)
    head = fused.model[-1]
    head.export, head.dynamic, head.format, head.max_det = True, True, "onnx", ROWS
    return fused


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
