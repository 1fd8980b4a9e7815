"""The cameras: one process that serves every film as many cameras, by the demo's RTSP server."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from benchmarks.live_view.talk import serve as answer
from benchmarks.many_cameras.films import SCENES, film
from kitchen_watch.demo.rtsp_server import ServedCamera, serve
from kitchen_watch.demo.schedule import Film


async def run(folder: Path) -> None:
    cameras = [
        ServedCamera(f"{scene}-{stream}", {Film.USUAL: film(folder, scene, stream)})
        for scene in SCENES
        for stream in ("main", "sub")
    ]
    async with serve(cameras) as urls:

        async def addresses() -> dict[str, str]:
            return urls

        await answer({"addresses": addresses})


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
