from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.support import SHARED, require

from kitchen_watch.edge.detect.card import sha256_of
from kitchen_watch.edge.detect.detection import Detection
from kitchen_watch.edge.detect.opening import open_detector
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.detect.ultralytics_yolo import UltralyticsYolo
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.errors import DetectorError, ModelMismatch


def _frame(stream_id: str, image: Image) -> Frame:
    return Frame(
        stream_id=stream_id, pts=0.0, captured_at=datetime(2026, 3, 2, tzinfo=UTC), image=image, width=640,
        height=360, full=lambda: image,
    )  # fmt: skip


LABELS = ["person", "hat", "no_hat", "mask", "no_mask", "rat", "cockroach"]
BASELINE = SHARED / "weights" / "kitchen-baseline.pt"


def with_card(path: Path, labels: list[str]) -> Path:
    card = {
        "name": "ours",
        "version": "1",
        "file": path.name,
        "sha256": sha256_of(path),
        "size_bytes": path.stat().st_size,
        "labels": labels,
        "input": {"width": 640, "height": 384},
        "output": {"rows": 300},
        "thresholds": dict.fromkeys(labels, 0.4),
        "licence": "AGPL-3.0-or-later",
    }
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    return path


def test_without_ultralytics_the_way_to_get_it_is_told(tmp_path: Path) -> None:
    if importlib.util.find_spec("ultralytics"):
        pytest.skip("Ultralytics is installed here: its absence cannot be shown")
    path = tmp_path / "ours.pt"
    path.write_bytes(b"weights")
    with pytest.raises(DetectorError, match=r"pip install 'kitchen-watch\[gpu\]'"):
        open_detector(with_card(path, LABELS))


def test_an_onnx_model_needs_no_ultralytics() -> None:
    program = (
        "import sys\n"
        "from kitchen_watch.edge.detect.opening import open_detector\n"
        "from kitchen_watch.resources import shipped\n"
        "open_detector(shipped('models/kitchen-yolo26n.onnx'))\n"
        "print(sorted({'torch', 'ultralytics'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.integration
def test_a_pt_file_looks_and_is_refused_with_other_labels(tmp_path: Path) -> None:
    require(module="ultralytics", why="it reads .pt files; the extra [gpu] brings it")
    require(path=BASELINE, why="a trained .pt file to look with")
    path = tmp_path / "ours.pt"
    path.write_bytes(BASELINE.read_bytes())
    detector = open_detector(with_card(path, LABELS))
    (found,) = detector.infer([np.full((360, 640, 3), 114, np.uint8)])
    assert found == ()
    asyncio.run(detector.close())
    with pytest.raises(ModelMismatch, match="has the labels person, hat"):
        open_detector(with_card(path, LABELS[:-1]))


@pytest.mark.integration
def test_pictures_given_together_are_seen_as_if_each_were_alone(tmp_path: Path) -> None:
    require(module="ultralytics", why="it reads .pt files; the extra [gpu] brings it")
    require(path=BASELINE, why="a trained .pt file to look with")
    path = tmp_path / "ours.pt"
    path.write_bytes(BASELINE.read_bytes())
    detector = open_detector(with_card(path, LABELS), settings=DetectorSettings(batch=4))
    rng = np.random.default_rng(4)
    pictures = [rng.integers(0, 255, (360, 640, 3), dtype=np.uint8) for _ in range(3)]

    async def look() -> list[tuple[Detection, ...] | None]:
        answers = await asyncio.gather(
            *(detector.detect(_frame(f"cam-{number}", one)) for number, one in enumerate(pictures))
        )
        await detector.close()
        return answers

    assert isinstance(detector, UltralyticsYolo)
    alone = detector.infer(pictures, least=0.001)
    together = detector._look_at(pictures, 0.001)
    for one, other in zip(alone, together, strict=True):
        assert [found.label for found in one] == [found.label for found in other]
        assert np.allclose([found.box for found in one], [found.box for found in other], atol=1e-3)
    assert [len(answer or ()) for answer in asyncio.run(look())] == [0, 0, 0]
