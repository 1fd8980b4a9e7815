"""A backend that fits behind ``httpx.MockTransport``: it checks signatures, keeps what it is given,
and fails in the ways a test asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from pydantic import SecretStr

from kitchen_watch.clock import Clock, ManualClock, SystemClock
from kitchen_watch.edge.outbox.delivery import Delivery
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.errors import NotAuthenticated
from kitchen_watch.events import Event, EventBatch, EventBatchResult, EventResult, EventVerdict, UploadState
from kitchen_watch.signing import new_secret, verify
from tests.edge.outbox.situations import EDGE

SECRET = SecretStr(new_secret())
Answer = httpx.Response | Exception | None
Fault = Callable[[httpx.Request], Answer]


def problem(status: int, detail: str, **headers: str) -> httpx.Response:
    return httpx.Response(
        status, json={"detail": detail}, headers={**headers, "content-type": "application/problem+json"}
    )


@dataclass
class BackendDouble:
    """``faults`` are used up one per request; ``verdict`` may overrule what happens to an event."""

    clock: Clock
    prefix: str = ""
    server_time: Callable[[], datetime] | None = None
    verify_signatures: bool = True
    faults: list[Fault | Answer] = field(default_factory=list)
    verdict: Callable[[Event], EventResult | None] = lambda _: None
    missing_files: tuple[str, ...] = ()
    requests: list[httpx.Request] = field(default_factory=list)
    accepted: list[Event] = field(default_factory=list)
    files: dict[str, bytearray] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)

    def now(self) -> datetime:
        return self.server_time() if self.server_time else self.clock.now()

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._fault(request) or self._signature(request) or self._answer(request)
        answer.headers.setdefault("kw-server-time", self.now().isoformat())
        return answer

    def _fault(self, request: httpx.Request) -> httpx.Response | None:
        fault = self.faults.pop(0) if self.faults else None
        if callable(fault) and not isinstance(fault, httpx.Response):
            fault = fault(request)
        if isinstance(fault, Exception):
            raise fault
        assert fault is None or isinstance(fault, httpx.Response)
        return fault

    def _signature(self, request: httpx.Request) -> httpx.Response | None:
        if not self.verify_signatures:
            return None
        try:
            verify(
                SECRET.get_secret_value(),
                headers=request.headers,
                method=request.method,
                target=request.url.raw_path.decode(),
                body=request.content,
            )
        except NotAuthenticated as error:
            return problem(401, str(error))
        return None

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(self.prefix)
        if path == "/api/v1/edge/events":
            return httpx.Response(200, content=self._events(request.content).model_dump_json())
        sha256 = path.removeprefix("/api/v1/edge/evidence/")
        size = next((f.size_bytes for e in self.accepted if e.evidence for f in e.evidence.files
                     if f.sha256 == sha256), None)  # fmt: skip
        if size is None:
            return problem(404, "no accepted manifest of this edge names that file")
        content = self.files.setdefault(sha256, bytearray())
        status = 200
        if request.method == "PATCH":
            if int(request.headers["upload-offset"]) != len(content):
                status = 409
            else:
                content += request.content
            if len(content) == size:
                if hashlib.sha256(content).hexdigest() == sha256:
                    self.complete.add(sha256)
                else:
                    content.clear()
                    status = 409
        state = UploadState(
            sha256=sha256,
            received_bytes=len(content),
            complete=sha256 in self.complete,
            server_time=self.now(),
        )
        return httpx.Response(status, content=state.model_dump_json())

    def _events(self, body: bytes) -> EventBatchResult:
        results = []
        for event in EventBatch.model_validate_json(body).events:
            result = self.verdict(event)
            if result is None:
                known = event.event_id in {old.event_id for old in self.accepted}
                verdict = EventVerdict.DUPLICATE if known else EventVerdict.ACCEPTED
                result = EventResult(event_id=str(event.event_id), verdict=verdict)
            if result.verdict is EventVerdict.ACCEPTED:
                self.accepted.append(event)
            results.append(result)
        return EventBatchResult(
            server_time=self.now(), results=tuple(results), missing_files=self.missing_files
        )

    def delivery(self, store: OutboxStore, **changes: Any) -> Delivery:
        return Delivery(
            store,
            edge_id=EDGE,
            backend_url=f"http://backend.example{self.prefix}",
            secret=changes.pop("secret", SECRET),
            clock=self.clock,
            transport=httpx.MockTransport(self.handle),
        )


def real_clock() -> ManualClock:
    """A clock that stands at the machine's time: signatures are checked against that."""
    return ManualClock(SystemClock().now())
