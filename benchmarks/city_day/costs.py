"""What it costs: CPU of the processes, growth of the database, and single things measured apart."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
from websockets.asyncio.client import connect

from benchmarks.city_day.edges import CONTROL, EVENTS, EVIDENCE, MODEL
from benchmarks.city_day.places import City
from kitchen_watch.control import CameraState, CameraStatus, Heartbeat, Hello
from kitchen_watch.events import (
    FIRST_LINK,
    Event,
    EventKind,
    EvidenceFile,
    EvidenceKind,
    EvidenceManifest,
    RuleUsed,
    manifest_sha256,
)
from kitchen_watch.signing import sign

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds since the processes began."""

    backend: float
    postgres: float

    def __sub__(self, other: Cpu) -> Cpu:
        return Cpu(self.backend - other.backend, self.postgres - other.postgres)

    def per(self, count: float) -> dict[str, float]:
        """Milliseconds for each of so many."""
        return {
            "backend": round(1000 * self.backend / count, 3),
            "postgres": round(1000 * self.postgres / count, 3),
        }


class Meter:
    """CPU of the children of this process that are backends, and of one PostgreSQL server."""

    def __init__(self, url: str) -> None:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            row = connection.execute("SELECT current_setting('data_directory')").fetchone()
        assert row is not None
        self._server = psutil.Process(int(Path(row[0], "postmaster.pid").read_text().split()[0]))
        self._backends: list[psutil.Process] = []

    def find_backends(self) -> None:
        """Those that run now are counted from here on."""
        children = psutil.Process().children()
        self._backends = [child for child in children if any("backend" in one for one in _command(child))]

    def now(self) -> Cpu:
        """Until now, also of children of the server that have ended."""
        times = self._server.cpu_times()
        ended = times.user + times.system + times.children_user + times.children_system
        living = sum(_seconds(child) for child in self._server.children(recursive=True))
        return Cpu(sum(_seconds(child) for child in self._backends), ended + living)


def sizes(url: str) -> dict[str, int]:
    """Bytes of every table with its indexes, and of the whole database."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows = connection.execute(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        whole = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert whole is not None
    return {"": whole[0], **dict(rows)}


def apart(
    addresses: Sequence[str], city: City, meter: Meter, *, idle_s: float, beats: int, megabytes: int
) -> dict[str, Any]:
    """Idle processes, heartbeats, and the bytes of evidence, each alone on processes of ordinary time."""
    meter.find_backends()
    time.sleep(3)
    before = meter.now()
    time.sleep(idle_s)
    idle = meter.now() - before
    before = meter.now()
    sent = asyncio.run(_heartbeats(addresses, city, beats))
    beat = meter.now() - before
    before = meter.now()
    megabytes = asyncio.run(_upload(addresses[0], city, megabytes))
    bytes_ = meter.now() - before
    return {
        "idle_cores_of_all_processes": {
            "backend": round(idle.backend / idle_s, 4),
            "postgres": round(idle.postgres / idle_s, 4),
        },
        "heartbeats": sent,
        "cameras_per_heartbeat": round(len(city.premises_of) / len(city.cameras), 1),
        "cpu_ms_per_heartbeat": beat.per(sent),
        "megabytes": megabytes,
        "cpu_ms_per_megabyte_of_evidence": bytes_.per(megabytes),
    }


async def _heartbeats(addresses: Sequence[str], city: City, beats: int) -> int:
    async def one(number: int, edge_id: str) -> int:
        headers = _signed(city, edge_id, "GET", CONTROL, b"")
        url = addresses[number % len(addresses)].replace("http", "ws", 1) + CONTROL
        async with connect(url, additional_headers=headers, proxy=None, open_timeout=60) as socket:
            await socket.send(Hello(edge_id=edge_id, software_version="simulated").model_dump_json())
            acknowledged = 0
            for _ in range(max(1, beats // len(city.cameras))):
                now = datetime.now(UTC)
                lines = tuple(
                    CameraStatus(camera_id=camera, state=CameraState.STREAMING, since=now, frames_received=1)
                    for camera in city.cameras[edge_id]
                )
                await socket.send(Heartbeat(sent_at=now, cameras=lines).model_dump_json())
                while '"heartbeat_ack"' not in str(await socket.recv()):
                    pass
                acknowledged += 1
            return acknowledged

    return sum(await asyncio.gather(*(one(number, edge) for number, edge in enumerate(city.cameras))))


async def _upload(address: str, city: City, megabytes: int) -> int:
    """One clip of so many megabytes, in chunks, as an edge sends it."""
    edge_id = next(iter(city.cameras))
    camera_id, now = city.cameras[edge_id][0], datetime.now(UTC)
    content = random.Random(1).randbytes(megabytes * CHUNK)
    sha256 = hashlib.sha256(content).hexdigest()
    common: dict[str, Any] = {
        "edge_id": edge_id, "camera_id": camera_id, "violation_id": "00000000-0000-4000-8000-000000000001",
        "code": "NO_HAT", "model": MODEL, "detections": (),
        "rule": RuleUsed(rule_id="NO_HAT", version="0123456789ab", parameters={}),
    }  # fmt: skip
    draft = EvidenceManifest(
        **common, manifest_id="00000000-0000-4000-8000-000000000002", chain_index=0,
        previous_sha256=FIRST_LINK, created_at=now, sha256=FIRST_LINK,
        files=(
            EvidenceFile(
                name="clip.mp4", kind=EvidenceKind.CLIP, media_type="video/mp4", size_bytes=len(content),
                sha256=sha256, starts_at=now, ends_at=now + timedelta(seconds=15),
            ),
        ),
    )  # fmt: skip
    event = Event(
        **common, event_id="00000000-0000-4000-8000-000000000003", kind=EventKind.OPENED, sequence=0, tier=2,
        occurred_at=now, started_at=now, last_seen_at=now, confidence=1.0,
        evidence=draft.model_copy(update={"sha256": manifest_sha256(draft)}),
    )  # fmt: skip
    body = json.dumps({"events": [event.model_dump(mode="json")]}).encode()
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:
        answer = await client.post(EVENTS, content=body, headers=_signed(city, edge_id, "POST", EVENTS, body))
        answer.raise_for_status()
        target = f"{EVIDENCE}/{sha256}"
        for offset in range(0, len(content), CHUNK):
            chunk = content[offset : offset + CHUNK]
            headers = _signed(city, edge_id, "PATCH", target, chunk) | {"upload-offset": str(offset)}
            answer = await client.patch(target, content=chunk, headers=headers)
            answer.raise_for_status()
    if not answer.json()["complete"]:
        raise SystemExit("the uploaded clip is not whole")
    return megabytes


def _signed(city: City, edge_id: str, method: str, target: str, body: bytes) -> dict[str, str]:
    secret = city.secrets[edge_id]
    return sign(secret, edge_id=edge_id, method=method, target=target, body=body, at=datetime.now(UTC))


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
