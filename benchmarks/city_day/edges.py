"""Edges as the backend sees them: an outbox that repeats until it is acknowledged, uploads, heartbeats."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.city_day import pictures
from benchmarks.city_day.hurry import HurriedClock
from benchmarks.city_day.programme import Happening, Outage
from kitchen_watch.control import CameraState, CameraStatus, Heartbeat, Hello
from kitchen_watch.events import (
    FIRST_LINK,
    MAX_EVENTS_PER_BATCH,
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

EVENTS = "/api/v1/edge/events"
EVIDENCE = "/api/v1/edge/evidence"
CONTROL = "/api/v1/edge/control"
POST_ROLL = timedelta(seconds=12)
MODEL = ModelUsed(name="kitchen-yolo26n", version="1", sha256="a" * 64)
DETECTIONS = ({"label": "no_hat", "confidence": 0.8, "box": (0.1, 0.2, 0.3, 0.4), "track_id": 7},)
ANSWER_LOST = 0.01
"""Share of batches whose answer an edge does not get to read: it sends them again."""
RETRY_S = 0.5


@dataclass
class Told:
    """What all edges did, to be laid beside what the backend knows."""

    events: dict[str, tuple[str, int, datetime, datetime]] = field(default_factory=dict)
    """By event id: violation, sequence, sent and answered (simulated)."""
    openings: dict[str, Happening] = field(default_factory=dict)
    """By violation, once acknowledged."""
    opened: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    """By violation: sent and answered (simulated)."""
    sent_at: dict[str, deque[float]] = field(default_factory=dict)
    """Real moments at which openings of a camera were sent, for those who hear of them."""
    ingest_ms: list[float] = field(default_factory=list)
    upload_ms: list[float] = field(default_factory=list)
    batches: list[tuple[datetime, int]] = field(default_factory=list)
    repeated: int = 0
    duplicates: int = 0
    refused: list[str] = field(default_factory=list)
    retries: Counter[str] = field(default_factory=Counter)
    """Why something had to be sent again."""
    files: dict[str, int] = field(default_factory=dict)
    """Size by hash of what was uploaded whole."""
    heartbeats: int = 0
    acknowledged: int = 0

    def retry(self, error: Exception) -> None:
        """Note why something has to be sent again."""
        if isinstance(error, httpx.HTTPStatusError):
            self.retries[f"{error.response.status_code} {error.response.text[:200]}"] += 1
        else:
            self.retries[type(error).__name__] += 1


class SimulatedEdge:
    """One edge: sees what its programme says, tells it as a real edge does."""

    def __init__(
        self,
        edge_id: str,
        secret: str,
        cameras: Sequence[str],
        address: str,
        *,
        clock: HurriedClock,
        told: Told,
        outages: Sequence[Outage],
        seed: int,
    ) -> None:
        self.edge_id = edge_id
        self._secret = secret
        self._cameras = {camera: (CameraState.STREAMING, clock.now()) for camera in cameras}
        self._address = address
        self._clock = clock
        self._told = told
        self._outages = outages
        self._chance = random.Random(seed)
        self._http = httpx.AsyncClient(base_url=address, trust_env=False, timeout=60)
        self._outbox: deque[Event] = deque()
        self._uploads: deque[str] = deque()
        self._content: dict[str, bytes] = {}
        self._woken = asyncio.Event()
        self._files_woken = asyncio.Event()
        self._chain, self._last = 0, FIRST_LINK
        self._sequence: dict[UUID, int] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be delivered."""
        return not self._outbox and not self._uploads

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    # what its cameras see

    async def see(self, happening: Happening) -> None:
        """Tell one violation from its opening to its end."""
        violation = uuid4()
        self._tell(violation, happening, EventKind.OPENED, files=(EvidenceKind.CLEAN, EvidenceKind.ANNOTATED))
        if happening.kind.code == "CAM_OFFLINE":
            self._cameras[happening.camera_id] = (CameraState.OFFLINE, self._clock.now())
        ends = happening.at + happening.lasts
        if happening.kind.by_model:
            await self._clock.until(happening.at + POST_ROLL)
            self._tell(violation, happening, EventKind.UPDATED, files=(EvidenceKind.CLIP,))
        if happening.lasts > timedelta(minutes=10):
            await self._clock.until(happening.at + timedelta(minutes=10))
            self._tell(violation, happening, EventKind.UPDATED)
        await self._clock.until(ends)
        if happening.kind.code == "CAM_OFFLINE":
            self._cameras[happening.camera_id] = (CameraState.STREAMING, self._clock.now())
        self._tell(violation, happening, EventKind.CLOSED)

    def _tell(
        self,
        violation: UUID,
        happening: Happening,
        kind: EventKind,
        *,
        files: Sequence[EvidenceKind] = (),
    ) -> None:
        now, sequence = self._clock.now(), self._sequence.get(violation, 0)
        self._sequence[violation] = sequence + 1
        rule = RuleUsed(rule_id=happening.kind.code, version="0123456789ab", parameters={"held_s": 10.0})
        model = MODEL if happening.kind.by_model else None
        detections = DETECTIONS if happening.kind.by_model else ()
        common: dict[str, Any] = {
            "edge_id": self.edge_id, "camera_id": happening.camera_id, "violation_id": violation,
            "code": happening.kind.code, "model": model, "rule": rule, "detections": detections,
        }  # fmt: skip
        event = Event(
            **common, event_id=uuid4(), kind=kind, sequence=sequence, tier=happening.kind.tier,
            occurred_at=now, started_at=happening.at, last_seen_at=now, confidence=0.8, server_offset_ms=0,
            ended_at=now if kind is EventKind.CLOSED else None,
            evidence=self._seal(common, files, now) if files else None,
        )  # fmt: skip
        if kind is EventKind.OPENED:
            self._told.openings[str(violation)] = happening
        self._outbox.append(event)
        self._woken.set()

    def _seal(self, common: dict[str, Any], kinds: Sequence[EvidenceKind], now: datetime) -> EvidenceManifest:
        named = []
        for kind in kinds:
            is_clip = kind is EvidenceKind.CLIP
            content = pictures.clip(self._chance) if is_clip else pictures.snapshot(self._chance)
            sha256 = hashlib.sha256(content).hexdigest()
            self._content[sha256] = content
            named.append(
                EvidenceFile(
                    name=f"{kind.value}.{'mp4' if is_clip else 'jpg'}", kind=kind,
                    media_type="video/mp4" if is_clip else "image/jpeg", size_bytes=len(content),
                    sha256=sha256, starts_at=now, ends_at=now + timedelta(seconds=2) if is_clip else None,
                )
            )  # fmt: skip
        draft = EvidenceManifest(
            **common, manifest_id=uuid4(), chain_index=self._chain, previous_sha256=self._last,
            created_at=now, server_offset_ms=0, files=tuple(named), sha256=FIRST_LINK,
        )  # fmt: skip
        sealed = draft.model_copy(update={"sha256": manifest_sha256(draft)})
        self._chain, self._last = self._chain + 1, sealed.sha256
        return sealed

    # what it delivers

    async def deliver(self) -> None:
        """Hand the outbox over until cancelled, batch by batch, each until it is acknowledged."""
        again = False
        while True:
            while not self._outbox:
                self._woken.clear()
                await self._woken.wait()
            if (outage := self._outage()) is not None:
                await self._clock.until(outage.until)
            batch = [self._outbox[n] for n in range(min(len(self._outbox), MAX_EVENTS_PER_BATCH))]
            try:
                await self._hand_over(batch, again=again)
            except (httpx.HTTPError, OSError) as error:
                again = True  # it may have been taken: the same batch may now be called a duplicate
                self._told.retry(error)
                await asyncio.sleep(RETRY_S)
                continue
            again = False
            for _ in batch:
                self._outbox.popleft()

    async def _hand_over(self, batch: Sequence[Event], *, again: bool) -> None:
        body = json.dumps({"events": [event.model_dump(mode="json") for event in batch]}).encode()
        sent = self._clock.now()
        for event in batch:
            if event.kind is EventKind.OPENED and not again:
                self._told.sent_at.setdefault(event.camera_id, deque()).append(time.perf_counter())
        answer = await self._post(body)
        answered = self._clock.now()
        self._judge(answer, {"accepted", "duplicate"} if again else {"accepted"})
        self._told.batches.append((answered, len(batch)))
        for event in batch:
            key = str(event.violation_id)
            self._told.events[str(event.event_id)] = (key, event.sequence, sent, answered)
            if event.kind is EventKind.OPENED:
                self._told.opened[key] = (sent, answered)
        if self._chance.random() < ANSWER_LOST:
            self._told.repeated += len(batch)
            self._judge(await self._post(body), {"duplicate"})
        self._uploads.extend(sha256 for sha256 in answer["missing_files"] if sha256 in self._content)
        self._files_woken.set()

    async def _post(self, body: bytes) -> dict[str, Any]:
        began = time.perf_counter()
        answer = await self._http.post(EVENTS, content=body, headers=self._signed("POST", EVENTS, body))
        answer.raise_for_status()
        self._told.ingest_ms.append((time.perf_counter() - began) * 1000)
        found: dict[str, Any] = answer.json()
        return found

    def _judge(self, answer: dict[str, Any], expected: set[str]) -> None:
        for result in answer["results"]:
            self._told.duplicates += result["verdict"] == "duplicate"
            if result["verdict"] not in expected:
                self._told.refused.append(f"{result['verdict']}: {result['reason']}")

    async def upload(self) -> None:
        """Upload what the backend misses until cancelled, one file after the other."""
        while True:
            while not self._uploads:
                self._files_woken.clear()
                await self._files_woken.wait()
            if (outage := self._outage()) is not None:
                await self._clock.until(outage.until)
            sha256 = self._uploads[0]
            try:
                await self._send_file(sha256, self._content[sha256])
            except (httpx.HTTPError, OSError) as error:
                self._told.retry(error)
                await asyncio.sleep(RETRY_S)
                continue
            self._uploads.popleft()
            del self._content[sha256]

    async def _send_file(self, sha256: str, content: bytes) -> None:
        target, offset, began = f"{EVIDENCE}/{sha256}", 0, time.perf_counter()
        while sha256 not in self._told.files:
            chunk = content[offset:]
            headers = self._signed("PATCH", target, chunk) | {"upload-offset": str(offset)}
            answer = await self._http.patch(target, content=chunk, headers=headers)
            if answer.status_code != 409:  # which says where to go on
                answer.raise_for_status()
            offset = answer.json()["received_bytes"]
            if answer.json()["complete"]:
                self._told.files[sha256] = len(content)
        self._told.upload_ms.append((time.perf_counter() - began) * 1000)

    # what it says of itself

    async def converse(self, every: timedelta) -> None:
        """Keep the control connection and send heartbeats until cancelled; gone during outages."""
        await self._clock.until(self._clock.now() + every * self._chance.random())
        while True:
            if (outage := self._outage()) is not None:
                await self._clock.until(outage.until)
            with contextlib.suppress(ConnectionClosed, OSError, TimeoutError):
                await self._connected(every)
            await asyncio.sleep(RETRY_S)

    async def _connected(self, every: timedelta) -> None:
        url = self._address.replace("http", "ws", 1) + CONTROL
        headers = self._signed("GET", CONTROL, b"")
        async with connect(
            url, additional_headers=headers, proxy=None, ping_interval=None, open_timeout=60
        ) as socket:
            hello = Hello(edge_id=self.edge_id, software_version="simulated", cameras=tuple(self._cameras))
            await socket.send(hello.model_dump_json())
            listening = asyncio.create_task(self._listen(socket))
            try:
                at = self._clock.now()
                while self._outage() is None:
                    await socket.send(self._heartbeat().model_dump_json())
                    self._told.heartbeats += 1
                    at += every
                    await self._clock.until(at)
            finally:
                listening.cancel()

    async def _listen(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                self._told.acknowledged += '"heartbeat_ack"' in str(message)

    def _heartbeat(self) -> Heartbeat:
        return Heartbeat(
            sent_at=self._clock.now(),
            cameras=tuple(
                CameraStatus(
                    camera_id=camera, state=state, since=since, frames_received=1000, frames_analysed=200,
                    frame_age_ms=40, width=1920, height=1080, codec="h264",
                )
                for camera, (state, since) in self._cameras.items()
            ),
            outbox_pending=len(self._outbox),
            disk_free_bytes=10**11,
        )  # fmt: skip

    def _outage(self) -> Outage | None:
        now = self._clock.now()
        return next((one for one in self._outages if one.since <= now < one.until), None)

    def _signed(self, method: str, target: str, body: bytes) -> dict[str, str]:
        # By the real time: that is what the signature's tolerance of five minutes is measured against.
        return sign(
            self._secret, edge_id=self.edge_id, method=method, target=target, body=body, at=datetime.now(UTC)
        )
