"""The int8 model: made from training pictures of every site, proved against float32 class by class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support import REPOSITORY, require
from tests.training import samples
from tests.training.parts import need_torch

need_torch()
require(module="nncf", why="it quantises")

import openvino  # noqa: E402

from kitchen_watch.edge.detect.card import ModelInput, load_card  # noqa: E402
from kitchen_watch.training import publishing, quantising  # noqa: E402
from kitchen_watch.training.dataset import Example, read_split  # noqa: E402

SHIPPED = REPOSITORY / "models" / "kitchen-yolo26n.onnx"
NETWORK = ModelInput(width=640, height=384)


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    for number in range(6):
        samples.add(tmp_path, "kitchen", f"web_{number}", ["1 0.5 0.5 0.2 0.2"], samples.picture(number))
    samples.add(tmp_path, "hat", "factory_1", ["2 0.5 0.5 0.2 0.2"], samples.picture(9, (300, 300)))
    return read_split(tmp_path)


def test_every_site_gives_pictures_however_few_it_has(examples: list[Example]) -> None:
    some = quantising.spread(examples, 4)
    assert sorted(one.site for one in some) == ["factory", "web", "web", "web"]
    assert [one.picture for one in some] == [one.picture for one in quantising.spread(examples, 4)]
    assert len(quantising.spread(examples, 100)) == len(examples)


def test_a_calibration_picture_lies_as_on_the_edge(examples: list[Example]) -> None:
    (square,) = (one for one in examples if one.group == "hat")
    canvas = quantising.canvas_of(square, NETWORK)
    assert canvas.shape == (1, 3, 640, 640)
    assert 0 <= canvas.min() < canvas.max() <= 1


@pytest.mark.parametrize(("hat", "good"), [(0.91, True), (0.89, True), (0.8899, False)])
def test_a_precision_is_proved_if_no_class_falls_by_more_than_a_hundredth(
    hat: float, good: bool, tmp_path: Path
) -> None:
    model = tmp_path / "small.onnx"
    model.write_bytes(b"model")
    proof = publishing.proof_of({"hat": hat, "rat": 0.99}, {"hat": 0.9, "rat": 0.5}, model)
    assert proof.proved == good
    assert proof.difference["rat"] == 0.49
    nothing = publishing.proof_of({}, {"hat": 0.9}, model)
    assert not nothing.proved


@pytest.mark.integration
def test_the_quantised_network_keeps_its_outside_and_its_last_layers(
    examples: list[Example], tmp_path: Path
) -> None:
    graph, weights = quantising.files_of(tmp_path / "small.onnx")
    quantising.quantise(SHIPPED, graph, examples[:1], NETWORK, quantising.KEPT_IN_FLOAT[0])
    assert weights.stat().st_size < 0.4 * SHIPPED.stat().st_size
    network = openvino.Core().read_model(graph)
    assert [len(network.inputs), len(network.outputs)] == [1, 1]
    names = [one.get_friendly_name() for one in network.get_ops()]
    rounded = [name for name in names if "/fq_weights" in name]
    assert len(rounded) > 50
    assert not [name for name in rounded if "/attn/" in name or "cv3.0.2/" in name or "cv2.1.2/" in name]


def test_the_shipped_card_tells_what_each_precision_costs_in_accuracy() -> None:
    card = load_card(SHIPPED)
    assert card.precisions["f32"].proved
    exact = card.precisions["f32"].ap50
    for name, proof in card.precisions.items():
        falls = [proof.ap50[label] - exact[label] for label in exact]
        assert proof.proved == (min(falls) >= -publishing.LARGEST_FALL - 1e-9), name
        assert np.allclose(falls, [proof.difference[label] for label in exact], atol=1e-6)
