"""One backend process whose time runs faster: the same application, on a hurried clock and event loop."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import uvicorn

from benchmarks.city_day.hurry import HurriedClock, HurriedLoop
from kitchen_watch.backend.organisations import service as organisations

TICK_S = 0.1


class _Server(uvicorn.Server):
    """uvicorn's own tick is no part of the day: it keeps its real tenth of a second."""

    factor = 1.0

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            await asyncio.sleep(TICK_S * self.factor)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--epoch", type=datetime.fromisoformat, required=True)
    parser.add_argument("--factor", type=float, required=True)
    parser.add_argument("--heartbeat-s", type=float, required=True, help="simulated pause of heartbeats")
    options = parser.parse_args()
    # Heartbeats are thinned, so silence begins later in the same proportion. Before the application is
    # imported, because others take the value from here.
    organisations.SILENT_AFTER = timedelta(seconds=4 * options.heartbeat_s)
    from kitchen_watch.backend.app import create_app  # noqa: PLC0415
    from kitchen_watch.backend.commands import read_settings  # noqa: PLC0415
    from kitchen_watch.backend.serving import bind  # noqa: PLC0415
    from kitchen_watch.logs import configure_logs  # noqa: PLC0415

    settings = read_settings(options.config)
    configure_logs(level=settings.log_level)
    app = create_app(settings, clock=HurriedClock(options.epoch, options.factor, options.clock))
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="on",
            ws_ping_interval=None,  # seconds of the network, not of the day
            timeout_keep_alive=int(3600 * options.factor),
            timeout_graceful_shutdown=int(5 * options.factor),
        )
    )
    server.factor = options.factor
    with (
        bind(settings.host, settings.port) as listener,
        asyncio.Runner(loop_factory=lambda: HurriedLoop(options.factor)) as runner,
    ):
        runner.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main()
