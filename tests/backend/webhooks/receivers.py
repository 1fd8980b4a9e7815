"""A receiver of webhooks on loopback: a real HTTP server that fails as often as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value


@dataclass
class Receiver:
    """What came in, and how to answer: ``failures`` per message id, then 200."""

    url: str = ""
    failures: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"{}"
    requests: list[Request] = field(default_factory=list)
    confirmed: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: Request) -> int:
        with self.lock:
            self.requests.append(request)
            key = request.headers.get("webhook-id", request.path)
            seen = sum(1 for one in self.requests if one.headers.get("webhook-id", one.path) == key)
            if seen <= self.failures:
                return self.status
            self.confirmed.append(request)
            return 200

    def unique(self) -> list[dict[str, Any]]:
        """What is left after a message id that was confirmed before is dropped."""
        found: dict[str, dict[str, Any]] = {}
        for request in self.confirmed:
            found.setdefault(request.json["message_id"], request.json)
        return list(found.values())


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.take(Request(self.path, headers, body))
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/in"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
