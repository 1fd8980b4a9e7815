"""A short training run from scratch: its loss falls, and it resumes where it stood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kitchen_watch.errors import ConfigError, ModelMissing
from kitchen_watch.training.config import TrainConfig, read_config
from kitchen_watch.training.dataset import Example, read_split
from tests.support import REPOSITORY
from tests.training import samples
from tests.training.parts import need_torch

need_torch()

import torch  # noqa: E402

from kitchen_watch.training import checkpoint, trainer  # noqa: E402


class Notes:
    """A witness that remembers."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.records: list[dict[str, float]] = []

    def reading(self, done: int, of: int) -> None:
        assert done <= of

    def step(self, epoch: int, done: int, of: int, loss: float) -> None:
        assert epoch > 0
        assert done <= of
        self.losses.append(loss)

    def epoch_over(self, record: dict[str, float]) -> None:
        self.records.append(record)


@pytest.fixture(scope="module")
def small() -> TrainConfig:
    """The committed configuration, cut down to two epochs of six batches of small canvases."""
    config = read_config(REPOSITORY / "configs" / "train.yaml")
    stage = (
        config.legs[0]
        .stages[0]
        .model_copy(
            update={
                "epochs": 2,
                "pictures": 24,
                "grid": 0.0,
                "paste": 0.0,
                "looks": {},
                "single_canvases": [(96, 96)],
            }
        )
    )
    leg = config.legs[0].model_copy(update={"stages": [stage], "warmup_steps": 2, "learning_rate": 0.002})
    return config.model_copy(update={"legs": [leg], "batch": 4, "validate_every": 9})


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    split = tmp_path_factory.mktemp("data") / "train"
    for number in range(8):
        pixels = samples.picture(number, (96, 96))
        pixels[30:60, 30:60] = (250, 20, 20)
        samples.add(split, "kitchen", f"web_{number}", ["1 0.47 0.47 0.31 0.31"], pixels)
    samples.add(split, "hat", "kitchen_1", ["1 0.5 0.5 0.3 0.3"])
    samples.add(split, "negative", "kitchen_empty_1", [])
    return read_split(split)


def test_a_short_run_lowers_the_loss_and_resumes(
    small: TrainConfig, pictures: list[Example], tmp_path: Path
) -> None:
    saved = tmp_path / "run.ckpt"
    notes = Notes()
    run = trainer.prepare(small, None, None)
    trainer.train(run, pictures, pictures[:2], saved, notes)
    first, second = (record["loss"] for record in notes.records)
    assert second < first
    assert "ap50/hat" in notes.records[-1]
    assert saved.stat().st_size < 20e6

    again = trainer.prepare(small, None, saved)
    assert again.progress.epoch == 2
    assert again.progress.history == run.progress.history
    for name, value in again.model.state_dict().items():
        kept = run.model.state_dict()[name].float()
        assert torch.allclose(value.float(), kept, rtol=2e-3, atol=1e-4), name
    with pytest.raises(ConfigError, match="has its 2 epochs"):
        trainer.train(again, pictures, [], saved, notes)


def test_frozen_layers_stay_as_they_start(
    small: TrainConfig, pictures: list[Example], tmp_path: Path
) -> None:
    run = trainer.prepare(small, None, None)
    before = {name: value.clone() for name, value in run.model.model[:3].state_dict().items()}
    one = small.legs[0].stages[0].model_copy(update={"epochs": 1, "pictures": 8})
    short = small.legs[0].model_copy(update={"stages": [one]})
    run.config = small.model_copy(update={"legs": [short]})
    trainer.train(run, pictures, [], tmp_path / "run.ckpt", Notes())
    for name, value in run.model.model[:3].state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_leg_of_the_one_to_many_head_alone_teaches_it_and_leaves_the_other(
    small: TrainConfig, pictures: list[Example], tmp_path: Path
) -> None:
    notes = Notes()
    run = trainer.prepare(small, None, None)
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    leg = small.legs[0].model_copy(update={"head": "one_to_many"})
    run.config = small.model_copy(update={"legs": [leg]})
    trainer.train(run, pictures, pictures[:2], tmp_path / "run.ckpt", notes)
    assert notes.records[1]["loss"] < notes.records[0]["loss"]
    assert "ap50/hat" in notes.records[-1]
    after = run.model.state_dict()
    other = {name for name in before if ".one2one_" in name}
    assert other
    assert all(torch.equal(before[name], after[name]) for name in other)
    assert not torch.equal(before["model.23.cv3.0.2.weight"], after["model.23.cv3.0.2.weight"])
    assert set(run.model(torch.zeros(1, 3, 64, 64))) == {"one2many", "one2one"}  # both are back after it


def test_a_blend_lies_between_start_and_run(small: TrainConfig) -> None:
    run = trainer.prepare(small, None, None)
    with pytest.raises(ConfigError, match="--start"):
        trainer.blend(run, 0.6)
    name = "model.0.conv.weight"
    kept = run.model.state_dict()[name].clone()
    run.start = {key: value + 1 for key, value in run.model.state_dict().items()}
    trainer.blend(run, 0.6)
    assert torch.allclose(run.model.state_dict()[name], kept + 0.4, atol=1e-5)
    assert torch.allclose(run.average.ema.state_dict()[name], kept + 0.4, atol=1e-5)


def test_learning_rate_warms_up_and_falls_to_its_final_fraction(small: TrainConfig) -> None:
    leg = small.legs[0].model_copy(update={"warmup_steps": 10, "learning_rate": 1.0})
    rates = [trainer.learning_rate(leg, step, 100) for step in range(101)]
    assert rates[0] < 0.1
    assert max(rates) == pytest.approx(max(rates[8:13]))
    assert rates[-1] == pytest.approx(leg.final_fraction)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        checkpoint.read(tmp_path / "none.ckpt")
    broken = tmp_path / "broken.ckpt"
    broken.write_bytes(b"nothing of the kind")
    with pytest.raises(ConfigError, match="not a training checkpoint"):
        checkpoint.read(broken)
    torch.save({"weights": torch.zeros(2)}, broken)
    with pytest.raises(ConfigError, match="not a training checkpoint"):
        checkpoint.read(broken)


def test_moments_survive_packing() -> None:
    rng = np.random.default_rng(1)
    first = torch.from_numpy(rng.normal(size=(8, 8)).astype(np.float32)) * 1e-4
    moments = {"step": torch.tensor(7.0), "exp_avg": first, "exp_avg_sq": first.square() * 0.1}
    back = checkpoint._unpacked(checkpoint._packed(moments))
    assert torch.allclose(back["exp_avg"], first, atol=float(first.abs().max()) / 127)
    roots = moments["exp_avg_sq"].sqrt()
    assert torch.allclose(back["exp_avg_sq"].sqrt(), roots, rtol=1e-2, atol=6e-8)
