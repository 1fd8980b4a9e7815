"""Delivery over real HTTP: signatures checked by a real server, the connection cut in mid-upload."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from kitchen_watch.clock import Clock, SystemClock
from kitchen_watch.edge.evidence.package import PackageFiles
from kitchen_watch.edge.outbox.delivery import Delivery
from kitchen_watch.events import EventKind
from tests.edge.outbox.backend_double import SECRET, BackendDouble
from tests.edge.outbox.situations import EDGE, START, draft, opened, package, packages, violation

MEGABYTE = 1024 * 1024


def ingest(double: BackendDouble) -> FastAPI:
    """A tiny ingest around the double: everything goes through a real server and real sockets."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST", "PATCH"])
    async def anything(request: Request) -> Response:
        body = await request.body()
        asked = httpx.Request(request.method, str(request.url), headers=request.headers.raw, content=body)
        answer = await double.handle(asked)
        return Response(answer.content, answer.status_code, dict(answer.headers))

    return app


@contextmanager
def serving(app: FastAPI) -> Iterator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


class CutWire:
    """A TCP relay that cuts a connection after it has carried so many bytes, ``cuts`` times."""

    def __init__(self, port: int, *, after: int, cuts: int) -> None:
        self._port, self._after, self.cuts = port, after, cuts

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        back = asyncio.create_task(self._pump(far_reader, writer))
        carried = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                carried += len(data)
                if self.cuts and carried > self._after:
                    self.cuts -= 1
                    writer.transport.abort()
                    break
                far_writer.write(data)
                await far_writer.drain()
        far_writer.transport.abort()
        await back

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@pytest.mark.integration
async def test_alerts_and_a_large_clip_arrive_although_the_connection_is_cut(tmp_path: Path) -> None:
    clock: Clock = SystemClock()
    double, writer, subject = BackendDouble(clock), packages(tmp_path), violation()
    with serving(ingest(double)) as port:
        wire = CutWire(port, after=MEGABYTE + MEGABYTE // 2, cuts=3)
        async with wire.open() as cut_port, opened(tmp_path, clock) as store:
            delivery = Delivery(
                store, edge_id=EDGE, backend_url=f"http://127.0.0.1:{cut_port}", secret=SECRET, clock=clock
            )
            running = asyncio.create_task(delivery.run())
            await store.open_event(draft(subject, package=package(writer, subject)))
            folder = writer.folder(subject.violation_id, subject.started_at)
            part = writer.part(folder, "clip")
            part.write_bytes(random.Random(5).randbytes(6 * MEGABYTE + 12345))
            clip = writer.adopt(folder, part, starts_at=START, ends_at=START)
            await store.append(draft(subject, EventKind.UPDATED, package=PackageFiles(folder, (clip,))))
            async with asyncio.timeout(60):
                while (await store.counts()).uploads_pending or (await store.counts()).pending:
                    await asyncio.sleep(0.02)
            assert wire.cuts == 0
            assert bytes(double.files[clip.sha256]) == (tmp_path / folder / clip.name).read_bytes()
            assert len(double.complete) == 3
            assert [event.sequence for event in double.accepted] == [0, 1]
            assert delivery.server_offset is not None
            running.cancel()
            await asyncio.wait({running})


@pytest.mark.integration
async def test_a_server_that_comes_late_gets_everything(tmp_path: Path) -> None:
    clock: Clock = SystemClock()
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        async with opened(tmp_path, clock) as store:
            delivery = Delivery(
                store, edge_id=EDGE, backend_url=f"http://127.0.0.1:{port}", secret=SECRET, clock=clock
            )
            for _ in range(5):
                await store.open_event(draft())
            assert not await delivery.deliver_once()
            assert delivery.last_error is not None
            assert "does not answer" in delivery.last_error
    double = BackendDouble(clock)
    with serving(ingest(double)) as port:
        async with opened(tmp_path, clock) as store:
            delivery = Delivery(
                store, edge_id=EDGE, backend_url=f"http://127.0.0.1:{port}", secret=SECRET, clock=clock
            )
            running = asyncio.create_task(delivery.run())
            async with asyncio.timeout(20):
                while (await store.counts()).pending:
                    await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.wait({running})
    assert len(double.accepted) == 5
