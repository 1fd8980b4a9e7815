"""The exported file takes any size, and a file that strays from the PyTorch weights is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from kitchen_watch.edge.detect.card import load_card
from kitchen_watch.errors import ModelMismatch
from tests.support import DETECT, REPOSITORY, require
from tests.training import samples
from tests.training.parts import need_torch

need_torch()

import onnxruntime  # noqa: E402
import torch  # noqa: E402

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


@pytest.mark.parametrize("head", ["one_to_one", "one_to_many"])
def test_one_file_takes_frames_squares_and_batches(tmp_path: Path, head: export.Head) -> None:
    model = network.build("yolo26n.yaml", epochs=1)
    target = tmp_path / "model.onnx"
    export.export_onnx(model, target, head)
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    for shape in ((1, 3, 384, 640), (2, 3, 320, 320), (1, 3, 160, 160)):
        (found,) = session.run(None, {"images": np.zeros(shape, dtype=np.float32)})
        assert np.asarray(found).shape == (shape[0], export.ROWS, 6)
    views = [samples.picture(1, (640, 360)), samples.picture(2, (300, 300))]
    assert export.largest_difference(model, target, views, head) < export.AGREEMENT


class Fixed(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Stands for the network's one-to-many head: the same boxes for every picture."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 4 + classes, anchors) whatever the pictures show."""
        return self.answer.expand(len(images), -1, -1)


def test_doubles_of_the_one_to_many_head_are_removed_within_their_class() -> None:
    answer = torch.zeros(1, 4 + 7, 400)
    answer[0, :4, :4] = torch.tensor(
        [[10, 10, 50, 50], [12, 10, 50, 50], [10, 10, 50, 50], [70, 10, 99, 50]]
    ).T.float()
    for anchor, label, confidence in ((0, 1, 0.9), (1, 1, 0.8), (2, 2, 0.7), (3, 1, 0.6)):
        answer[0, 4 + label, anchor] = confidence
    found = export.OneToManyRows(Fixed(answer))(torch.zeros(2, 3, 64, 64))
    assert found.shape == (2, export.ROWS, 6)
    sure = found[1][found[1, :, 4] > 0]
    assert sure[:, 4].tolist() == pytest.approx([0.9, 0.7, 0.6])
    assert sure[:, 5].tolist() == [1, 2, 1]
    assert sure[2, :4].tolist() == [70, 10, 99, 50]
    assert sure[0, :4].tolist() == pytest.approx([(0.9 * 10 + 0.8 * 12) / 1.7, 10, 50, 50]), "their mean"
    assert sure[1, :4].tolist() == [10, 10, 50, 50], "of its own class only"
    assert torch.isfinite(found).all(), "also boxes of nothing"


def test_who_was_removed_removes_nobody_and_a_crowd_of_people_leaves_room_for_a_faint_head() -> None:
    people, hats = 600, 3
    answer = torch.zeros(1, 4 + 7, people + hats)
    answer[0, :4] = torch.tensor([200.0, 200.0, 300.0, 400.0])[:, None]
    answer[0, 4, :people] = 0.9  # the many boxes of one person
    # Three hats in a row, each over the next by 0.6, the first over the last by a third.
    for place, (left, confidence) in enumerate(((10, 0.5), (20, 0.4), (30, 0.02))):
        answer[0, :4, people + place] = torch.tensor([left, 10.0, left + 40.0, 50.0])
        answer[0, 5, people + place] = confidence
    found = export.OneToManyRows(Fixed(answer))(torch.zeros(1, 3, 64, 64))[0]
    sure = found[found[:, 4] > 0]
    assert sure[:, 5].tolist() == [0, 1, 1]
    assert sure[:, 0].tolist() == pytest.approx([200, 10, 30])


@pytest.mark.integration
def test_the_shipped_file_is_what_the_committed_checkpoint_gives() -> None:
    require(path=CHECKPOINT, why="the training checkpoint is not in this copy")
    require(path=DETECT, why="the labelled pictures are not part of the repository")
    pictures = [read_picture(one.picture) for one in read_split(DETECT / "val")[::60]]
    model = export.load_weights(CHECKPOINT)
    head = load_card(SHIPPED).training["head"]
    assert export.largest_difference(model, SHIPPED, pictures, head) < export.AGREEMENT
    branches = model.model[-1].one2one_cv3 if head == "one_to_one" else model.model[-1].cv3
    (branches[0][-1].bias.data).add_(1.0)
    with pytest.raises(ModelMismatch, match="strays"):
        export.largest_difference(model, SHIPPED, pictures, head)
