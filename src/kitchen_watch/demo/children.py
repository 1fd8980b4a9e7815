"""The demo's child processes: started on a leash, watched, restarted with growing pauses, stopped in order.

Each child leads a process group of its own, so that Ctrl-C reaches only the supervisor, which then
stops them one after the other; what does not stop in time is killed with its whole group.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

TERM_S = 12.0
KILL_S = 5.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
_TAIL_BYTES = 16_384


@dataclass
class Child:
    """One child process and its log file."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    announces: bool = False
    """Whether its standard output is read by the supervisor instead of going to the log."""
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    started: float = 0.0

    def start(self) -> None:
        """Start it (again); its output is appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - the demo's own commands
                [sys.executable, "-m", "kitchen_watch.demo.leash", *self.command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if self.announces else output,
                stderr=output,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        self.started = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended, if it did."""
        return None if self.process is None else self.process.poll()

    def stop(self, *, patience_s: float = TERM_S) -> bool:
        """Ask it to end, kill its group after ``patience_s``; whether asking was enough."""
        process = self.process
        if process is None:
            return True
        asked = True
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(patience_s)
            except subprocess.TimeoutExpired:
                asked = False
        # Also when the leash is gone: somebody of the group may still be there.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(KILL_S)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self.process = None
        return asked

    def kill(self) -> None:
        """End its whole group at once, without a word."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def last_lines(self, count: int = 8) -> list[str]:
        """The end of its log."""
        with suppress(OSError), self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return log.read().decode(errors="replace").splitlines()[-count:]
        return []


def pause_before_restart(restarts: int) -> float:
    """Seconds to wait before the next start: 1, 2, 4 ... 30."""
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(restarts, 10)))
