"""An edge says how it is: alive, ready or why not, and in figures that Prometheus can read."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from kitchen_watch.control import CameraState, CameraStatus
from kitchen_watch.edge.report import NodeReport, OutboxReport
from kitchen_watch.edge.status_server import bind, serve_status, status_app
from kitchen_watch.errors import ConfigError

SINCE = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def _report(*, ready: bool = True, reasons: tuple[str, ...] = ()) -> NodeReport:
    return NodeReport(
        edge_id="edge-1", ready=ready, reasons=reasons, connected=True,
        cameras=(
            CameraStatus(camera_id="cam-1", state=CameraState.STREAMING, since=SINCE, frames_received=250,
                         frames_analysed=50, frames_still=9, frames_dropped=2, frame_age_ms=80),
            CameraStatus(camera_id="cam-2", state=CameraState.OFFLINE, since=SINCE, reason="no answer"),
        ),
        outbox=OutboxReport(pending=3, delivered=7, dead=1, oldest_s=12.5),
        violations={"NO_HAT": 2},
    )  # fmt: skip


def _client(report: NodeReport) -> httpx.AsyncClient:
    async def make() -> NodeReport:
        return report

    return httpx.AsyncClient(transport=httpx.ASGITransport(status_app(make)), base_url="http://edge")


async def test_metrics_tell_frames_outbox_and_violations_apart() -> None:
    async with _client(_report()) as client:
        text = (await client.get("/metrics")).text
    assert 'kitchen_watch_frames_analysed_total{camera_id="cam-1"} 50.0' in text
    assert 'kitchen_watch_frames_still_total{camera_id="cam-1"} 9.0' in text
    assert 'kitchen_watch_camera_streaming{camera_id="cam-2"} 0.0' in text
    assert "kitchen_watch_outbox_oldest_seconds 12.5" in text
    assert 'kitchen_watch_violations_opened_total{code="NO_HAT"} 2.0' in text


async def test_an_edge_that_is_not_ready_says_why() -> None:
    async with _client(_report(ready=False, reasons=("no camera has ever streamed",))) as client:
        assert (await client.get("/healthz")).status_code == 200
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "no camera has ever streamed" in answer.text


async def test_the_status_is_plain_json() -> None:
    async with _client(_report()) as client:
        status = (await client.get("/status")).json()
    assert status["cameras"][1]["reason"] == "no answer"
    assert status["outbox"]["pending"] == 3


@pytest.mark.integration
async def test_a_port_in_use_is_one_clear_sentence() -> None:
    async def make() -> NodeReport:
        return _report()

    with bind("127.0.0.1", 0) as listener:
        async with serve_status(make, listener) as port, httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/readyz")).text == "ready\n"
            with pytest.raises(ConfigError, match=f"{port} is in use"):
                bind("127.0.0.1", port)
