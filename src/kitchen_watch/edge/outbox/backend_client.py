"""The backend as deliveries see it: signed requests over HTTP, and the one place where httpx's errors
and HTTP's refusals become ours."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from kitchen_watch.clock import Clock
from kitchen_watch.errors import (
    BackendBusy,
    BackendUnreachable,
    DeliveryError,
    EventRefused,
    LeaseLost,
    SignatureRefused,
)
from kitchen_watch.events import Event, EventBatch, EventBatchResult, UploadState
from kitchen_watch.signing import FENCED, sign

EVENTS_PATH = "/api/v1/edge/events"
EVIDENCE_PATH = "/api/v1/edge/evidence"
SERVER_TIME_HEADER = "kw-server-time"
OFFSET_HEADER = "upload-offset"

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
# Below the 5 s after which servers commonly close idle connections: reusing one that is just being
# closed would cost an alert a second attempt.
LIMITS = httpx.Limits(max_connections=4, max_keepalive_connections=4, keepalive_expiry=4.0)
PROBLEM = "application/problem+json"
_FINAL = {400, 413, 422}
"""The request itself cannot be used, now or later."""

M = TypeVar("M", bound=BaseModel)


class BackendClient:
    """Signed requests to one backend, with connections kept open between them.

    ``server_offset`` is server time minus device time, learnt from every answer; requests are
    signed in server time.
    """

    def __init__(
        self,
        *,
        edge_id: str,
        backend_url: str,
        secret: SecretStr,
        clock: Clock,
        fencing_token: int | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        parts = urlsplit(backend_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._prefix = parts.path.rstrip("/")
        self._edge_id = edge_id
        self._secret = secret
        self._fencing_token = fencing_token
        self._clock = clock
        self._http = httpx.AsyncClient(
            # The system's certificates: closed networks have authorities of their own.
            verify=ssl.create_default_context(),
            transport=transport,
            timeout=TIMEOUT,
            limits=LIMITS,
            trust_env=False,
            follow_redirects=False,
        )
        self.server_offset: timedelta | None = None

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    def learn_server_time(self, server_time: datetime, *, sent_at: datetime | None = None) -> None:
        """Take over the server's clock; ``sent_at`` (device time) halves the error of the way."""
        now = self._clock.now()
        middle = now if sent_at is None else sent_at + (now - sent_at) / 2
        self.server_offset = server_time - middle

    async def deliver(self, events: Sequence[Event]) -> EventBatchResult:
        """Hand over 1 to 100 events.

        Raises:
            DeliveryError: see :meth:`_send`. ``EventRefused`` means the request as a whole.
        """
        body = EventBatch(events=tuple(events)).model_dump_json().encode()
        answer = await self._send("POST", EVENTS_PATH, body, {"content-type": "application/json"})
        return _read(answer, EventBatchResult)

    async def upload_state(self, sha256: str) -> UploadState:
        """How much of a file the backend holds.

        Raises:
            DeliveryError: see :meth:`_send`.
        """
        return _read(await self._send("GET", f"{EVIDENCE_PATH}/{sha256}", b"", {}), UploadState)

    async def upload_chunk(self, sha256: str, *, offset: int, chunk: bytes) -> UploadState:
        """Append ``chunk`` at ``offset``. Where the backend holds another number of bytes, nothing is
        appended and its state says where to go on.

        Raises:
            DeliveryError: see :meth:`_send`.
        """
        headers = {OFFSET_HEADER: str(offset), "content-type": "application/octet-stream"}
        answer = await self._send("PATCH", f"{EVIDENCE_PATH}/{sha256}", chunk, headers, also=frozenset({409}))
        return _read(answer, UploadState)

    async def _send(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        *,
        also: frozenset[int] = frozenset(),
    ) -> httpx.Response:
        """One signed request; an answer of 2xx or of a status in ``also``.

        Raises:
            BackendUnreachable: no connection, or no answer in time.
            BackendBusy: it cannot take it now, or is not the backend that it should be.
            SignatureRefused: it did not accept the signature.
            EventRefused: it will never take this request.
            LeaseLost: this edge has a newer owner.
        """
        sent_at = self._clock.now()
        try:
            answer = await self._attempt(method, path, body, headers)
        except httpx.RemoteProtocolError:
            # The server closed an idle connection just as we used it. Every request of ours may be
            # repeated, so ask again at once on a new one.
            sent_at = self._clock.now()
            answer = await self._try_again(method, path, body, headers)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        self._learn(answer, sent_at)
        if answer.is_success or answer.status_code in also:
            return answer
        raise self._refusal(answer)

    async def _try_again(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> httpx.Response:
        try:
            return await self._attempt(method, path, body, headers)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    async def _attempt(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        target = self._prefix + path
        signed = sign(
            self._secret.get_secret_value(),
            edge_id=self._edge_id,
            method=method,
            target=target,
            body=body,
            at=self._clock.now() + (self.server_offset or timedelta(0)),
            fencing_token=self._fencing_token,
        )
        return await self._http.request(
            method, self._origin + target, content=body, headers={**headers, **signed}
        )

    def _learn(self, answer: httpx.Response, sent_at: datetime) -> None:
        server_time = _parse_time(answer.headers.get(SERVER_TIME_HEADER, ""))
        if server_time is not None:
            self.learn_server_time(server_time, sent_at=sent_at)

    def _unreachable(self, error: httpx.HTTPError) -> BackendUnreachable:
        why = str(error) or type(error).__name__
        return BackendUnreachable(f"{self._origin}: the backend does not answer: {why}.")

    def _refusal(self, answer: httpx.Response) -> DeliveryError | LeaseLost:
        status, reason = answer.status_code, _problem(answer)
        if self._fencing_token is not None and _problem_code(answer) == FENCED:
            return LeaseLost(reason)
        if status == httpx.codes.UNAUTHORIZED:
            told = SERVER_TIME_HEADER in answer.headers
            return SignatureRefused(
                f"{self._origin}: the backend did not accept this edge's signature: {reason}",
                server_offset=self.server_offset if told else None,
            )
        # In the backend's own words only: a proxy's refusal must not cost an event.
        if status in _FINAL and PROBLEM in answer.headers.get("content-type", ""):
            return EventRefused(f"the backend refused the request ({status}): {reason}")
        return BackendBusy(
            f"{self._origin}: the backend cannot take it now ({status}): {reason}",
            retry_after=_retry_after(answer, self._clock.now()),
        )


def _read(answer: httpx.Response, model: type[M]) -> M:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        raise BackendBusy(
            f"{answer.url.host}: what answers there is not a backend of this version; check the address."
        ) from error


def _problem(answer: httpx.Response) -> str:
    """The sentence of a problem+json answer, or what there is instead."""
    try:
        detail = answer.json()
    except ValueError:
        detail = None
    text = detail.get("detail") or detail.get("title") if isinstance(detail, dict) else None
    return str(text or answer.reason_phrase or "no reason given")[:300]


def _problem_code(answer: httpx.Response) -> str | None:
    """The code of a problem+json answer."""
    if PROBLEM not in answer.headers.get("content-type", ""):
        return None
    try:
        detail = answer.json()
    except ValueError:
        return None
    return detail.get("code") if isinstance(detail, dict) else None


def _retry_after(answer: httpx.Response, now: datetime) -> timedelta | None:
    """Seconds or an HTTP date (RFC 9110, 10.2.3)."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return timedelta(seconds=min(int(value), 86_400))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)


def _parse_time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
