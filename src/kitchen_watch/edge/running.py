"""The edge as a process."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from kitchen_watch.clock import SystemClock
from kitchen_watch.edge.configuration import ConfigurationFile
from kitchen_watch.edge.node import EdgeNode
from kitchen_watch.logs import configure_logs


async def run_edge(config_path: Path) -> None:
    """The edge as a process: SIGTERM and Ctrl-C end it in order, SIGHUP reads the file again.

    Raises:
        KitchenWatchError: why it cannot start.
    """
    clock = SystemClock()
    source = ConfigurationFile(config_path)
    settings = source.load().settings
    configure_logs(log_format=settings.log_format, level=settings.log_level)
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    opening = asyncio.create_task(EdgeNode.open(source, clock=clock))
    if settings.outbox.url is not None:  # another process may run the edge for a long time yet
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({opening, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not opening.done():
            opening.cancel()
            return
    node = await opening
    try:
        await node.run(stop, reload)
    finally:
        await node.close()
