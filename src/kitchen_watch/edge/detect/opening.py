"""Opens a detector from a model file, with every refusal before the first frame."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kitchen_watch.clock import Clock
from kitchen_watch.edge.detect.card import check_labels, load_card
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.errors import ModelMismatch

if TYPE_CHECKING:
    from kitchen_watch.edge.detect.openvino_yolo import OpenVinoYolo
    from kitchen_watch.edge.detect.ultralytics_yolo import UltralyticsYolo


def open_detector(
    model_path: Path,
    *,
    required_labels: Iterable[str] = (),
    settings: DetectorSettings | None = None,
    clock: Clock | None = None,
    choices: Path | None = None,
) -> OpenVinoYolo | UltralyticsYolo:
    """The detector for ``model_path``: .onnx through OpenVINO, .pt and .engine through Ultralytics.

    ``auto`` precision on a CPU is measured where ``choices``, the file that keeps what was chosen, is given.
    Without it, it is f32: what is repeated must come out the same on every machine.

    Raises:
        ModelMissing: the file or its card is not there, or empty.
        ModelMismatch: hash, labels, shapes or kind of file are not what the card promises.
        ConfigError: the card itself is not acceptable, or does not prove the precision asked for.
        DetectorError: Ultralytics is needed and not installed.
    """
    card = load_card(model_path)
    check_labels(card, required_labels)
    # Imported here: each brings hundreds of megabytes that the other does not need.
    if model_path.suffix == ".onnx":
        from kitchen_watch.edge.detect.measuring import settled  # noqa: PLC0415
        from kitchen_watch.edge.detect.openvino_yolo import OpenVinoYolo  # noqa: PLC0415

        settings = settled(model_path, card, settings or DetectorSettings(), choices)
        return OpenVinoYolo(model_path, card, settings, clock=clock)
    if model_path.suffix in {".pt", ".engine"}:
        from kitchen_watch.edge.detect.ultralytics_yolo import UltralyticsYolo  # noqa: PLC0415

        return UltralyticsYolo(model_path, card, settings, clock=clock)
    raise ModelMismatch(
        f"{model_path}: no detector reads {model_path.suffix or 'files without a suffix'}. "
        "Give an .onnx, .pt or .engine file."
    )
