"""The check of a data set: broken boxes, balance, and leaks between train and val."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kitchen_watch.errors import ConfigError
from kitchen_watch.training import dataset_check
from tests.support import DETECT, require
from tests.training import samples


def clean(tmp_path: Path) -> Path:
    for number in range(4):
        split = tmp_path / ("train" if number < 2 else "val")
        pixels = samples.picture(100 + number)
        samples.add(split, "kitchen", f"web_{number}", ["1 0.5 0.5 0.2 0.2"], pixels)
    return tmp_path


def test_a_clean_data_set_passes_and_is_counted(tmp_path: Path) -> None:
    findings = dataset_check.check(clean(tmp_path))
    findings.refuse()
    assert findings.pictures == {"train": 2, "val": 2}
    assert findings.balance["train", "hat"] == 2
    assert "rat" in findings.scarce


@pytest.mark.parametrize("change", ["copied", "smaller", "recompressed", "mirrored"])
def test_a_picture_of_train_in_val_is_refused(tmp_path: Path, change: str) -> None:
    data = clean(tmp_path)
    pixels = samples.picture(100)
    if change == "smaller":
        pixels = np.asarray(Image.fromarray(pixels).resize((120, 90)))
    if change == "mirrored":
        pixels = pixels[:, ::-1]
    path = samples.add(data / "val", "negative", "web_9", [], pixels)
    if change == "recompressed":
        Image.fromarray(pixels).save(path.with_suffix(".jpg"), quality=40)
        path.unlink()
    findings = dataset_check.check(data)
    assert [leak.train.name for leak in findings.leaks] == ["web_0.png"]
    with pytest.raises(ConfigError, match="also in train"):
        findings.refuse()


def test_flat_pictures_are_no_leak(tmp_path: Path) -> None:
    data = clean(tmp_path)
    white = np.full((90, 120, 3), 240, dtype=np.uint8)
    samples.add(data / "train", "negative", "wall_1", [], white)
    samples.add(data / "val", "negative", "wall_2", [], white)
    assert dataset_check.check(data).leaks == []


@pytest.mark.parametrize(
    ("group", "lines", "reason"),
    [
        ("kitchen", ["1 0.5 0.5 0.0 0.2"], "no area"),
        ("kitchen", ["1 0.95 0.5 0.2 0.2"], "outside"),
        ("kitchen", ["1 0.5 0.5 0.2 0.2", "1 0.5 0.5 0.2 0.2"], "twice"),
        ("mask", ["1 0.5 0.5 0.2 0.2"], "does not label hat"),
        ("kitchen", ["1 0.5 0.5"], "expected"),
    ],
)
def test_broken_boxes_are_named(tmp_path: Path, group: str, lines: list[str], reason: str) -> None:
    data = clean(tmp_path)
    samples.add(data / "train", group, "web_8", lines)
    findings = dataset_check.check(data)
    assert len(findings.broken) == 1
    assert reason in findings.broken[0]
    with pytest.raises(ConfigError, match="web_8"):
        findings.refuse()


@pytest.mark.integration
def test_the_real_data_has_no_leak_and_no_broken_box() -> None:
    require(path=DETECT, why="the labelled pictures are not part of the repository")
    findings = dataset_check.check(DETECT)
    findings.refuse()
    assert findings.scarce == []
