"""The whole edge as it ships, with a listener that notes when each frame was judged."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.live_view.talk import serve
from kitchen_watch.clock import SystemClock
from kitchen_watch.edge.configuration import ConfigurationFile
from kitchen_watch.edge.node import EdgeNode
from kitchen_watch.edge.pipeline import Seen
from kitchen_watch.logs import configure_logs


async def run(config: Path) -> None:
    configure_logs(level="ERROR")
    clock = SystemClock()
    node = await EdgeNode.open(ConfigurationFile(config), clock=clock)
    stop, reload = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(node.run(stop, reload))
    delays: list[float] = []
    on_main = 0

    def judged(seen: Seen) -> None:
        nonlocal on_main
        on_main += seen.frame.main and not seen.still
        delays.append((clock.now() - seen.frame.captured_at) / timedelta(milliseconds=1))

    while len(list(node.cameras)) < len(node.settings.cameras):
        await asyncio.sleep(0.05)
    for camera in node.cameras:
        camera.pipeline.listeners.append(judged)

    async def figures() -> dict[str, Any]:
        """Counters since the start; delays since the last question."""
        taken, delays[:] = list(delays), []
        work = node._judgement.detector.statistics().values()
        return {
            "analysed": {camera.settings.camera_id: camera.pipeline.analysed for camera in node.cameras},
            "still": {
                camera.settings.camera_id: getattr(camera.pipeline, "still", 0) for camera in node.cameras
            },
            "decoded": sum(camera.analysis_stream.status().decoded for camera in node.cameras),
            "decoded_main": sum(
                camera.streams.main.status().decoded for camera in node.cameras if camera.streams.main
            ),
            "analysed_main": on_main,
            "inferences": sum(one.finished for one in work),
            "opened": dict(node._opened),
            "delays_ms": taken,
        }

    await serve({"figures": figures})
    stop.set()
    await running
    await node.close()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
