"""The shipped model through OpenVINO: real inference on public-domain photographs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from tests.support import require

from kitchen_watch.edge.detect.card import card_path, load_card, sha256_of
from kitchen_watch.edge.detect.detection import Detection
from kitchen_watch.edge.detect.measuring import settled
from kitchen_watch.edge.detect.opening import open_detector
from kitchen_watch.edge.detect.openvino_yolo import MOST_SHAPES, OpenVinoYolo
from kitchen_watch.edge.detect.precision import CHOICES
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.errors import ConfigError, DetectorError, ModelMismatch
from kitchen_watch.resources import shipped

MODEL = shipped("models/kitchen-yolo26n.onnx")
F32 = DetectorSettings(precision="f32", streams=2)


@pytest.fixture
async def detector() -> AsyncIterator[OpenVinoYolo]:
    opened = OpenVinoYolo(MODEL, load_card(MODEL), F32)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def astronaut() -> Image:
    require(module="skimage", why="its public-domain portrait is what the detector looks at")
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


def frame(image: Image, stream_id: str = "c1") -> Frame:
    height, width = image.shape[:2]
    return Frame(stream_id, 0.0, datetime(2026, 3, 2, tzinfo=UTC), image, width, height, lambda: image)


def person_in(found: tuple[Detection, ...]) -> Detection:
    return next(one for one in found if one.label == "person")


async def test_a_person_is_found_where_the_person_is(detector: OpenVinoYolo, astronaut: Image) -> None:
    (found,) = detector.infer([astronaut])
    person = person_in(found)
    assert person.firm
    assert person.box.x1 < 0.15
    assert 0.6 < person.box.x2 < 0.85
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)


async def test_boxes_are_of_the_picture_whatever_its_shape(detector: OpenVinoYolo, astronaut: Image) -> None:
    """The same portrait on a wide, a square and a tall picture, each with its own canvas."""
    square = cv2.resize(astronaut, (360, 360))
    wide = np.zeros((360, 640, 3), np.uint8)
    wide[:, 200:560] = square
    tall = np.zeros((640, 360, 3), np.uint8)
    tall[200:560] = square
    alone, in_wide, in_tall = (person_in(found).box for found in detector.infer([square, wide, tall]))
    assert (in_wide.x1 * 640 - 200, in_wide.x2 * 640 - 200) == pytest.approx(
        (alone.x1 * 360, alone.x2 * 360), abs=25
    )
    assert in_tall.y1 * 640 - 200 == pytest.approx(alone.y1 * 360, abs=25)


async def test_frames_of_many_cameras_get_what_infer_gives(detector: OpenVinoYolo, astronaut: Image) -> None:
    wide = cv2.resize(astronaut, (640, 360))
    grey = np.full((360, 640, 3), 114, np.uint8)
    seen = await asyncio.gather(
        *(detector.detect(frame(wide if n % 2 else grey, f"camera{n}")) for n in range(6))
    )
    expected = detector.infer([grey, wide])
    assert [expected[n % 2] for n in range(6)] == list(seen)
    assert expected[0] == ()
    assert sum(one.finished for one in detector.statistics().values()) == 6


async def test_an_evaluation_sees_down_to_the_confidence_it_asks_for(
    detector: OpenVinoYolo, astronaut: Image
) -> None:
    (usual,) = detector.infer([astronaut])
    (everything,) = detector.infer([astronaut], least=0.001)
    assert len(everything) > len(usual)
    assert set(usual) <= set(everything)


async def test_compiled_shapes_are_bounded(detector: OpenVinoYolo) -> None:
    pictures = [np.zeros((32, 64 + 13 * n, 3), np.uint8) for n in range(MOST_SHAPES + 2)]
    assert len(detector.infer(pictures)) == MOST_SHAPES + 2
    assert len(detector._networks) <= MOST_SHAPES


async def test_the_precision_that_is_used_is_told() -> None:
    chosen = OpenVinoYolo(MODEL, load_card(MODEL))
    assert chosen.model.precision in {"f32", "bf16", "f16"}
    assert chosen.model.sha256 == sha256_of(MODEL)
    assert chosen.parallel >= 1
    forced = OpenVinoYolo(MODEL, load_card(MODEL), DetectorSettings(precision="f32", threads=1, streams=1))
    assert (forced.model.precision, forced.parallel) == ("f32", 1)
    await chosen.close()
    await forced.close()


async def test_the_int8_model_finds_the_person_and_says_what_it_is(astronaut: Image) -> None:
    card = load_card(MODEL)
    quantised = OpenVinoYolo(MODEL, card, DetectorSettings(precision="int8", threads=1, streams=1))
    exact = OpenVinoYolo(MODEL, card, DetectorSettings(precision="f32", threads=1, streams=1))
    (found,), (expected,) = quantised.infer([astronaut]), exact.infer([astronaut])
    assert person_in(found).box.overlap(person_in(expected).box) > 0.9
    files = [MODEL.with_name(name) for name in card.precisions["int8"].files]
    assert quantised.model.precision == "int8"
    assert quantised.model.sha256 == sha256_of(*files) != exact.model.sha256
    await quantised.close()
    await exact.close()


def test_an_edge_measures_once_and_keeps_what_it_chose(tmp_path: Path) -> None:
    """With the shipped model on this very processor, whatever it can do."""
    kept = tmp_path / CHOICES
    chosen = settled(MODEL, load_card(MODEL), DetectorSettings(), kept)
    proofs = load_card(MODEL).precisions
    assert chosen.precision == "f32" or proofs[chosen.precision].proved
    if kept.exists():
        (entry,) = json.loads(kept.read_text(encoding="utf-8")).values()
        assert entry["precision"] == chosen.precision
        assert all(cost > 0 for cost in entry["cpu_ms"].values())
    else:
        assert chosen.precision == "f32", "there was nothing to choose"


def test_replay_is_fixed_and_an_edge_refuses_what_its_card_does_not_prove(tmp_path: Path) -> None:
    path = copy_with_card(tmp_path, MODEL.read_bytes(), precisions={})
    detector = open_detector(path, settings=DetectorSettings(threads=1, streams=1))
    assert detector.model.precision == "f32"
    with pytest.raises(ConfigError, match="is not proved in bf16: its card has no figures for it"):
        open_detector(path, settings=DetectorSettings(precision="bf16"))


async def test_a_closed_detector_says_so(astronaut: Image) -> None:
    detector = OpenVinoYolo(MODEL, load_card(MODEL), F32)
    await detector.close()
    with pytest.raises(DetectorError, match="is closed"):
        await detector.detect(frame(astronaut))
    with pytest.raises(DetectorError):
        detector.infer([astronaut])


def copy_with_card(tmp_path: Path, content: bytes, **changes: object) -> Path:
    path = tmp_path / "copy.onnx"
    path.write_bytes(content)
    card = yaml.safe_load(card_path(MODEL).read_text(encoding="utf-8"))
    card |= {"file": path.name, "sha256": sha256_of(path), "size_bytes": len(content), **changes}
    card_path(path).write_text(yaml.safe_dump(card), encoding="utf-8")
    return path


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = copy_with_card(tmp_path, b"this is not ONNX at all")
    with pytest.raises(ModelMismatch, match=r"copy\.onnx: OpenVINO cannot use it as a model"):
        open_detector(path)


def test_a_model_with_other_rows_than_promised_is_refused(tmp_path: Path) -> None:
    path = copy_with_card(tmp_path, MODEL.read_bytes(), output={"rows": 100})
    with pytest.raises(ModelMismatch, match="not the 100 rows of 6 values that its card promises"):
        open_detector(path)


def test_a_model_without_the_labels_that_the_rules_need_is_refused() -> None:
    with pytest.raises(ModelMismatch, match="has no label slippers"):
        open_detector(MODEL, required_labels=["no_hat", "slippers"])


def test_a_device_that_is_not_there_is_refused_with_what_to_do() -> None:
    with pytest.raises(ModelMismatch, match=r"on gpu\.99: .*set detector.device to cpu"):
        open_detector(MODEL, settings=DetectorSettings(device="gpu.99"))


def test_a_kind_of_file_that_no_detector_reads_is_refused(tmp_path: Path) -> None:
    path = copy_with_card(tmp_path, b"x").rename(tmp_path / "copy.tflite")
    card = card_path(path)
    card.write_text(card.read_text(encoding="utf-8").replace("copy.onnx", "copy.tflite"), encoding="utf-8")
    with pytest.raises(ModelMismatch, match=r"no detector reads \.tflite"):
        open_detector(path)
