"""The detector on CPUs: an ONNX file with an NMS-free head, through OpenVINO.

Colour order, scale and layout are part of the compiled network, so that a frame costs one copy of
its bytes. Every input shape is compiled once and kept; inference runs in as many worker threads as
the network has streams, each with a request of its own, and the event loop only waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import openvino
from openvino.preprocess import ColorFormat, PrePostProcessor

from kitchen_watch.clock import Clock
from kitchen_watch.edge.detect.card import ModelCard, precision_files
from kitchen_watch.edge.detect.detection import Detection
from kitchen_watch.edge.detect.letterbox import letterbox
from kitchen_watch.edge.detect.rows import detections_from_rows
from kitchen_watch.edge.detect.scheduler import FairScheduler, StreamStatistics
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.errors import DetectorError, ModelMismatch
from kitchen_watch.events import ModelUsed

MOST_SHAPES = 8
_VALUES_PER_ROW = 6
_NAMES = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


class _Network:
    """The model compiled for one canvas size, with its requests."""

    def __init__(self, compiled: Any, requests: int) -> None:
        self.precision = str(compiled.get_property("INFERENCE_PRECISION_HINT").to_string())
        height, width = compiled.input(0).shape[1:3]
        self._free: SimpleQueue[tuple[Any, Image]] = SimpleQueue()
        for _ in range(requests):
            request = compiled.create_infer_request()
            canvas = np.zeros((1, height, width, 3), dtype=np.uint8)
            request.set_input_tensor(openvino.Tensor(canvas, shared_memory=True))
            self._free.put((request, canvas))

    @contextmanager
    def request(self) -> Iterator[tuple[Any, Image]]:
        """An idle request with its canvas (height, width, 3); waits for one."""
        entry = self._free.get()
        try:
            yield entry[0], entry[1][0]
        finally:
            self._free.put(entry)


class OpenVinoYolo:
    """Implements :class:`Detector`; ``detect`` belongs to one event loop, ``infer`` to any thread."""

    def __init__(
        self,
        model_path: Path,
        card: ModelCard,
        settings: DetectorSettings | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        """Compile for 16:9 pictures at once, so that a bad file is refused here.

        Raises:
            ModelMissing: the int8 files are wanted and not there.
            ModelMismatch: the file is not a model, or its inputs or outputs are not the card's.
        """
        self._card = card
        self._settings = settings or DetectorSettings()
        self._path = precision_files(model_path, card, self._settings.precision)[0]
        self._core = openvino.Core()
        self._networks: OrderedDict[tuple[int, int], _Network] = OrderedDict()
        self._compiling = threading.Lock()
        self._parallel = self._settings.streams
        first = self._network(card.input.width, card.input.height)
        quantised = card.precisions["int8"] if self._settings.precision == "int8" else None
        self._model = ModelUsed(
            name=card.name,
            version=card.version,
            sha256=quantised.sha256 if quantised else card.sha256,
            precision="int8" if quantised else _NAMES.get(first.precision, first.precision),
        )
        self._threads = ThreadPoolExecutor(self._parallel, thread_name_prefix="detect")
        self._scheduler = FairScheduler[Image, tuple[Detection, ...]](
            self._in_thread, parallel=self._parallel, clock=clock
        )

    @property
    def model(self) -> ModelUsed:
        """Name, version, hash and the precision really used."""
        return self._model

    @property
    def labels(self) -> tuple[str, ...]:
        """In class order."""
        return self._card.labels

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        return self._card

    @property
    def parallel(self) -> int:
        """How many frames are inferred at the same time."""
        return self._parallel

    async def detect(self, frame: Frame) -> tuple[Detection, ...] | None:
        """See :meth:`Detector.detect`."""
        return await self._scheduler.submit(frame.stream_id, frame.image)

    def infer(self, images: Sequence[Image], *, least: float | None = None) -> list[tuple[Detection, ...]]:
        """Detections of pictures of any sizes, BGR uint8 (height, width, 3), in their order.

        Waits for the result; for evaluation and tests. ``least`` replaces the card's
        ``track_threshold`` as the lowest confidence that is kept.

        Raises:
            DetectorError: inference failed, or the detector is closed.
        """
        try:
            return list(self._threads.map(lambda image: self._look(image, least), images))
        except RuntimeError as error:
            raise DetectorError(f"{self._path}: inference failed: {_first_line(error)}.") from error

    def prefer(self, ranks: Mapping[str, int]) -> None:
        """Streams of a higher rank go first; see :meth:`FairScheduler.prefer`."""
        self._scheduler.prefer(ranks)

    def statistics(self) -> dict[str, StreamStatistics]:
        """Counters by stream id: waiting and working time, superseded frames."""
        return self._scheduler.statistics()

    async def close(self) -> None:
        """Finish what is under way and release the model."""
        await self._scheduler.close()
        self.release()

    def release(self) -> None:
        """As :meth:`close`, where nobody used :meth:`detect`."""
        self._threads.shutdown(wait=True)
        self._networks.clear()

    async def _in_thread(self, image: Image) -> tuple[Detection, ...]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._look, image)

    def _look(self, image: Image, least: float | None = None) -> tuple[Detection, ...]:
        box = letterbox(image.shape[1], image.shape[0], self._card.input)
        network = self._network(box.canvas_width, box.canvas_height)
        with network.request() as (request, canvas):
            box.draw(image, canvas, self._card.input.pad)
            try:
                request.start_async()
                request.wait()
            except RuntimeError as error:
                raise DetectorError(f"{self._path}: inference failed: {_first_line(error)}.") from error
            rows = np.array(request.get_output_tensor(0).data[0], dtype=np.float32)
        return detections_from_rows(rows, box, self._card, least)

    def _network(self, width: int, height: int) -> _Network:
        with self._compiling:
            network = self._networks.get((width, height))
            if network is None:
                network = self._compile(width, height)
                self._networks[width, height] = network
                if len(self._networks) > MOST_SHAPES:
                    self._networks.popitem(last=False)
            self._networks.move_to_end((width, height))
            return network

    def _compile(self, width: int, height: int) -> _Network:
        options: dict[str, Any] = {"PERFORMANCE_HINT": "THROUGHPUT"}
        if self._settings.threads:
            options["INFERENCE_NUM_THREADS"] = self._settings.threads
        if self._settings.streams:
            options["NUM_STREAMS"] = self._settings.streams
        if self._settings.precision != "auto":
            # What an int8 network keeps in float is float32, on every CPU.
            kept = "f32" if self._settings.precision == "int8" else self._settings.precision
            options["INFERENCE_PRECISION_HINT"] = kept
        try:
            model = self._core.read_model(self._path)
            self._check_outside(model)
            model.reshape([1, 3, height, width])
            # With this hint OpenVINO itself batches the requests of several cameras on a GPU.
            compiled = self._core.compile_model(
                self._from_bytes(model), self._settings.device.upper(), options
            )
        except RuntimeError as error:
            raise ModelMismatch(
                f"{self._path}: OpenVINO cannot use it as a model for {width}x{height} pictures "
                f"on {self._settings.device}: "
                f"{_first_line(error)}. Export it again with `kitchen-watch export`, or "
                "set detector.device to cpu."
            ) from error
        self._check_rows(compiled.output(0).shape)
        if not self._parallel:
            self._parallel = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        return _Network(compiled, self._parallel)

    def _check_outside(self, model: Any) -> None:
        shape = model.inputs[0].partial_shape if len(model.inputs) == 1 else None
        if shape is None or len(shape) != 4 or (shape[1].is_static and shape[1].get_length() != 3):
            raise ModelMismatch(
                f"{self._path}: takes {shape if shape is not None else f'{len(model.inputs)} inputs'}, "
                "not one picture batch (n, 3, height, width). Export it with `kitchen-watch export`."
            )
        if len(model.outputs) != 1 or len(model.outputs[0].partial_shape) != 3:
            self._refuse_rows([str(output.partial_shape) for output in model.outputs])

    def _check_rows(self, shape: Sequence[int]) -> None:
        if len(shape) != 3 or shape[2] != _VALUES_PER_ROW or shape[1] > self._card.output.rows:
            self._refuse_rows(list(shape))

    def _refuse_rows(self, found: Sequence[object]) -> None:
        raise ModelMismatch(
            f"{self._path}: gives {list(found)}, not the {self._card.output.rows} rows of 6 values that its "
            "card promises (an NMS-free YOLO head). Export it with `kitchen-watch export`."
        )

    def _from_bytes(self, model: Any) -> Any:
        """The model with (n, height, width, 3) BGR bytes as its input."""
        steps = PrePostProcessor(model)
        steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(
            openvino.Layout("NHWC")
        ).set_color_format(ColorFormat.BGR)
        steps.input().model().set_layout(openvino.Layout("NCHW"))
        process = steps.input().preprocess().convert_element_type(openvino.Type.f32)
        if self._card.input.colour == "RGB":
            process = process.convert_color(ColorFormat.RGB)
        process.scale(float(self._card.input.divisor))
        return steps.build()


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__
