"""Measures what one inference costs in each precision on this very CPU, before the detector is opened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino

from kitchen_watch.edge.detect.card import ModelCard
from kitchen_watch.edge.detect.openvino_yolo import OpenVinoYolo
from kitchen_watch.edge.detect.precision import Machine, check_named, choose
from kitchen_watch.edge.detect.settings import DetectorSettings, Precision

ROUNDS = 8
_INT8_FLAGS = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
"""Without one of these a CPU adds int8 products in 16 bits, which may overflow: the card's figures say
nothing about it."""

_cpuinfo = Path("/proc/cpuinfo")


def this_machine() -> Machine:
    """The processor that this process runs on."""
    core = openvino.Core()
    able = set(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    model, flags = _described()
    calculates = {"f32"}
    if "BF16" in able:
        calculates.add("bf16")
    if "INT8" in able and flags & _INT8_FLAGS:
        calculates.add("int8")
    name = f"{core.get_property('CPU', 'FULL_DEVICE_NAME')} {model} openvino {openvino.get_version()}"
    return Machine(name, frozenset(calculates))


def settled(
    model_path: Path, card: ModelCard, settings: DetectorSettings, choices: Path | None
) -> DetectorSettings:
    """``settings`` with a precision that is not ``auto``, where the device is a CPU.

    Raises:
        ConfigError: the precision that is named is not proved by the card.
        ModelMismatch: a file of a proved precision is not what the card says.
    """
    if settings.device.lower() != "cpu":
        return settings
    if settings.precision != "auto":
        check_named(card, settings.precision)
        return settings
    if choices is None:
        return settings.model_copy(update={"precision": "f32"})

    def measure(precisions: Sequence[Precision]) -> dict[Precision, float]:
        return _costs(model_path, card, precisions)

    chosen = choose(model_path, card, this_machine(), measure, choices)
    return settings.model_copy(update={"precision": chosen})


def _costs(model_path: Path, card: ModelCard, precisions: Sequence[Precision]) -> dict[Precision, float]:
    """CPU milliseconds of one inference of a 16:9 picture, the least of some rounds, in turn."""
    detectors = {
        one: OpenVinoYolo(model_path, card, DetectorSettings(precision=one, threads=1, streams=1))
        for one in precisions
    }
    noise = np.random.default_rng(0)
    picture = noise.integers(0, 255, (card.input.height, card.input.width, 3), dtype=np.uint8)
    costs = dict.fromkeys(precisions, float("inf"))
    try:
        for turn in range(ROUNDS + 1):
            for one, detector in detectors.items():
                begun = time.process_time()
                detector.infer([picture])
                if turn:  # the first also fills caches
                    costs[one] = min(costs[one], (time.process_time() - begun) * 1000)
    finally:
        for detector in detectors.values():
            detector.release()
    return costs


def _described() -> tuple[str, frozenset[str]]:
    """Model name and flags of the first processor, where the system tells them."""
    try:
        lines = _cpuinfo.read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return "", frozenset()
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return told.get("model name", ""), frozenset(told.get("flags", "").split())
