"""How a message is handed over: one courier per channel behind one narrow seam."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from standardwebhooks.webhooks import Webhook

from kitchen_watch.backend.webhooks.addresses import resolve
from kitchen_watch.backend.webhooks.retry import Outcome
from kitchen_watch.backend.webhooks.settings import OutgoingSettings
from kitchen_watch.errors import BackendUnreachable, InvalidRequest

MOST_READ = 4096
"""Bytes of an answer that are looked at."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message in a courier's hand. ``url`` and ``secret`` are empty for channels without a receiver."""

    row_id: int
    message_id: str
    person_id: int | None
    type: str
    payload: Mapping[str, Any]
    at: datetime
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    older_secrets: tuple[str, ...] = field(default=(), repr=False)


class Courier(Protocol):
    """One way to hand a message over."""

    async def send(self, message: Message) -> Outcome:
        """Try once. Whatever goes wrong outside of this program is an outcome, never an exception."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered."""

    status: int
    body: bytes
    retry_after: timedelta | None


class Caller:
    """POSTs JSON to addresses that may be called; never follows a redirection, never uses a proxy."""

    def __init__(self, settings: OutgoingSettings) -> None:
        self._settings = settings
        self._tls: ssl.SSLContext | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer, cut after a few kilobytes.

        Raises:
            InvalidRequest: the address may not be called.
            BackendUnreachable: nobody answers there, or not in time.
        """
        target = await resolve(url, self._settings.allowed_networks)
        parts = urlsplit(url)
        if self._tls is None and parts.scheme == "https":
            self._tls = ssl.create_default_context()
        # The judged address is called by its number; name and certificate stay those of the host.
        address = f"[{target.address}]" if ":" in target.address else target.address
        port = f":{parts.port}" if parts.port else ""
        numbered = parts._replace(netloc=f"{address}{port}").geturl()
        request = httpx.Request(
            "POST",
            numbered,
            content=body,
            headers={"host": parts.netloc, "content-type": "application/json", **headers},
            extensions={"sni_hostname": target.host},
        )
        verify = self._tls if self._tls is not None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            async with httpx.AsyncClient(
                trust_env=False, verify=verify, timeout=self._settings.timeout_s
            ) as client:
                answer = await client.send(request, stream=True)
                try:
                    return Answer(answer.status_code, await _beginning(answer), _wish(answer))
                finally:
                    await answer.aclose()
        except httpx.HTTPError as error:
            raise BackendUnreachable(f"{type(error).__name__}: {error or 'no answer'}.") from error


class WebhookCourier:
    """Signs the JSON by Standard Webhooks and POSTs it."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def send(self, message: Message) -> Outcome:
        """Any answer from 200 to 299 is a receipt."""
        text = json.dumps(message.payload, ensure_ascii=False, separators=(",", ":"))
        headers = {
            "webhook-id": message.message_id,
            "webhook-timestamp": str(int(message.at.timestamp())),
            "webhook-signature": " ".join(
                Webhook(secret).sign(message.message_id, message.at, text)
                for secret in (message.secret, *message.older_secrets)
            ),
        }
        try:
            answer = await self._caller.post(message.url, text.encode(), headers)
        except (InvalidRequest, BackendUnreachable) as error:
            return Outcome(delivered=False, problem=str(error))
        if httpx.codes.is_success(answer.status):
            return Outcome(delivered=True, status=answer.status)
        return Outcome(
            delivered=False,
            status=answer.status,
            problem=f"HTTP {answer.status}: {answer.body[:200].decode(errors='replace')}",
            retry_after=answer.retry_after,
        )


async def _beginning(answer: httpx.Response) -> bytes:
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) >= MOST_READ:
            break
    return body[:MOST_READ]


def _wish(answer: httpx.Response) -> timedelta | None:
    # A date is allowed too; what only asks for a longer pause than ours may be ignored.
    value = answer.headers.get("retry-after", "")
    return timedelta(seconds=min(int(value), 86_400)) if value.isdigit() and len(value) < 10 else None
