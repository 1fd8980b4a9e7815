"""What nobody can do without, each alone: decoding a film, and one inference of the first look.

``python -m benchmarks.many_cameras.floor FILM...`` prints milliseconds of processor time as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from kitchen_watch.edge.detect.opening import open_detector
from kitchen_watch.edge.detect.openvino_yolo import OpenVinoYolo
from kitchen_watch.edge.detect.precision import CHOICES
from kitchen_watch.resources import shipped

INFERENCES = 150


def decoding(film: Path) -> float:
    """CPU milliseconds per picture, one thread, nothing done with it."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        before, count = time.process_time(), 0
        for _ in container.decode(stream):
            count += 1
        return (time.process_time() - before) * 1000 / count


def inferring() -> float:
    """CPU milliseconds per 640x384 canvas, as the edge asks for it by default."""
    with TemporaryDirectory() as folder:
        detector = open_detector(shipped("models/kitchen-yolo26n.onnx"), choices=Path(folder) / CHOICES)
    assert isinstance(detector, OpenVinoYolo)
    network = detector._network(640, 384)
    rng = np.random.default_rng(1)
    requests = [network._free.get() for _ in range(detector.parallel)]
    for _, canvas in requests:
        canvas[:] = rng.integers(0, 255, canvas.shape, dtype=np.uint8)

    def rounds(count: int) -> None:
        for _ in range(count // len(requests)):
            for request, _ in requests:
                request.start_async()
            for request, _ in requests:
                request.wait()

    rounds(20)
    before = time.process_time()
    rounds(INFERENCES)
    return (time.process_time() - before) * 1000 / (INFERENCES // len(requests) * len(requests))


def main() -> None:
    films = [Path(name) for name in sys.argv[1:]]
    result = {"inference_ms": round(inferring(), 3)}
    result |= {f"decode_ms.{film.stem}": round(min(decoding(film) for _ in range(2)), 3) for film in films}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
