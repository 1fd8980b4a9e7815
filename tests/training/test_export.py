"""The exported file takes any size, and a file that strays from the PyTorch weights is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from kitchen_watch.errors import ModelMismatch
from tests.support import DETECT, REPOSITORY, require
from tests.training import samples
from tests.training.parts import need_torch

need_torch()

import onnxruntime  # noqa: E402

from kitchen_watch.training import export, network  # noqa: E402
from kitchen_watch.training.dataset import read_picture, read_split  # noqa: E402

CHECKPOINT = REPOSITORY / "models" / "kitchen-yolo26n.ckpt"
SHIPPED = REPOSITORY / "models" / "kitchen-yolo26n.onnx"


def rows(*found: tuple[float, float, float, float, float, int]) -> npt.NDArray[np.float32]:
    """Rows of the network's output: x1, y1, x2, y2, confidence, class; filled up with faint ones."""
    faint = [(0.0, 0.0, 1.0, 1.0, 0.001, 0)] * 3
    return np.array([*found, *faint], dtype=np.float32)


HAT = (10.0, 10.0, 50.0, 50.0, 0.8, 1)


@pytest.mark.parametrize(
    ("other", "apart"),
    [
        (rows(HAT), 0.0),
        (rows((10, 10, 50, 50, 0.7, 1)), 0.1),
        (rows((10, 10, 50, 46, 0.8, 1)), 0.1),
        (rows((10, 10, 50, 50, 0.8, 2)), 1.0),
        (rows(), 0.8),
    ],
)
def test_the_difference_is_that_of_the_worst_row(other: npt.NDArray[np.float32], apart: float) -> None:
    if apart == 0.8:
        assert export.difference(rows(HAT), other) >= apart
    else:
        assert export.difference(rows(HAT), other) == pytest.approx(apart, abs=1e-6)


def test_one_file_takes_frames_squares_and_batches(tmp_path: Path) -> None:
    model = network.build("yolo26n.yaml", epochs=1)
    target = tmp_path / "model.onnx"
    export.export_onnx(model, target)
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    for shape in ((1, 3, 384, 640), (2, 3, 320, 320), (1, 3, 160, 160)):
        (found,) = session.run(None, {"images": np.zeros(shape, dtype=np.float32)})
        assert np.asarray(found).shape == (shape[0], export.ROWS, 6)
    views = [samples.picture(1, (640, 360)), samples.picture(2, (300, 300))]
    assert export.largest_difference(model, target, views) < export.AGREEMENT


@pytest.mark.integration
def test_the_shipped_file_is_what_the_committed_checkpoint_gives() -> None:
    require(path=CHECKPOINT, why="the training checkpoint is not in this copy")
    require(path=DETECT, why="the labelled pictures are not part of the repository")
    pictures = [read_picture(one.picture) for one in read_split(DETECT / "val")[::60]]
    model = export.load_weights(CHECKPOINT)
    assert export.largest_difference(model, SHIPPED, pictures) < export.AGREEMENT
    (model.model[-1].one2one_cv3[0][-1].bias.data).add_(1.0)
    with pytest.raises(ModelMismatch, match="strays"):
        export.largest_difference(model, SHIPPED, pictures)
