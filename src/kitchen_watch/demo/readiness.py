"""Asks the demo's own programs over HTTP and pipes: are you there, and what do you say?"""

from __future__ import annotations

import json
import select
import ssl
import time
from typing import Any

import httpx

from kitchen_watch.demo.children import Child
from kitchen_watch.errors import KitchenWatchError
from kitchen_watch.redact import redact

START_LIMIT_S = 90.0
POLL_S = 0.25
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading the machine's certificates at every question would cost more than the question."""


class ChildFailed(KitchenWatchError):
    """A program of the demo ended while it was needed; its last words are part of the sentence."""


def get(url: str) -> httpx.Response | None:
    """The answer of one of our own programs; ``None`` while it does not answer."""
    try:
        # Loopback only: a proxy of the environment must not see it, and no certificate is ever needed.
        with httpx.Client(trust_env=False, verify=_NO_CERTIFICATES, timeout=3.0) as client:
            return client.get(url)
    except httpx.HTTPError:
        return None


def get_values(url: str) -> dict[str, Any]:
    """The JSON mapping that is answered; empty while there is none."""
    answer = get(url)
    return dict(answer.json()) if answer is not None and answer.is_success else {}


def wait_until_ready(child: Child, url: str, *, limit_s: float = START_LIMIT_S) -> httpx.Response:
    """The first good answer of ``url``.

    Raises:
        ChildFailed: the program ended, or took too long.
    """
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        answer = get(url)
        _fail_if_ended(child)
        if answer is not None and answer.is_success:
            return answer
        time.sleep(POLL_S)
    raise ChildFailed(last_words(child, "did not become ready in time"))


def first_line(child: Child, *, limit_s: float = START_LIMIT_S) -> dict[str, Any]:
    """The JSON that the program says first on its standard output.

    Raises:
        ChildFailed: the program ended, or took too long.
    """
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        pipe = child.process.stdout if child.process is not None else None
        if pipe is not None and select.select([pipe], [], [], POLL_S)[0]:
            line = pipe.readline()
            if line:
                return dict(json.loads(line))
        _fail_if_ended(child)
    raise ChildFailed(last_words(child, "did not start in time"))


def last_words(child: Child, what: str) -> str:
    """What became of the program, with the end of its log."""
    lines = "".join(f"\n    {redact(line)}" for line in child.last_lines())
    return f"{child.name} {what}. Its log: {child.log}{lines}"


def _fail_if_ended(child: Child) -> None:
    if not child.running:
        raise ChildFailed(last_words(child, f"ended with code {child.exit_code} while starting"))
