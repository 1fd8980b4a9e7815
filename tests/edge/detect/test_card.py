from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kitchen_watch.edge.detect.card import check_labels, load_card, sha256_of
from kitchen_watch.errors import ConfigError, KitchenWatchError, ModelMismatch, ModelMissing
from kitchen_watch.resources import shipped


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file that passes for a model, with its card."""
    path = tmp_path / "ours.onnx"
    path.write_bytes(b"weights" * 1000)
    write_card(path)
    return path


def write_card(path: Path, **changes: Any) -> None:
    card = {
        "name": "ours",
        "version": "1.0",
        "file": path.name,
        "sha256": sha256_of(path),
        "size_bytes": path.stat().st_size,
        "labels": ["hat", "no_hat"],
        "input": {"width": 640, "height": 384},
        "output": {"rows": 300},
        "thresholds": {"hat": 0.4, "no_hat": 0.5},
        "licence": "AGPL-3.0-or-later",
        **changes,
    }
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card), encoding="utf-8")


def refusal(path: Path, kind: type[KitchenWatchError]) -> str:
    with pytest.raises(kind) as error:
        load_card(path)
    return str(error.value)


def test_the_shipped_model_is_what_its_card_says() -> None:
    card = load_card(shipped("models/kitchen-yolo26n.onnx"))
    assert {"person", "hat", "no_hat", "mask", "no_mask", "rat", "cockroach"} <= set(card.labels)


def test_a_good_card_is_read(model: Path) -> None:
    card = load_card(model)
    assert card.labels == ("hat", "no_hat")
    assert card.track_threshold == 0.1


def test_no_model_file(model: Path) -> None:
    model.unlink()
    assert "there is no such model file" in refusal(model, ModelMissing)


def test_an_empty_model_file(model: Path) -> None:
    model.write_bytes(b"")
    assert "the model file is empty" in refusal(model, ModelMissing)


def test_no_card(model: Path) -> None:
    model.with_suffix(".yaml").unlink()
    assert "the model has no card there" in refusal(model, ModelMissing)


def test_a_truncated_model_file(model: Path) -> None:
    model.write_bytes(model.read_bytes()[:100])
    assert "has 100 bytes where its card says 7000" in refusal(model, ModelMismatch)


def test_a_model_file_with_one_changed_byte(model: Path) -> None:
    content = bytearray(model.read_bytes())
    content[77] ^= 1
    model.write_bytes(content)
    assert "its SHA-256 is not the one in its card" in refusal(model, ModelMismatch)


def test_a_card_of_another_file(model: Path) -> None:
    write_card(model, file="theirs.onnx")
    assert "describes theirs.onnx, not ours.onnx" in refusal(model, ModelMismatch)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"thresholds": {"hat": 0.4}}, "no_hat has none; give every label one"),
        ({"thresholds": {"hat": 0.4, "no_hat": 0.4, "cap": 0.4}}, "cap is not among the labels"),
        ({"thresholds": {"hat": 40, "no_hat": 0.4}}, "less than or equal to 1"),
        ({"labels": ["hat", "hat"]}, "a label is given twice"),
        ({"sha256": "abc"}, "sha256"),
        ({"colour": "RGB"}, "colour: is not a known key"),
        ({"input": {"width": 640, "height": 384, "colour": "YUV"}}, "input.colour"),
    ],
)
def test_a_card_that_contradicts_itself(model: Path, changes: dict[str, Any], complaint: str) -> None:
    write_card(model, **changes)
    assert complaint in refusal(model, ConfigError)


def test_labels_that_the_rules_need_and_the_model_lacks(model: Path) -> None:
    card = load_card(model)
    check_labels(card, ["no_hat"])
    with pytest.raises(ModelMismatch, match=r"Model ours 1\.0 has no label rat, cat; it has hat, no_hat"):
        check_labels(card, ["hat", "rat", "cat"])
