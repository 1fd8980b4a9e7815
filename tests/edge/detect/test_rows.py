from __future__ import annotations

import numpy as np
import pytest

from kitchen_watch.edge.detect.card import ModelCard, ModelInput, ModelOutput
from kitchen_watch.edge.detect.letterbox import letterbox
from kitchen_watch.edge.detect.rows import detections_from_rows
from kitchen_watch.errors import ModelMismatch

CARD = ModelCard(
    name="ours",
    version="1",
    file="ours.onnx",
    sha256="0" * 64,
    size_bytes=1,
    labels=("hat", "no_hat"),
    input=ModelInput(width=640, height=384),
    output=ModelOutput(rows=300),
    thresholds={"hat": 0.4, "no_hat": 0.6},
    licence="AGPL-3.0-or-later",
)
BOX = letterbox(640, 384, CARD.input)


def rows(*values: tuple[float, ...]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(values, dtype=np.float32).reshape(-1, 6)


def test_each_label_has_its_own_threshold() -> None:
    found = detections_from_rows(rows((0, 0, 64, 38.4, 0.5, 0), (0, 0, 64, 38.4, 0.5, 1)), BOX, CARD)
    assert [(one.label, one.firm) for one in found] == [("hat", True), ("no_hat", False)]
    assert found[0].box == pytest.approx((0, 0, 0.1, 0.1))


def test_the_surest_come_first_and_the_hopeless_not_at_all() -> None:
    found = detections_from_rows(
        rows((0, 0, 9, 9, 0.09, 0), (0, 0, 9, 9, 0.2, 0), (0, 0, 9, 9, 0.7, 0)), BOX, CARD
    )
    assert [round(one.confidence, 2) for one in found] == [0.7, 0.2]


def test_an_evaluation_may_ask_for_the_hopeless_too() -> None:
    found = detections_from_rows(rows((0, 0, 9, 9, 0.01, 0)), BOX, CARD, least=0.005)
    assert len(found) == 1


def test_boxes_without_area_are_dropped() -> None:
    assert detections_from_rows(rows((9, 9, 9, 50, 0.9, 0)), BOX, CARD) == ()


def test_no_rows_no_detections() -> None:
    assert detections_from_rows(rows(), BOX, CARD) == ()


def test_a_class_that_the_card_does_not_name() -> None:
    with pytest.raises(ModelMismatch, match="gives class 2, but its card names only 2 labels"):
        detections_from_rows(rows((0, 0, 9, 9, 0.9, 2)), BOX, CARD)


def test_near_its_threshold_a_detection_is_a_suspicion() -> None:
    found = detections_from_rows(
        rows((0, 0, 9, 9, 0.61, 1), (0, 0, 9, 9, 0.45, 1), (0, 0, 9, 9, 0.25, 1)), BOX, CARD
    )
    assert [(one.firm, one.suspect) for one in found] == [(True, False), (False, True), (False, False)]
