"""Evaluation from pictures on disk to the figures and the report, with a stand-in for the detector."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from kitchen_watch.edge.detect.card import load_card
from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.detect.openvino_yolo import OpenVinoYolo
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.errors import ConfigError
from kitchen_watch.training import report
from kitchen_watch.training.dataset import LABELS, read_split
from kitchen_watch.training.evaluate import chosen_thresholds, evaluate
from kitchen_watch.training.mistakes import Mistake
from tests.support import DETECT, REPOSITORY, require
from tests.training import samples

SHIPPED = REPOSITORY / "models" / "kitchen-yolo26n.onnx"
HALF = dict.fromkeys(LABELS, 0.5)


class RedFinder:
    """Finds a hat wherever the picture is red in its middle (of BGR pictures, channel 2)."""

    def infer(
        self, images: Sequence[npt.NDArray[np.uint8]], *, least: float | None = None
    ) -> list[tuple[Detection, ...]]:
        assert least is not None
        assert least < 0.01
        found: list[tuple[Detection, ...]] = []
        for image in images:
            blue, _, red = image[image.shape[0] // 2, image.shape[1] // 2]
            hat = Detection("hat", 0.9, Box(0.4, 0.4, 0.6, 0.6))
            found.append((hat,) if red > 200 and blue < 50 else ())
        return found


@pytest.fixture
def val(tmp_path: Path) -> Path:
    red = np.zeros((60, 80, 3), dtype=np.uint8)
    red[..., 0] = 255
    grey = np.full((60, 80, 3), 90, dtype=np.uint8)
    middle = "1 0.5 0.5 0.2 0.2"
    samples.add(tmp_path, "kitchen", "newcam_1", [middle], red)
    samples.add(tmp_path, "hat", "newcam_2", [middle], grey)
    samples.add(tmp_path, "negative", "empty_1", [], red)
    samples.add(tmp_path, "mask", "kaggle_1", ["3 0.5 0.5 0.2 0.2"], red)
    return tmp_path


def test_figures_by_class_and_site(val: Path) -> None:
    result = evaluate(RedFinder(), read_split(val), HALF).result({"name": "red"})
    assert result["images"] == 4
    hat = result["classes"]["hat"]
    assert (hat["truths"], hat["precision"], hat["recall"]) == (2, 0.5, 0.5)
    assert result["groups"]["newcam"]["hat"]["precision"] == 1
    assert result["negatives"] == {"pictures": 1, "false_alarms": 1}
    assert set(result["classes"]) == {"hat", "mask"}
    assert result["classes"]["mask"]["recall"] == 0


def test_thresholds_are_chosen_for_every_label(val: Path) -> None:
    evaluation = evaluate(RedFinder(), read_split(val), HALF)
    assert set(chosen_thresholds(evaluation.tally)) == set(LABELS)


def test_no_pictures_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no pictures"):
        evaluate(RedFinder(), [], HALF)


def test_the_report_shows_curves_confusion_and_mistakes(val: Path, tmp_path: Path) -> None:
    evaluation = evaluate(RedFinder(), read_split(val), HALF)
    page = report.write(evaluation, evaluation.result({"name": "red"}), tmp_path / "report")
    text = page.read_text(encoding="utf-8")
    assert "hat: false alarm, 1 in all" in text
    assert "hat: missed, 1 in all" in text
    for name in ("precision_recall.png", "confusion.png", "hat_missed.jpg"):
        assert name in text
        assert (page.parent / name).stat().st_size > 1000


def test_names_of_sites_are_written_in_chinese_and_never_run_into_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey = np.full((60, 80, 3), 90, dtype=np.uint8)
    for number, name in enumerate(("后厨摄像头", "一条很长很长很长很长很长很长很长很长的名字")):
        samples.add(tmp_path, "kitchen", f"{name}_{number}", ["1 0.5 0.5 0.2 0.2"], grey)
    evaluation = evaluate(RedFinder(), read_split(tmp_path), HALF)
    drawn: list[tuple[str, ImageFont.FreeTypeFont]] = []
    monkeypatch.setattr(
        ImageDraw.ImageDraw, "text", lambda _self, _at, text, *, font, **_rest: drawn.append((text, font))
    )
    report.write(evaluation, evaluation.result({"name": "red"}), tmp_path / "report")
    assert any(text.startswith("后厨摄像头 ") for text, _ in drawn)
    for text, font in drawn:
        assert "Noto Sans CJK SC" in str(font.getname()[0])
        assert font.getlength(text) <= report.CELL


@pytest.mark.parametrize("corner", ["0.06 0.06", "0.94 0.06", "0.06 0.94", "0.94 0.94"])
def test_a_mistake_at_the_edge_is_shown_with_its_surroundings_and_no_border(
    tmp_path: Path, corner: str
) -> None:
    white = np.full((300, 400, 3), 255, dtype=np.uint8)
    samples.add(tmp_path, "kitchen", "web_1", [f"1 {corner} 0.1 0.1"], white)
    (example,) = read_split(tmp_path)
    sheet = tmp_path / "sheet.png"
    report.draw_gallery([Mistake(example, "hat", example.boxes[0, 1:], 0.1)], sheet)
    shown = np.asarray(Image.open(sheet).convert("RGB"))[: report.CELL]
    assert shown.max(axis=2).min() > 200, "white and red only"
    assert ((shown[..., 0] > 200) & (shown[..., 1] < 100)).sum() > 50, "the box is drawn within"


@pytest.mark.integration
def test_the_figures_in_the_card_are_those_of_the_shipped_file() -> None:
    require(path=DETECT, why="the labelled pictures are not part of the repository")
    card = load_card(SHIPPED)
    finder = OpenVinoYolo(SHIPPED, card, DetectorSettings(precision="f32"))
    result = evaluate(finder, read_split(DETECT / "val"), card.thresholds).result({})
    for label, told in card.metrics["val"]["classes"].items():
        measured = result["classes"][label]["ap50"]
        # Other processors round differently; a hundredth is more than they differ.
        assert measured == pytest.approx(told["ap50"], abs=0.01), label
    negatives = result["negatives"]
    assert negatives["false_alarms"] <= card.metrics["val"]["negatives"]["false_alarms"] + 1


def test_evaluation_needs_neither_torch_nor_ultralytics() -> None:
    code = (
        "import sys; import kitchen_watch.training.evaluate, kitchen_watch.training.report;"
        "print([m for m in ('torch', 'ultralytics', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
