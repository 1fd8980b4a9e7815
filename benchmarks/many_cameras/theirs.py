"""Ultralytics' own multi-stream prediction, with a note of when each analysed picture was taken over."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import ultralytics
from ultralytics.data import loaders

from benchmarks.live_view.talk import serve

ultralytics.utils.LOGGER.setLevel("ERROR")
_taken: dict[int, float] = {}
_analysed: Counter[str] = Counter()
_delays: list[float] = []


class _Capture(cv2.VideoCapture):
    """Their capture, whose pictures know when they were decoded."""

    def retrieve(self, *arguments: Any) -> Any:
        answer = super().retrieve(*arguments)
        _taken[id(answer[1])] = time.monotonic()
        if len(_taken) > 4096:
            _taken.pop(next(iter(_taken)))
        return answer


def _predict(weights: str, streams: str, stride: int) -> None:
    model = ultralytics.YOLO(weights, task="detect")
    results = model.predict(
        source=streams, stream=True, imgsz=640, vid_stride=stride, device="cpu", verbose=False
    )
    for result in results:
        now = time.monotonic()
        _analysed[result.path] += 1
        taken = _taken.get(id(result.orig_img))
        if taken is not None:
            _delays.append((now - taken) * 1000)


async def run(weights: str, streams: Path, stride: int) -> None:
    # Their loader asks the module for its capture class.
    loaders.cv2.VideoCapture = _Capture
    # What the library tells goes to standard error; answers go where standard output was.
    sys.stdout = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    thread = threading.Thread(target=_predict, args=(weights, str(streams), stride), daemon=True)

    async def figures() -> dict[str, Any]:
        if not thread.ident:
            thread.start()
        taken, _delays[:] = list(_delays), []
        return {"analysed": dict(_analysed), "delays_ms": taken}

    await serve({"figures": figures})


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
