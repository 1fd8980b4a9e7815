"""Reading a data set: groups, partial labels, sites, and refusals that name the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kitchen_watch.errors import ConfigError
from kitchen_watch.training import dataset
from tests.training import samples


def test_a_group_labels_what_the_table_says(tmp_path: Path) -> None:
    samples.add(tmp_path, "mask", "kaggle_7", ["3 0.5 0.5 0.2 0.4"])
    samples.add(tmp_path, "negative", "kitchen_empty_1", [])
    faces, empty = dataset.read_split(tmp_path)
    assert faces.site == "kaggle"
    assert faces.class_mask().tolist() == [1, 0, 0, 1, 1, 1, 1]
    assert faces.boxes[0] == pytest.approx([3, 0.4, 0.3, 0.6, 0.7])
    assert empty.class_mask().tolist() == [1] * 7
    assert len(empty.boxes) == 0


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("kitchen_newcam_0012", "kitchen_newcam"),
        ("chef_9", "chef"),
        ("plain", "plain"),
        ("a_b", "a_b"),
    ],
)
def test_the_site_is_the_name_without_its_last_number(name: str, site: str) -> None:
    assert dataset.site_of(Path(f"{name}.webp")) == site


def test_an_unknown_group_must_say_what_it_labels(tmp_path: Path) -> None:
    samples.add(tmp_path, "feedback", "alert_1", ["2 0.5 0.5 0.2 0.2"])
    with pytest.raises(ConfigError, match=r"labelled\.txt"):
        dataset.read_split(tmp_path)
    (tmp_path / "feedback" / "labelled.txt").write_text("hat no_hat\n", encoding="utf-8")
    (example,) = dataset.read_split(tmp_path)
    assert example.labelled == {"hat", "no_hat"}
    (tmp_path / "feedback" / "labelled.txt").write_text("hat shoe\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="shoe"):
        dataset.read_split(tmp_path)


@pytest.mark.parametrize("line", ["1 0.5 0.5 0.2", "1 a 0.5 0.2 0.2", "7 0.5 0.5 0.2 0.2"])
def test_a_broken_label_names_file_and_line(tmp_path: Path, line: str) -> None:
    samples.add(tmp_path, "kitchen", "web_1", ["0 0.5 0.5 0.2 0.2", line])
    with pytest.raises(ConfigError, match=r"web_1\.txt:2"):
        dataset.read_split(tmp_path)


def test_a_picture_without_a_label_file_is_refused(tmp_path: Path) -> None:
    picture = samples.add(tmp_path, "kitchen", "web_1", [])
    dataset.label_file_of(picture).unlink()
    with pytest.raises(ConfigError, match="no label file"):
        dataset.read_split(tmp_path)


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "x.png"
    broken.write_bytes(b"not a picture")
    with pytest.raises(ConfigError, match=r"x\.png"):
        dataset.read_picture(broken)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No pictures"):
        dataset.read_split(tmp_path)


def test_pictures_come_as_rgb(tmp_path: Path) -> None:
    red = np.zeros((8, 8, 3), dtype=np.uint8)
    red[..., 0] = 250
    path = samples.add(tmp_path, "kitchen", "web_1", [], red)
    assert dataset.read_picture(path)[0, 0].tolist() == [250, 0, 0]
