"""The commands as a person types them, on small data sets and the shipped model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from kitchen_watch.errors import ConfigError, ModelMismatch
from kitchen_watch.training.commands import COMMANDS, dataset_app
from tests.support import REPOSITORY
from tests.training import samples

SHIPPED = REPOSITORY / "models" / "kitchen-yolo26n.onnx"

app = typer.Typer()
for name, command in COMMANDS.items():
    app.command(name)(command)
app.add_typer(dataset_app, name="dataset")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    samples.add(tmp_path / "train", "kitchen", "web_1", ["1 0.5 0.5 0.2 0.2"])
    samples.add(tmp_path / "val", "kitchen", "web_2", ["2 0.5 0.5 0.2 0.2"])
    samples.add(tmp_path / "val", "negative", "kitchen_empty_1", [])
    return tmp_path


def test_evaluate_prints_the_figures_as_json(data: Path) -> None:
    arguments = ["evaluate", "--data", str(data / "val"), "--model", str(SHIPPED), "--json"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    result = json.loads(done.stdout)
    assert set(result) == {"model", "images", "classes", "groups", "negatives"}
    assert set(result["model"]) == {"name", "version", "sha256", "precision"}
    assert result["images"] == 2
    assert result["model"]["name"] == "kitchen-yolo26n"
    assert set(result["classes"]["no_hat"]) >= {"ap50", "ap50_95", "precision", "recall", "threshold"}
    assert result["groups"]["web"]["no_hat"]["truths"] == 1
    assert result["negatives"]["pictures"] == 1


def test_evaluate_prints_a_table_and_writes_a_report(data: Path) -> None:
    report = data / "report"
    arguments = ["evaluate", "--data", str(data / "val"), "--model", str(SHIPPED)]
    done = CliRunner().invoke(app, [*arguments, "--report", str(report)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "no_hat" in done.stdout
    assert (report / "index.html").is_file()


def test_evaluate_runs_where_torch_and_ultralytics_are_not_installed(data: Path) -> None:
    blocked = (
        "import sys\n"
        "for name in ('torch', 'torchvision', 'ultralytics', 'onnx', 'onnxruntime'):\n"
        "    sys.modules[name] = None\n"  # whoever imports it gets an ImportError
        "from kitchen_watch.cli import main\n"
        "main()\n"
    )
    arguments = ["evaluate", "--data", str(data / "val"), "--model", str(SHIPPED), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", blocked, *arguments, "--report", str(data / "report")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["images"] == 2
    assert (data / "report" / "index.html").is_file()


def test_a_picture_that_cannot_be_read_is_named(data: Path) -> None:
    (data / "val" / "kitchen" / "images" / "web_2.png").write_bytes(b"\x89PNG")
    arguments = ["evaluate", "--data", str(data / "val"), "--model", str(SHIPPED), "--json"]
    with pytest.raises(ConfigError, match=r"web_2\.png cannot be read"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_a_group_that_nobody_described_is_named(data: Path) -> None:
    samples.add(data / "val", "shoes", "web_4", [])
    arguments = ["evaluate", "--data", str(data / "val"), "--model", str(SHIPPED), "--json"]
    with pytest.raises(ConfigError, match="shoes is not a known group"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_a_changed_model_is_refused(data: Path) -> None:
    copy = data / SHIPPED.name
    content = bytearray(SHIPPED.read_bytes())
    content[-1] ^= 1
    copy.write_bytes(content)
    card = SHIPPED.with_suffix(".yaml").read_text(encoding="utf-8")
    copy.with_suffix(".yaml").write_text(card, encoding="utf-8")
    arguments = ["evaluate", "--data", str(data / "val"), "--model", str(copy)]
    with pytest.raises(ModelMismatch, match="SHA-256"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_dataset_check_counts_and_passes(data: Path) -> None:
    done = CliRunner().invoke(app, ["dataset", "check", str(data)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "Scarce in train: rat" in done.stdout
    assert "no picture of val in train" in done.stdout


def test_dataset_check_refuses_a_leak(data: Path) -> None:
    samples.add(data / "val", "kitchen", "web_3", [], samples.picture(sum(b"web_1")))
    with pytest.raises(ConfigError, match="also in train"):
        CliRunner().invoke(app, ["dataset", "check", str(data)], catch_exceptions=False)
