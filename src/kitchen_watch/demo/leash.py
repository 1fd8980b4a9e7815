"""Runs one program that must not outlive the process that started it.

``python -m kitchen_watch.demo.leash PROGRAM ARGUMENT...`` starts the program and ends it when standard
input ends, which the operating system sees to even where the starting process was killed with
SIGKILL. Signals are passed on. Works the same on Linux and macOS.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

GRACE_S = 10.0
_SIGNALLED = 128


def main(command: Sequence[str]) -> int:
    """Run ``command``; its exit code, or 128 + the number of the signal that ended it."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the demo's own commands
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: _pass_on(child, received))
    threading.Thread(target=_end_with_stdin, args=(child,), daemon=True).start()
    code = child.wait()
    return _SIGNALLED - code if code < 0 else code


def _pass_on(child: subprocess.Popen[bytes], number: int) -> None:
    if child.poll() is None:
        child.send_signal(number)


def _end_with_stdin(child: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    child.terminate()
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
