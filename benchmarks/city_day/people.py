"""People of the city: they hear of alerts by the stream, look at pages, and act at human rates.

How long people take is assumed; some never look, refuse, object or hand in too little. Every request
goes to another process than the one before.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as clock_time
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks.city_day import pictures
from benchmarks.city_day.edges import Told
from benchmarks.city_day.hurry import HurriedClock
from benchmarks.city_day.places import City, Login
from benchmarks.city_day.programme import ZONE
from kitchen_watch.backend.auth.callers import COOKIE

NOBODY_LOOKS, FALSE, APPEALS, NEVER_ACCEPTS, RETURNED, UPHELD = 0.06, 0.12, 0.06, 0.04, 0.12, 0.5
VERIFY = {1: 4, 2: 14, 3: 200}
ASSIGN = 2
ACCEPT = {1: 7, 2: 25, 3: 100}
FIX = {1: 40, 2: 130, 3: 240}
REVIEW, DECIDE = 25, 60
"""Medians in minutes."""
SPREAD = 0.6
MORNING, NIGHT = clock_time(7), clock_time(22, 30)


class _DayIsOverError(Exception):
    pass


class _GivenUpError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Done:
    """One step that the backend took."""

    alert_id: int
    step: str
    sent: datetime
    answered: datetime
    state: str


@dataclass
class Acted:
    """What all people did and saw."""

    steps: list[Done] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    heard: list[list[int]] = field(default_factory=list)
    """Numbers of feed entries, by stream, as they came."""
    alerts: dict[int, str] = field(default_factory=dict)
    """Cameras of the alerts that a stream told of."""
    feed_ms: list[float] = field(default_factory=list)
    page_ms: list[float] = field(default_factory=list)
    list_ms: list[float] = field(default_factory=list)
    step_ms: list[float] = field(default_factory=list)


class People:
    """Everybody who works with alerts until ``until``."""

    def __init__(
        self,
        addresses: Sequence[str],
        city: City,
        *,
        clock: HurriedClock,
        told: Told,
        until: datetime,
        seed: int,
    ) -> None:
        self.acted = Acted()
        self._city, self._clock, self._told, self._until = city, clock, told, until
        self._seed = seed
        self._addresses = addresses
        self._clients = [
            httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) for address in addresses
        ]
        self._turn = itertools.cycle(self._clients)
        self._cases: set[asyncio.Task[None]] = set()

    async def listen(self, number: int, opened: asyncio.Event) -> None:
        """A supervisor's stream at one of the processes, until cancelled; the first calls people to work."""
        where = urlsplit(self._addresses[number % len(self._addresses)])
        login = self._city.supervisors[number % len(self._city.supervisors)]
        heard: list[int] = []
        self.acted.heard.append(heard)
        reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=2**20)
        writer.write(
            f"GET /api/v1/alerts/stream HTTP/1.1\r\nHost: {where.netloc}\r\n"
            f"Accept: text/event-stream\r\nCookie: {COOKIE}={login.token}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise SystemExit(f"a stream was refused: {head!r}")
        await reader.readuntil(b"event: ping")
        opened.set()
        try:
            while line := await reader.readline():
                if line.startswith(b"data: {") and b'"feed_id"' in line:
                    message = json.loads(line[6:])
                    heard.append(message["feed_id"])
                    if message["kind"] == "opened" and number == 0:
                        self._alarm(message)
        finally:
            writer.close()

    async def close(self) -> None:
        """Let nobody begin anything more."""
        for case in self._cases:
            case.cancel()
        await asyncio.gather(*self._cases, return_exceptions=True)
        for client in self._clients:
            await client.aclose()

    async def settled(self) -> None:
        """Return when everybody has ended what they were at."""
        if self._cases:
            await asyncio.gather(*self._cases)

    def _alarm(self, message: dict[str, Any]) -> None:
        self.acted.alerts[message["alert_id"]] = message["camera_id"]
        waiting = self._told.sent_at.get(message["camera_id"])
        if waiting:
            self.acted.feed_ms.append((time.perf_counter() - waiting.popleft()) * 1000)
        case = asyncio.create_task(self._case(message))
        self._cases.add(case)
        case.add_done_callback(self._cases.discard)

    async def _case(self, message: dict[str, Any]) -> None:
        try:
            await self._handle(_Case(message["alert_id"], message["tier"], message["premises_id"]))
        except (_DayIsOverError, _GivenUpError):
            pass
        except (httpx.HTTPError, OSError) as error:
            self.acted.refused.append(f"alert {message['alert_id']}: {error!r}")

    async def _handle(self, case: _Case) -> None:
        chance = random.Random(f"{self._seed}/{case.alert_id}")
        officer = self._city.officers[self._city.line_of[case.premises_id][-1]]
        manager = self._city.managers[case.premises_id]
        if chance.random() < NOBODY_LOOKS:
            return
        await self._pass(chance, VERIFY[case.tier], tier=case.tier)
        await self._look(officer, "/alerts", self.acted.list_ms)
        await self._look(officer, f"/alerts/{case.alert_id}", self.acted.page_ms)
        if chance.random() < FALSE:
            await self._step(case, officer, "reject", reason="steam_or_smoke")
            return
        await self._step(case, officer, "verify")
        await self._pass(chance, ASSIGN, tier=1)
        await self._step(case, officer, "assign")
        await self._pass(chance, ACCEPT[case.tier], tier=case.tier)
        await self._look(manager, f"/alerts/{case.alert_id}", self.acted.page_ms)
        if chance.random() < APPEALS:
            await self._step(case, manager, "appeal", text="那是蒸汽，不是人。")
            await self._pass(chance, DECIDE, tier=2)
            upheld = chance.random() < UPHELD
            reason = {"reason": "steam_or_smoke"} if upheld else {}
            judge = self._city.supervisors[case.alert_id % len(self._city.supervisors)]
            await self._step(case, judge, "decide", upheld=upheld, note="看过录像。", **reason)
            if upheld:
                return
        elif chance.random() < NEVER_ACCEPTS:
            return
        else:
            await self._step(case, manager, "accept")
        await self._pass(chance, FIX[case.tier], tier=case.tier)
        await self._submit(case, manager, chance)
        await self._pass(chance, REVIEW, tier=2)
        await self._look(officer, f"/alerts/{case.alert_id}", self.acted.page_ms)
        if chance.random() < RETURNED:
            await self._step(case, officer, "review", accepted=False, note="照片看不清。")
            await self._pass(chance, REVIEW, tier=2)
            await self._submit(case, manager, chance)
            await self._pass(chance, REVIEW, tier=2)
        await self._step(case, officer, "review", accepted=True)

    async def _pass(self, chance: random.Random, median: float, *, tier: int) -> None:
        """As long as a person takes; what is not of tier 1 waits for the morning."""
        at = self._clock.now() + timedelta(minutes=chance.lognormvariate(math.log(median), SPREAD))
        local = at.astimezone(ZONE)
        if tier > 1 and not MORNING <= local.time() < NIGHT:
            day = local.date() + timedelta(days=local.time() >= NIGHT)
            morning = datetime.combine(day, MORNING, ZONE)
            at = morning + timedelta(minutes=chance.lognormvariate(math.log(median), SPREAD))
        if at >= self._until:
            raise _DayIsOverError
        await self._clock.until(at)

    async def _submit(self, case: _Case, manager: Login, chance: random.Random) -> None:
        content = await asyncio.to_thread(pictures.photo, chance)
        target = f"/api/v1/alerts/{case.alert_id}/photos"
        headers = _headers(manager) | {"content-type": "image/jpeg"}
        answer = await next(self._turn).post(target, content=content, headers=headers)
        if answer.status_code != 200:
            self.acted.refused.append(f"{target}: {answer.status_code} {answer.text[:200]}")
            raise _GivenUpError
        await self._step(case, manager, "submit", text="已整改。", photo_ids=[answer.json()["photo_id"]])

    async def _step(self, case: _Case, who: Login, step: str, **body: Any) -> None:
        target = f"/api/v1/alerts/{case.alert_id}/{step}"
        sent, began = self._clock.now(), time.perf_counter()
        answer = await next(self._turn).post(
            target, json={"version": case.version, **body}, headers=_headers(who)
        )
        if answer.status_code != 200:
            self.acted.refused.append(f"{target}: {answer.status_code} {answer.text[:200]}")
            raise _GivenUpError
        self.acted.step_ms.append((time.perf_counter() - began) * 1000)
        found = answer.json()
        case.version = found["version"]
        self.acted.steps.append(Done(case.alert_id, step, sent, self._clock.now(), found["state"]))

    async def _look(self, who: Login, target: str, into: list[float]) -> None:
        began = time.perf_counter()
        answer = await next(self._turn).get(target, headers=_headers(who))
        if answer.status_code != 200:
            self.acted.refused.append(f"{target}: {answer.status_code}")
            raise _GivenUpError
        into.append((time.perf_counter() - began) * 1000)


@dataclass(slots=True)
class _Case:
    alert_id: int
    tier: int
    premises_id: int
    version: int = 0


def _headers(who: Login) -> dict[str, str]:
    return {"cookie": f"{COOKIE}={who.token}", "x-csrf-token": who.csrf}
