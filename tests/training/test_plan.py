"""The plan of an epoch: repeatable, group-pure, and drawn by the shares of the configuration."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from kitchen_watch.errors import ConfigError
from kitchen_watch.training.config import TrainConfig, read_config
from kitchen_watch.training.dataset import Example
from kitchen_watch.training.plan import Batch, epoch_plan
from tests.support import REPOSITORY
from tests.training import samples

COMMITTED = REPOSITORY / "configs" / "train.yaml"


@pytest.fixture(scope="module")
def config() -> TrainConfig:
    return read_config(COMMITTED)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    bare = [("no_hat", 0.1, 0.1, 0.2, 0.2)]
    groups = ["kitchen", "kitchen_hat", "hat", "mask", "pest", "negative"]
    many = [samples.example([], group=group, site="kitchen") for group in groups for _ in range(60)]
    return [*many, *(samples.example(bare, group="hat", site="kitchen") for _ in range(60))]


def planned(config: TrainConfig, examples: list[Example], epoch: int = 0) -> list[Batch]:
    return epoch_plan(config, examples, [(640, 384)] * len(examples), config.legs[0].stages[0], epoch)


def test_the_same_epoch_is_planned_the_same_and_the_next_is_not(
    config: TrainConfig, examples: list[Example]
) -> None:
    assert planned(config, examples) == planned(config, examples)
    assert planned(config, examples) != planned(config, examples, 1)


def test_pictures_share_a_canvas_only_if_they_label_the_same_classes(
    config: TrainConfig, examples: list[Example]
) -> None:
    grids = [c for batch in planned(config, examples) for c in batch.canvases if len(c) > 1]
    assert len(grids) > 500
    assert {len(canvas) for canvas in grids} == {4, 9}
    for canvas in grids:
        assert len({examples[index].labelled for index in canvas}) == 1


def test_judged_alerts_are_drawn_and_mix_only_with_alerts_that_settle_the_same(config: TrainConfig) -> None:
    heads, rats = frozenset({"hat", "no_hat"}), frozenset({"rat"})
    some = samples.example([], group="kitchen")
    others = [some] * 60
    judged = [
        Example(some.picture, "feedback", "cam1", known, some.boxes)
        for known in (heads, rats)
        for _ in range(30)
    ]
    examples = [*others, *judged]
    canvases = [canvas for batch in planned(config, examples) for canvas in batch.canvases]
    assert {examples[canvas[0]].labelled for canvas in canvases} == {some.labelled, heads, rats}
    assert all(len({examples[index].labelled for index in canvas}) == 1 for canvas in canvases)


def test_scarce_bare_heads_are_drawn_more_often(config: TrainConfig, examples: list[Example]) -> None:
    drawn: Counter[str] = Counter()
    for batch in planned(config, examples):
        for canvas in batch.canvases:
            example = examples[canvas[0]]
            bare = " bare" if example.count("no_hat") else ""
            drawn[example.group + bare] += 1
    assert drawn["hat bare"] > 3 * drawn["hat"]
    assert drawn["kitchen"] > 1.5 * drawn["pest"]


def test_an_undescribed_group_is_refused(config: TrainConfig) -> None:
    other = samples.example([])
    stranger = Example(other.picture, "shoes", "web", other.labelled, other.boxes)
    with pytest.raises(ConfigError, match="shoes"):
        config.weight_of(stranger)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"colour": 1}, "colour"),
        ({"batch": 0}, "batch"),
        ({"legs": []}, "legs"),
    ],
)
def test_a_wrong_configuration_is_refused(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    values = yaml.safe_load(COMMITTED.read_text(encoding="utf-8")) | change
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(ConfigError, match=reason):
        read_config(path)


def test_canvases_must_fit_the_strides_and_looks_must_exist(tmp_path: Path) -> None:
    values = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))
    stage = values["legs"][0]["stages"][0]
    stage["single_canvases"] = [[640, 380]]
    stage["looks"] = {"rainbow": 0.5}
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"rainbow.*380"):
        read_config(path)
