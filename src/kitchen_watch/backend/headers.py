"""What every answer carries: security headers, the server's time for edges, and its measured duration."""

from __future__ import annotations

import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kitchen_watch.backend.metrics import Metrics
from kitchen_watch.clock import Clock

SERVER_TIME_HEADER = "kw-server-time"
EDGE_PREFIX = "/api/v1/edge/"

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; "
    "script-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
HSTS = "max-age=31536000"


class AnswerHeaders:
    """ASGI middleware; a header that a route has set is left alone."""

    def __init__(self, app: ASGIApp, *, clock: Clock, metrics: Metrics, https: bool) -> None:
        self._app = app
        self._clock = clock
        self._metrics = metrics
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                took = time.perf_counter() - began
                headers = MutableHeaders(scope=message)
                self._complete(headers, scope["path"])
                headers.append("server-timing", f"app;dur={took * 1000:.1f}")
                self._measure(scope, message["status"], took)
            await send(message)

        await self._app(scope, receive, complete)

    def _complete(self, headers: MutableHeaders, path: str) -> None:
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        if "frame-ancestors 'none'" not in headers["content-security-policy"]:
            del headers["x-frame-options"]  # it would forbid what the policy allows
        if self._https:
            headers.setdefault("strict-transport-security", HSTS)
        if path.startswith("/api/"):
            headers.setdefault("cache-control", "no-store")
        if path.startswith(EDGE_PREFIX):
            headers[SERVER_TIME_HEADER] = self._clock.now().isoformat()

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        # The route's pattern, not its path: ids would make a time series each.
        route = getattr(scope.get("route"), "path", "unmatched")
        self._metrics.requests.labels(scope["method"], route, str(status)).observe(seconds)
