"""A real ``kitchen-watch edge`` process for tests: started, asked, killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml

PATIENCE_S = 90.0

T = TypeVar("T")


def wait_for(what: Callable[[], T | None], *, why: str, patience_s: float = PATIENCE_S) -> T:
    """The first true value of ``what``; fails with ``why`` after ``patience_s``."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if value := what():
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited {patience_s:.0f} s in vain: {why}")


class EdgeProcess:
    """One edge on one data directory; may be started and killed any number of times."""

    def __init__(
        self,
        directory: Path,
        *,
        backend_url: str,
        secret: str,
        cameras: Mapping[str, str],
        rules: Mapping[str, Mapping[str, Any]],
        edge_id: str = "edge-1",
    ) -> None:
        self.data_dir = directory / "edge"
        self.log = directory / "edge.log"
        self._status: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.config = directory / "edge.yaml"
        self.values: dict[str, Any] = {
            "edge_id": edge_id,
            "data_dir": str(self.data_dir),
            "backend": {"url": backend_url, "secret": secret},
            "status": {"port": 0},
            "rules": dict(rules),
            "log_format": "json",
            "cameras": [{"camera_id": name, "main": {"url": url}} for name, url in cameras.items()],
        }
        self.write()

    def write(self) -> None:
        """Write ``values`` to the configuration file."""
        self.config.write_text(yaml.safe_dump(self.values), encoding="utf-8")

    def start(self) -> None:
        """Start the process; returns at once."""
        self._status = None
        self._log_from = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kitchen_watch", "edge", "--config", str(self.config)],
                stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self) -> None:
        """As a power cut would end it."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As an operator would end it; the exit code."""
        return self._end(signal.SIGTERM)

    def reload(self) -> None:
        """SIGHUP: read the configuration file again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def status(self) -> dict[str, Any] | None:
        """The edge's own word on itself, or ``None`` while it does not answer."""
        assert self._process is not None
        assert self._process.poll() is None, self.tail()
        if self._status is None:
            for line in self._new_log().splitlines():
                if '"status_port":' in line:
                    port = line.partition('"status_port":')[2].strip(" ,}").partition(",")[0]
                    self._status = f"http://127.0.0.1:{int(port)}/status"
        if self._status is None:
            return None
        try:
            answer: dict[str, Any] = httpx.get(self._status, trust_env=False, timeout=10).json()
        except httpx.HTTPError:
            return None
        return answer

    def tail(self) -> str:
        """The end of its log, for failing tests."""
        return self._new_log()[-4000:]

    def _new_log(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return log.read().decode(errors="replace")

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(number)
        return process.wait(timeout=60)
