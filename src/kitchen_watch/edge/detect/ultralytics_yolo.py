"""The detector through Ultralytics: .pt and .engine files, CPU or GPU (extra ``[gpu]``/``[train]``).

The library is imported only when such a model is opened: the edge runs without it.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from kitchen_watch.clock import Clock
from kitchen_watch.edge.detect.card import ModelCard
from kitchen_watch.edge.detect.detection import Detection
from kitchen_watch.edge.detect.letterbox import Letterbox
from kitchen_watch.edge.detect.rows import detections_from_rows
from kitchen_watch.edge.detect.scheduler import FairScheduler, StreamStatistics, Together
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.errors import DetectorError, ModelMismatch
from kitchen_watch.events import ModelUsed


class UltralyticsYolo:
    """Implements :class:`Detector` with one worker thread: the library's models are not re-entrant."""

    def __init__(
        self,
        model_path: Path,
        card: ModelCard,
        settings: DetectorSettings | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        """Load the model.

        Raises:
            DetectorError: Ultralytics is not installed.
            ModelMismatch: the file is not a detection model, or its labels are not the card's.
        """
        self._card = card
        self._path = model_path
        self._settings = settings or DetectorSettings()
        try:
            library: Any = importlib.import_module("ultralytics")
        except ImportError as error:
            raise DetectorError(
                f"{model_path}: this kind of model needs Ultralytics. Install it with "
                "`pip install 'kitchen-watch[gpu]'`, or use an .onnx model."
            ) from error
        try:
            self._network: Any = library.YOLO(str(model_path), task="detect")
            names = dict(self._network.names)
        except (RuntimeError, ValueError, TypeError, KeyError, EOFError, OSError) as error:
            raise ModelMismatch(f"{model_path}: Ultralytics cannot use it as a model: {error}.") from error
        if tuple(names[index] for index in sorted(names)) != card.labels:
            raise ModelMismatch(
                f"{model_path}: has the labels {', '.join(names.values())}, its card "
                f"{', '.join(card.labels)}. Export it again with its card."
            )
        half = self._settings.precision == "f16"
        self._options: dict[str, Any] = {
            "imgsz": card.input.width,
            "device": self._settings.device,
            # The NMS-free head: the one that the thresholds of the card were chosen for.
            "nms": False,
            "quantize": 16 if half else None,
            "max_det": card.output.rows,
            "verbose": False,
        }
        self._model = ModelUsed(
            name=card.name, version=card.version, sha256=card.sha256, precision="f16" if half else "f32"
        )
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="detect")
        self._scheduler = FairScheduler[Image, tuple[Detection, ...]](
            self._in_thread,
            parallel=1,
            clock=clock,
            # Pictures of one shape: those of several would be padded to squares.
            together=Together(self._together, self._settings.batch, _shape),
        )

    @property
    def model(self) -> ModelUsed:
        """Name, version, hash and precision."""
        return self._model

    @property
    def labels(self) -> tuple[str, ...]:
        """In class order."""
        return self._card.labels

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        return self._card

    async def detect(self, frame: Frame) -> tuple[Detection, ...] | None:
        """See :meth:`Detector.detect`."""
        return await self._scheduler.submit(frame.stream_id, frame.image)

    def infer(self, images: Sequence[Image], *, least: float | None = None) -> list[tuple[Detection, ...]]:
        """As :meth:`OpenVinoYolo.infer`.

        Raises:
            DetectorError: inference failed, or the detector is closed.
        """
        try:
            return list(self._threads.map(lambda image: self._look(image, least), images))
        except RuntimeError as error:
            raise DetectorError(f"{self._path}: inference failed: {error}.") from error

    def prefer(self, ranks: Mapping[str, int]) -> None:
        """Streams of a higher rank go first; see :meth:`FairScheduler.prefer`."""
        self._scheduler.prefer(ranks)

    def statistics(self) -> dict[str, StreamStatistics]:
        """Counters by stream id: waiting and working time, superseded frames."""
        return self._scheduler.statistics()

    async def close(self) -> None:
        """Finish what is under way and release the model."""
        await self._scheduler.close()
        self._threads.shutdown(wait=True)
        self._network = None

    async def _in_thread(self, image: Image) -> tuple[Detection, ...]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._look, image)

    def _look(self, image: Image, least: float | None = None) -> tuple[Detection, ...]:
        (found,) = self._look_at([image], least)
        return found

    async def _together(self, images: Sequence[Image]) -> Sequence[tuple[Detection, ...]]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._look_at, images)

    def _look_at(self, images: Sequence[Image], least: float | None = None) -> list[tuple[Detection, ...]]:
        """Pictures of one shape, in one run of the network."""
        floor = min(self._card.track_threshold, *self._card.thresholds.values()) if least is None else least
        try:
            results = self._network.predict(list(images), conf=floor, **self._options)
        except RuntimeError as error:
            raise DetectorError(f"{self._path}: inference failed: {error}.") from error
        return [self._found(result, image, least) for result, image in zip(results, images, strict=True)]

    def _found(self, result: Any, image: Image, least: float | None) -> tuple[Detection, ...]:
        height, width = image.shape[:2]
        rows = np.asarray(result.boxes.data.cpu().numpy(), dtype=np.float32)[:, :6]
        # The library has already undone its own letterbox: rows are in pixels of the picture.
        whole = Letterbox(width, height, width, height, 0, 0)
        return detections_from_rows(rows, whole, self._card, least)


def _shape(image: Image) -> tuple[int, ...]:
    return image.shape
