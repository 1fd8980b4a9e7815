"""An edge infers in the cheapest precision among those its model card proves; what is repeated is fixed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kitchen_watch.edge.detect import measuring
from kitchen_watch.edge.detect.card import ModelCard, PrecisionProof, precision_files, sha256_of
from kitchen_watch.edge.detect.precision import CHOICES, Machine, check_named, choose
from kitchen_watch.edge.detect.settings import DetectorSettings, Precision
from kitchen_watch.errors import ConfigError, ModelMismatch, ModelMissing

VNNI = Machine("a server", frozenset({"f32", "bf16", "int8"}))
OLD = Machine("an old desktop", frozenset({"f32"}))


class Clockwork:
    """Stands for measuring: each precision costs what it is told to, and every time is counted."""

    def __init__(self, **costs: float) -> None:
        self.costs = costs
        self.asked: list[tuple[Precision, ...]] = []

    def __call__(self, precisions: Sequence[Precision]) -> dict[Precision, float]:
        self.asked.append(tuple(precisions))
        return {one: self.costs[one] for one in precisions}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.onnx"
    path.write_bytes(b"whole")
    for name in ("small-int8.xml", "small-int8.bin"):
        path.with_name(name).write_bytes(name.encode())
    return path


def card_of(model: Path, **proofs: bool) -> ModelCard:
    """A card of `model` with a verdict on each precision."""
    quantised = tuple(path for path in sorted(model.parent.glob("*-int8.*"), reverse=True))

    def proof(precision: str, good: bool) -> PrecisionProof:
        files = quantised if precision == "int8" else ()
        whole = files or (model,)
        return PrecisionProof(
            files=tuple(path.name for path in files),
            sha256=sha256_of(*whole),
            size_bytes=sum(path.stat().st_size for path in whole),
            ap50={"hat": 0.9},
            difference={"hat": 0.0 if good else -0.034},
            proved=good,
        )

    whole: dict[str, Any] = {
        "name": "small", "version": "1", "file": model.name, "sha256": sha256_of(model), "size_bytes": 5,
        "labels": ("hat",), "input": {"width": 640, "height": 384}, "output": {"rows": 300},
        "thresholds": {"hat": 0.4}, "licence": "AGPL-3.0-or-later",
    }  # fmt: skip
    precisions = {name: proof(name, good) for name, good in proofs.items()}
    return ModelCard(**whole, precisions=precisions)


def test_the_cheapest_of_the_proved_is_chosen_and_kept(model: Path, tmp_path: Path) -> None:
    card = card_of(model, f32=True, bf16=True, int8=True)
    costs = Clockwork(f32=21.0, bf16=13.0, int8=10.5)
    kept = tmp_path / CHOICES
    assert choose(model, card, VNNI, costs, kept) == "int8"
    assert choose(model, card, VNNI, costs, kept) == "int8", "after a restart"
    assert costs.asked == [("f32", "bf16", "int8")], "measured once"
    (entry,) = json.loads(kept.read_text(encoding="utf-8")).values()
    assert entry == {"precision": "int8", "model": "small 1", "cpu_ms": costs.costs}


def test_a_precision_that_is_not_proved_is_never_chosen_however_fast(model: Path, tmp_path: Path) -> None:
    card = card_of(model, f32=True, bf16=True, int8=False)
    costs = Clockwork(f32=21.0, bf16=13.0, int8=0.1)
    assert choose(model, card, VNNI, costs, tmp_path / CHOICES) == "bf16"
    assert costs.asked == [("f32", "bf16")]


def test_a_processor_that_does_not_calculate_it_natively_does_not_try(model: Path, tmp_path: Path) -> None:
    card = card_of(model, f32=True, bf16=True, int8=True)
    costs = Clockwork()
    assert choose(model, card, OLD, costs, tmp_path / CHOICES) == "f32"
    assert costs.asked == [], "nothing to choose, nothing to measure"


def test_a_card_without_proofs_leaves_float32(model: Path, tmp_path: Path) -> None:
    assert choose(model, card_of(model), VNNI, Clockwork(), tmp_path / CHOICES) == "f32"


def test_hardly_cheaper_is_not_worth_being_less_exact(model: Path, tmp_path: Path) -> None:
    card = card_of(model, f32=True, bf16=True, int8=True)
    costs = Clockwork(f32=21.0, bf16=13.0, int8=12.6)
    assert choose(model, card, VNNI, costs, tmp_path / CHOICES) == "bf16"


def test_another_machine_or_model_is_measured_anew(model: Path, tmp_path: Path) -> None:
    kept = tmp_path / CHOICES
    costs = Clockwork(f32=21.0, bf16=13.0, int8=10.5)
    choose(model, card_of(model, f32=True, bf16=True), VNNI, costs, kept)
    choose(model, card_of(model, f32=True, bf16=True), Machine("moved", VNNI.calculates), costs, kept)
    model.with_name("small-int8.bin").write_bytes(b"another one")
    choose(model, card_of(model, f32=True, bf16=True, int8=True), VNNI, costs, kept)
    assert len(costs.asked) == 3
    assert len(json.loads(kept.read_text(encoding="utf-8"))) == 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": 1}', "[" * 100_000], ids=range(5))
def test_a_damaged_record_of_choices_is_measured_over(model: Path, tmp_path: Path, content: str) -> None:
    kept = tmp_path / CHOICES
    kept.write_text(content, encoding="utf-8")
    costs = Clockwork(f32=21.0, bf16=13.0)
    assert choose(model, card_of(model, f32=True, bf16=True), VNNI, costs, kept) == "bf16"
    assert choose(model, card_of(model, f32=True, bf16=True), VNNI, costs, kept) == "bf16"
    assert len(costs.asked) == 1


def test_where_nothing_can_be_kept_it_is_measured_and_used(model: Path, tmp_path: Path) -> None:
    costs = Clockwork(f32=21.0, bf16=13.0)
    nowhere = tmp_path / "not made yet" / CHOICES
    assert choose(model, card_of(model, f32=True, bf16=True), VNNI, costs, nowhere) == "bf16"
    assert not nowhere.parent.exists()


def test_a_folder_that_may_not_be_entered_stops_nobody(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise PermissionError(13, "Permission denied")

    card, costs = card_of(model, f32=True, bf16=True), Clockwork(f32=21.0, bf16=13.0)
    for ask in ("is_dir", "read_text", "write_text"):
        monkeypatch.setattr(Path, ask, refuse)
    assert choose(model, card, VNNI, costs, tmp_path / CHOICES) == "bf16"


def test_a_missing_int8_file_leaves_the_others(model: Path, tmp_path: Path) -> None:
    card = card_of(model, f32=True, bf16=True, int8=True)
    model.with_name("small-int8.bin").unlink()
    costs = Clockwork(f32=21.0, bf16=13.0)
    assert choose(model, card, VNNI, costs, tmp_path / CHOICES) == "bf16"


def test_the_hash_of_the_int8_files_is_checked(model: Path) -> None:
    card = card_of(model, f32=True, int8=True)
    assert [path.name for path in precision_files(model, card, "int8")] == [
        "small-int8.xml",
        "small-int8.bin",
    ]
    weights = model.with_name("small-int8.bin")
    weights.write_bytes(b"x" * weights.stat().st_size)
    with pytest.raises(
        ModelMismatch, match=r"small-int8\.bin: the SHA-256 is not the one in the card for int8"
    ):
        precision_files(model, card, "int8")
    weights.unlink()
    with pytest.raises(ModelMissing, match=r"small-int8\.bin: the int8 file is not there"):
        precision_files(model, card, "int8")
    with pytest.raises(ModelMismatch, match="the card lists no int8 files"):
        precision_files(model, card_of(model), "int8")


@pytest.mark.parametrize("name", ["../small-int8.xml", "..", ""])
def test_a_card_names_no_file_elsewhere(model: Path, name: str) -> None:
    good = card_of(model, int8=True).model_dump()
    good["precisions"]["int8"]["files"] = (name,)
    with pytest.raises(ValueError, match="give the names of files beside the model"):
        ModelCard.model_validate(good)


def test_a_named_precision_that_is_not_proved_is_refused_with_the_reason(model: Path) -> None:
    card = card_of(model, f32=True, bf16=True, int8=False)
    check_named(card, "f32")
    check_named(card, "bf16")
    with pytest.raises(ConfigError, match=r"not proved in int8: AP50 of hat changes by -0\.034 against f32"):
        check_named(card, "int8")
    nothing = card.precisions["int8"].model_copy(update={"difference": {}})
    with pytest.raises(ConfigError, match="not proved in int8: its card compares no label"):
        check_named(card.model_copy(update={"precisions": {"int8": nothing}}), "int8")
    with pytest.raises(ConfigError, match="not proved in f16: its card has no figures for it"):
        check_named(card, "f16")


def test_what_is_repeated_is_float32_unless_another_is_named(model: Path) -> None:
    """`replay`, `score` and tests keep no choices, so nothing is measured for them."""
    card = card_of(model, f32=True, bf16=True, int8=True)
    assert measuring.settled(model, card, DetectorSettings(), None).precision == "f32"
    named = DetectorSettings(precision="int8")
    assert measuring.settled(model, card, named, None) == named


def test_a_gpu_decides_for_itself(model: Path) -> None:
    settings = DetectorSettings(device="gpu", precision="f16")
    assert measuring.settled(model, card_of(model), settings, None) == settings


@pytest.mark.parametrize(
    ("flags", "able"),
    [("fpu avx2 avx512_vnni", True), ("fpu avx2 avx_vnni", True), ("fpu avx2", False), ("", False)],
)
def test_int8_needs_a_processor_whose_sums_do_not_overflow(
    flags: str, able: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "cpuinfo"
    text = f"processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: {flags}\n\nprocessor\t: 1\n"
    told.write_text(text, encoding="utf-8")
    monkeypatch.setattr(measuring, "_cpuinfo", told)
    machine = measuring.this_machine()
    assert ("int8" in machine.calculates) == able
    assert "f32" in machine.calculates
    assert "Some CPU" in machine.name
