"""Stands for ``kitchen-watch`` in the supervisor's tests: real processes that only answer HTTP.

``python fake_program.py SCRATCH people seed ...|backend --config FILE|edge --config FILE``; every start
is written down in SCRATCH, and files there make it misbehave.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import yaml

scratch, command = Path(sys.argv[1]), sys.argv[2]
ANSWERS = {
    "/readyz": "{}",
    "/healthz": "ok",
}
EARLIER = 104
"""Events that earlier runs delivered."""
asked = {"/metrics": 0, "/status": 0}


def answer(path: str) -> str:
    """Two events are delivered between the first question and the next."""
    if path in ANSWERS:
        return ANSWERS[path]
    asked[path] += 1
    delivered = 0 if asked[path] == 1 else 2
    if path == "/metrics":
        return f'kw_backend_events_total{{verdict="accepted"}} {delivered}.0\n'
    return json.dumps(
        {
            "cameras": [{"camera_id": "demo-stove", "state": "streaming", "frames_received": 7}],
            "outbox": {"delivered": EARLIER + delivered, "pending": 0, "dead": 0, "uploads_pending": 0},
            "violations": {"NO_HAT": 1},
        }
    )


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = answer(self.path).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


def serve(port: int) -> None:
    server = HTTPServer(("127.0.0.1", port), Answer)
    if (scratch / f"{command}-ignores-sigterm").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    (scratch / f"{command}-ended-well").touch()


if command == "people":
    if (scratch / "seeding-fails").exists():
        sys.exit("error: the district: node 9901 lies elsewhere")
    seeded = scratch / "seeded"
    if not seeded.exists():
        sys.stdout.write("admin may log in once with: abcd-efgh-2345\n")
    elif "--reissue" in sys.argv and not (scratch / "password-chosen").exists():
        sys.stdout.write("admin may log in once with: wxyz-wxyz-6789\n")
    seeded.touch()
else:
    values = yaml.safe_load(Path(sys.argv[4]).read_text(encoding="utf-8"))
    with (scratch / f"{command}-starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    if (scratch / f"{command}-dies").exists():
        sys.stderr.write("error: rtsp://viewer:hunter2@192.0.2.1/: this is why it died\n")
        sys.exit(3)
    serve(values["port"] if command == "backend" else values["status"]["port"])
