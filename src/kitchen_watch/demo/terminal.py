"""One demo per directory, and how signals end it."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from kitchen_watch.errors import ConfigError


@contextmanager
def sole_user(home: Path) -> Iterator[None]:
    """Hold the directory's lock.

    Raises:
        ConfigError: another demo runs there.
    """
    with (home / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"{home}: another demo runs with this directory. Stop it, or choose another with --data-dir."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextmanager
def ended_by_signals(kill_all: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does; a second signal kills what has not stopped yet."""
    received = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        if received == 1:
            raise KeyboardInterrupt
        kill_all()

    before = {
        number: signal.signal(number, handle)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN  # nohup stays nohup
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
