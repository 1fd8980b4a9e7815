"""The demo cameras' process: ``python -m kitchen_watch.demo.cameras --directory DIR``.

Says on standard output, as one line of JSON, under which addresses the cameras can be watched; stops
on SIGTERM or SIGINT, or with ``--until-stdin-closes`` when the process that started it is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from kitchen_watch.demo.clips import usable_clips
from kitchen_watch.demo.rendering import films, missing, render_missing
from kitchen_watch.demo.rtsp_server import ServedCamera, serve
from kitchen_watch.demo.schedule import Film
from kitchen_watch.errors import KitchenWatchError


def sample_cameras(directory: Path) -> list[ServedCamera]:
    """The five sample cameras with their films in ``directory``; what is missing is rendered first."""
    if missing(directory):
        render_missing(directory)
    return [
        ServedCamera(made.camera.camera_id, made.paths, made.camera.programme, made.camera.plan)
        for made in films(directory)
    ]


def clip_cameras(clips: Path, directory: Path) -> list[ServedCamera]:
    """A camera for every usable video file in ``clips``; the others were named in the log."""
    usable, refusals = usable_clips(clips, directory)
    for sentence in refusals:
        logging.getLogger(__name__).warning("%s", sentence)
    return [ServedCamera(clip.camera_id, {Film.USUAL: clip.film}) for clip in usable]


async def run(cameras: Sequence[ServedCamera], *, port: int, until_stdin_closes: bool) -> None:
    """Serve until a signal comes, or until standard input ends."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with serve(cameras, port=port) as urls:
        lines = [{"camera_id": camera.camera_id, "url": urls[camera.camera_id]} for camera in cameras]
        sys.stdout.write(json.dumps({"cameras": lines}, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        if until_stdin_closes:
            loop.add_reader(sys.stdin.fileno(), _at_end_of_stdin, stopped)
        await stopped.wait()


def _at_end_of_stdin(stopped: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        stopped.set()


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the arguments, serve, and return the exit code."""
    parser = argparse.ArgumentParser(prog="kitchen_watch.demo.cameras", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where the films are kept")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 takes a free one")
    parser.add_argument("--clips", type=Path, help="serve the video files in this directory too")
    parser.add_argument("--no-samples", action="store_true", help="leave the sample cameras out")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input ends")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        cameras = [] if chosen.no_samples else sample_cameras(chosen.directory)
        if chosen.clips is not None:
            cameras += clip_cameras(chosen.clips, chosen.directory)
        asyncio.run(run(cameras, port=chosen.port, until_stdin_closes=chosen.until_stdin_closes))
    except KitchenWatchError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
