"""Makes the int8 model out of an exported ONNX file: post-training quantisation (NNCF), its ranges taken from
training pictures in the edge's own letterboxes.

In float stay: what decides where boxes lie and who is a double (the last layers of the head and all behind
them), attention, and the activations, which the runtime fuses into the convolutions before them only if
nothing is quantised in between.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nncf
import numpy as np
import numpy.typing as npt
import openvino

from kitchen_watch.edge.detect.card import ModelInput
from kitchen_watch.edge.detect.letterbox import letterbox
from kitchen_watch.training.dataset import Example, read_picture

CALIBRATION_PICTURES = 1200
SEED = 20261124

_HEAD = r"model\.23/"
_DECIDING = (
    rf".*{_HEAD}(one2one_)?cv[23]\.\d/(one2one_)?cv[23]\.\d\.2/.*",
    rf".*{_HEAD}(?!(one2one_)?cv[23]).*",
    r"^/(?!network/|model\.).*",
    r".*/attn/.*",
    r".*/act/(Sigmoid|Mul)",
)


@dataclass(frozen=True, slots=True)
class Kept:
    """Layers that stay in float, as patterns of their names in the graph."""

    name: str
    patterns: tuple[str, ...]


KEPT_IN_FLOAT = (
    Kept("last layers in float", _DECIDING),
    Kept("stem and head in float", (*_DECIDING, rf".*{_HEAD}.*", r".*model\.[01]/.*")),
)
"""From the cheapest on; the first that is proved ships."""


def files_of(model: Path) -> tuple[Path, Path]:
    """Graph and weights of the int8 model beside an ONNX file."""
    return model.with_name(f"{model.stem}-int8.xml"), model.with_name(f"{model.stem}-int8.bin")


def quantise(model: Path, target: Path, examples: Sequence[Example], network: ModelInput, kept: Kept) -> None:
    """Write `target` (.xml, its weights beside it) from the ONNX file `model`, for any batch and size.

    `examples` are training pictures, of which CALIBRATION_PICTURES are used, from every site alike.
    """
    nncf.set_log_level(logging.ERROR)
    some = spread(examples, CALIBRATION_PICTURES)

    def batch(example: Example) -> npt.NDArray[np.float32]:
        return canvas_of(example, network)

    quantised = nncf.quantize(
        openvino.Core().read_model(model),
        nncf.Dataset(some, batch),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(some),
        fast_bias_correction=True,
        ignored_scope=nncf.IgnoredScope(patterns=list(kept.patterns), validate=False),
    )
    openvino.save_model(quantised, target, compress_to_fp16=False)


def spread(examples: Sequence[Example], most: int) -> list[Example]:
    """At most `most` pictures, in turn from every group and site, the same ones every time."""
    order = np.random.default_rng(SEED).permutation(len(examples))
    by_site: dict[tuple[str, str], list[Example]] = {}
    for index in order:
        example = examples[int(index)]
        by_site.setdefault((example.group, example.site), []).append(example)
    sites = [by_site[key] for key in sorted(by_site)]
    rounds = max((len(site) for site in sites), default=0)
    return [site[n] for n in range(rounds) for site in sites if n < len(site)][:most]


def canvas_of(example: Example, network: ModelInput) -> npt.NDArray[np.float32]:
    """A picture as the network gets it on the edge: (1, 3, height, width), 0..1."""
    picture = np.ascontiguousarray(read_picture(example.picture))
    box = letterbox(picture.shape[1], picture.shape[0], network)
    canvas = np.zeros((box.canvas_height, box.canvas_width, 3), dtype=np.uint8)
    box.draw(picture, canvas, network.pad)
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)[None].astype(np.float32) / network.divisor)
