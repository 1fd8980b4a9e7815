"""Load over real HTTP: pages one after the other, signed batches side by side, a thousand open streams."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx

from benchmarks.district import District
from kitchen_watch.backend.auth.callers import COOKIE
from kitchen_watch.events import (
    FIRST_LINK,
    Event,
    EventKind,
    EvidenceFile,
    EvidenceKind,
    EvidenceManifest,
    ModelUsed,
    RuleUsed,
    manifest_sha256,
)
from kitchen_watch.signing import sign

EVENTS_TARGET = "/api/v1/edge/events"
PER_VIOLATION = 4
"""Opened (with its evidence's manifest, as an edge sends it), updated twice, closed."""


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


# --- pages -------------------------------------------------------------------------------------


def server_times(address: str, tokens: Sequence[str], paths: Sequence[str], *, count: int) -> list[float]:
    """Server times in ms (``Server-Timing``) of ``count`` requests, after one of each as a warm-up."""
    measured = []
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        pairs = list(itertools.product(tokens, paths))
        random.Random(1).shuffle(pairs)
        for number in range(len(pairs) + count):
            token, path = pairs[number % len(pairs)]
            answer = client.get(path, headers={"cookie": f"{COOKIE}={token}"})
            if answer.status_code not in {200, 403, 404}:  # not everything is for everybody
                raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
            if number >= len(pairs) and answer.status_code == 200:
                measured.append(float(answer.headers["server-timing"].split("dur=")[1]))
    return measured


# --- events ------------------------------------------------------------------------------------


@dataclass
class Teller:
    """One edge's violations, told in batches ahead of time so that making them costs the clock nothing."""

    edge_id: str
    cameras: Sequence[str]
    chance: random.Random
    chain_index: int = field(default_factory=lambda: int(time.time() * 1000))
    last: str = FIRST_LINK

    def batch(self, size: int) -> bytes:
        """Whole violations side by side, in the order in which they happen."""
        stories = [self._story() for _ in range(max(1, size // PER_VIOLATION))]
        events = [story[step] for step in range(PER_VIOLATION) for story in stories][:size]
        return json.dumps({"events": events}).encode()

    def one(self) -> bytes:
        """A batch of a single opening event."""
        return json.dumps({"events": self._story()[:1]}).encode()

    def _story(self) -> list[dict[str, Any]]:
        violation_id, camera_id = uuid4(), self.chance.choice(self.cameras)
        started = datetime.now(UTC) - timedelta(seconds=self.chance.randint(5, 60))
        first = Event(
            event_id=uuid4(), kind=EventKind.OPENED, violation_id=violation_id, sequence=0,
            edge_id=self.edge_id, camera_id=camera_id, code="NO_HAT", tier=2,
            occurred_at=started, started_at=started, last_seen_at=started, confidence=0.8,
            model=MODEL, rule=RULE, detections=DETECTIONS,
            evidence=self._evidence(violation_id, camera_id, started),
        ).model_dump(mode="json")  # fmt: skip
        events = [first]
        for sequence in range(1, PER_VIOLATION):
            later = first | {"event_id": str(uuid4()), "sequence": sequence, "evidence": None}
            last = sequence == PER_VIOLATION - 1
            later["kind"] = (EventKind.CLOSED if last else EventKind.UPDATED).value
            events.append(later)
        return events

    def _evidence(self, violation_id: UUID, camera_id: str, at: datetime) -> EvidenceManifest:
        files = tuple(
            EvidenceFile(
                name=f"{kind.value}.bin", kind=kind,
                media_type="video/mp4" if kind is EvidenceKind.CLIP else "image/jpeg",
                size_bytes=100_000, sha256=self.chance.randbytes(32).hex(), starts_at=at,
            )
            for kind in EvidenceKind
        )  # fmt: skip
        draft = EvidenceManifest(
            manifest_id=uuid4(), chain_index=self.chain_index, previous_sha256=self.last,
            edge_id=self.edge_id, camera_id=camera_id, violation_id=violation_id, code="NO_HAT",
            created_at=at, model=MODEL, rule=RULE, detections=DETECTIONS, files=files, sha256=FIRST_LINK,
        )  # fmt: skip
        sealed = draft.model_copy(update={"sha256": manifest_sha256(draft)})
        self.chain_index, self.last = self.chain_index + 1, sealed.sha256
        return sealed


MODEL = ModelUsed(name="kitchen-yolo26n", version="1", sha256="a" * 64)
RULE = RuleUsed(rule_id="NO_HAT", version="0123456789ab", parameters={"held_s": 10.0, "minimum": 0.7})
DETECTIONS = tuple(
    {"label": "no_hat", "confidence": 0.8, "box": (0.1, 0.2, 0.3, 0.4), "track_id": n} for n in range(3)
)


@dataclass
class Ingest:
    """What the backends took."""

    events: int = 0
    seconds: float = 0.0
    batch_ms: list[float] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)
    per_second: list[int] = field(default_factory=list)


async def ingest(
    addresses: Sequence[str], district: District, *, connections: int, batches: int, size: int = 100
) -> Ingest:
    """Deliver that many batches over each connection, every one an edge of its own."""
    edges = [edge for edge, cameras in district.cameras.items() if cameras][-connections:]
    bodies = {}
    for number, edge_id in enumerate(edges):
        teller = Teller(edge_id, district.cameras[edge_id], random.Random(number))
        bodies[edge_id] = [teller.batch(size) for _ in range(batches)]
    taken, moments = Ingest(), []

    async def deliver(address: str, edge_id: str) -> None:
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=120) as client:
            for body in bodies[edge_id]:
                began = time.perf_counter()
                answer = await _post(client, district, edge_id, body)
                moments.append(time.perf_counter())
                taken.batch_ms.append((moments[-1] - began) * 1000)
                taken.server_ms.append(float(answer.headers["server-timing"].split("dur=")[1]))
                verdicts = [result["verdict"] for result in answer.json()["results"]]
                if set(verdicts) != {"accepted"}:
                    raise SystemExit(f"not everything was taken: {answer.text[:500]}")
                taken.events += len(verdicts)

    began = time.perf_counter()
    await asyncio.gather(
        *(deliver(addresses[n % len(addresses)], edge_id) for n, edge_id in enumerate(edges))
    )
    taken.seconds = time.perf_counter() - began
    buckets = [0] * (int(taken.seconds) + 1)
    for moment in moments:
        buckets[int(moment - began)] += size
    taken.per_second = buckets[:-1] or buckets
    return taken


async def _post(client: httpx.AsyncClient, district: District, edge_id: str, body: bytes) -> httpx.Response:
    signature = sign(
        district.secrets[edge_id], edge_id=edge_id, method="POST", target=EVENTS_TARGET, body=body,
        at=datetime.now(UTC),
    )  # fmt: skip
    answer = await client.post(EVENTS_TARGET, content=body, headers=signature)
    if answer.status_code != 200:
        raise SystemExit(f"{EVENTS_TARGET}: {answer.status_code} {answer.text[:500]}")
    return answer


# --- streams -----------------------------------------------------------------------------------


@dataclass
class Streams:
    """From the moment an edge begins to deliver until a listener has read the alert."""

    clients: int
    latencies_ms: list[float] = field(default_factory=list)
    per_alert_p95_ms: list[float] = field(default_factory=list)
    lost: int = 0


async def streams(
    addresses: Sequence[str], district: District, *, clients: int, alerts: int, pause_s: float
) -> Streams:
    """Open the streams of that many people who see everything, then deliver alerts one by one."""
    heard: dict[int, list[float]] = {}
    told = Streams(clients)
    opened = asyncio.Semaphore(20)
    listeners: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []

    async def listen(number: int) -> None:
        address, token = addresses[number % len(addresses)], district.supervisors[number]
        async with opened:
            reader, writer = await _open_stream(address, token)
        listeners.append((asyncio.create_task(_hear(reader, heard)), writer))

    await asyncio.gather(*(listen(number) for number in range(clients)))
    edge_id = next(edge for edge, cameras in district.cameras.items() if cameras)
    teller = Teller(edge_id, district.cameras[edge_id], random.Random(99))
    async with httpx.AsyncClient(base_url=addresses[0], trust_env=False, timeout=60) as client:
        position = await _newest(client, district)
        for _ in range(alerts):
            body, began = teller.one(), time.perf_counter()
            await _post(client, district, edge_id, body)
            position += 1
            deadline = time.perf_counter() + 15
            while len(heard.get(position, ())) < clients and time.perf_counter() < deadline:
                await asyncio.sleep(0.02)
            latencies = [(at - began) * 1000 for at in heard.get(position, ())]
            told.lost += clients - len(latencies)
            if latencies:
                told.latencies_ms += latencies
                told.per_alert_p95_ms.append(p95(latencies))
            await asyncio.sleep(pause_s)
    for task, writer in listeners:
        task.cancel()
        writer.close()
    await asyncio.gather(*(task for task, _ in listeners), return_exceptions=True)
    return told


async def _open_stream(address: str, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    where = urlsplit(address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(
        f"GET /api/v1/alerts/stream HTTP/1.1\r\nHost: {where.netloc}\r\n"
        f"Accept: text/event-stream\r\nCookie: {COOKIE}={token}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise SystemExit(f"a stream was refused: {head!r}")
    await reader.readuntil(b"event: ping")  # the stream has begun
    return reader, writer


async def _hear(reader: asyncio.StreamReader, heard: dict[int, list[float]]) -> None:
    while line := await reader.readline():
        if line.startswith(b"id: "):
            heard.setdefault(int(line[4:]), []).append(time.perf_counter())


async def _newest(client: httpx.AsyncClient, district: District) -> int:
    cookie = {"cookie": f"{COOKIE}={district.supervisors[0]}"}
    return int((await client.get("/api/v1/alerts/position", headers=cookie)).text)
