"""The edge's own small HTTP server on loopback: /healthz, /readyz, /status and /metrics."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Generator

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from kitchen_watch.edge.report import NodeReport, ReportCollector
from kitchen_watch.errors import ConfigError

MakeReport = Callable[[], Awaitable[NodeReport]]


def status_app(make_report: MakeReport) -> Starlette:
    """The routes; every request asks for a fresh report."""
    collector = ReportCollector()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        report = await make_report()
        text = "ready\n" if report.ready else "not ready: " + "; ".join(report.reasons) + "\n"
        return PlainTextResponse(text, status_code=200 if report.ready else 503)

    async def status(_request: Request) -> Response:
        return JSONResponse(as_json(await make_report()))

    async def metrics(_request: Request) -> Response:
        collector.report = await make_report()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/status", status),
            Route("/metrics", metrics),
        ]
    )


def as_json(report: NodeReport) -> dict[str, object]:
    """The report as plain JSON values."""
    return {
        "edge_id": report.edge_id,
        "ready": report.ready,
        "reasons": list(report.reasons),
        "warnings": list(report.warnings),
        "connected": report.connected,
        "cameras": [camera.model_dump(mode="json") for camera in report.cameras],
        "outbox": dataclasses.asdict(report.outbox),
        "violations": dict(report.violations),
        "frames_superseded": report.frames_superseded,
        "inference_ms": report.inference_ms,
        "analysis_failures": report.analysis_failures,
        "disk_free_bytes": report.disk_free_bytes,
    }


class _QuietServer(uvicorn.Server):
    """uvicorn without its own signal handling: the edge decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the process's signal handlers alone."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        ConfigError: the port is in use or may not be used.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise ConfigError(
            f"status.port: {host}:{port} {reason}. Stop the other program or choose another port."
        ) from error
    return listener


@contextlib.asynccontextmanager
async def serve_status(make_report: MakeReport, listener: socket.socket) -> AsyncIterator[int]:
    """Serve on ``listener`` while the context is open; yields the port."""
    config = uvicorn.Config(status_app(make_report), log_level="warning", access_log=False, lifespan="off")
    server = _QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await serving
        listener.close()
