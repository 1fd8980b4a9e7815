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


@pytest.mark.parametrize(
    "line",
    ["1 0.5 0.5 0.2", "1 a 0.5 0.2 0.2", "7 0.5 0.5 0.2 0.2", "1 nan 0.5 0.2 0.2", "inf 0.5 0.5 0.2 0.2",
     "1 0.5 0.5 inf 0.2"],
)  # fmt: skip
def test_a_broken_label_names_file_and_line(tmp_path: Path, line: str) -> None:
    samples.add(tmp_path, "kitchen", "web_1", ["0 0.5 0.5 0.2 0.2", line])
    with pytest.raises(ConfigError, match=r"web_1\.txt:2"):
        dataset.read_split(tmp_path)


def test_a_picture_without_a_label_file_is_refused(tmp_path: Path) -> None:
    picture = samples.add(tmp_path, "kitchen", "web_1", [])
    dataset.label_file_of(picture).unlink()
    with pytest.raises(ConfigError, match="no label file"):
        dataset.read_split(tmp_path)


@pytest.mark.parametrize("damage", ["no picture", "empty", "cut off", "a wrong chunk"])
def test_a_file_that_is_no_picture_is_refused(tmp_path: Path, damage: str) -> None:
    broken = samples.add(tmp_path, "kitchen", "x", [])
    whole = broken.read_bytes()
    broken.write_bytes(
        {
            "no picture": b"not a picture",
            "empty": b"",
            "cut off": whole[: len(whole) // 2],
            "a wrong chunk": whole[:33] + b"\0" * 40 + whole[73:],
        }[damage]
    )
    with pytest.raises(ConfigError, match=r"x\.png"):
        dataset.read_picture(broken)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No pictures"):
        dataset.read_split(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        dataset.read_split(tmp_path / "vall")


def test_the_folder_above_the_splits_is_refused_with_what_to_give(tmp_path: Path) -> None:
    samples.add(tmp_path / "val", "kitchen", "web_1", [])
    with pytest.raises(ConfigError, match=r"give .*/val\."):
        dataset.read_split(tmp_path)


@pytest.mark.parametrize("lost", ["pictures", "folder"])
def test_a_group_whose_pictures_are_lost_is_not_left_out_silently(tmp_path: Path, lost: str) -> None:
    samples.add(tmp_path, "kitchen", "web_1", [])
    picture = samples.add(tmp_path, "pest", "rat_1", ["5 0.5 0.5 0.2 0.2"])
    picture.unlink()
    if lost == "folder":
        picture.parent.rmdir()
    with pytest.raises(ConfigError, match="pest has labels and no pictures"):
        dataset.read_split(tmp_path)


def test_a_group_without_anything_in_it_adds_nothing(tmp_path: Path) -> None:
    samples.add(tmp_path, "kitchen", "web_1", [])
    (tmp_path / "pest" / "images").mkdir(parents=True)
    assert [example.group for example in dataset.read_split(tmp_path)] == ["kitchen"]


def test_a_label_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    picture = samples.add(tmp_path, "kitchen", "web_1", [])
    dataset.label_file_of(picture).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"web_1\.txt is not a text file"):
        dataset.read_split(tmp_path)


def test_pictures_of_judged_alerts_each_say_what_they_label(tmp_path: Path) -> None:
    samples.add(tmp_path, "feedback", "cam1_1", ["2 0.5 0.5 0.2 0.2"])
    samples.add(tmp_path, "feedback", "cam1_2", [])  # no rat after all
    lists = tmp_path / "feedback" / "labelled"
    lists.mkdir()
    (lists / "cam1_1.txt").write_text("hat no_hat\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"cam1_2\.txt is missing"):
        dataset.read_split(tmp_path)
    (lists / "cam1_2.txt").write_text("rat\n", encoding="utf-8")
    head, animal = dataset.read_split(tmp_path)
    assert head.class_mask().tolist() == [0, 1, 1, 0, 0, 0, 0]
    assert animal.class_mask().tolist() == [0, 0, 0, 0, 0, 1, 0]


def test_pictures_come_as_rgb(tmp_path: Path) -> None:
    red = np.zeros((8, 8, 3), dtype=np.uint8)
    red[..., 0] = 250
    path = samples.add(tmp_path, "kitchen", "web_1", [], red)
    assert dataset.read_picture(path)[0, 0].tolist() == [250, 0, 0]
