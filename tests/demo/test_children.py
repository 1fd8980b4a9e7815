"""Child processes end when asked, when they will not, and when the one who started them is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from kitchen_watch.demo.children import Child, pause_before_restart

pytestmark = pytest.mark.integration

SLEEPER = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(300)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]]); " + SLEEPER


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def begin(program: str, *arguments: str) -> Child:
        child = Child("sample", [sys.executable, "-c", program, *arguments], tmp_path / "sample.log")
        children.append(child)
        child.start()
        return child

    yield begin
    for child in children:
        child.kill()
        child.stop(patience_s=0)


def pids_in(log: Path, count: int = 1) -> list[int]:
    """The numbers of the processes that wrote into ``log``, once there are so many."""
    wait_for(lambda: log.exists() and len(log.read_text().split()) >= count)
    return [int(word) for word in log.read_text().split()]


def wait_for(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_that_is_asked_ends(start: Callable[..., Child]) -> None:
    child = start(SLEEPER)
    (pid,) = pids_in(child.log)
    assert child.running

    assert child.stop()

    assert not alive(pid)
    assert not child.running


def test_a_child_that_will_not_end_is_killed_with_its_own_children(start: Callable[..., Child]) -> None:
    child = start(PARENT.replace("import subprocess", "import signal, subprocess", 1), STUBBORN)
    pids = pids_in(child.log, 2)

    child.stop(patience_s=1.0)

    wait_for(lambda: not any(alive(pid) for pid in pids))


def test_a_stubborn_child_is_reported_as_killed(start: Callable[..., Child]) -> None:
    child = start(STUBBORN)
    (pid,) = pids_in(child.log)

    assert child.stop(patience_s=0.5) is False

    wait_for(lambda: not alive(pid))


def test_how_a_child_ended_and_its_last_words_are_known(start: Callable[..., Child]) -> None:
    child = start("import sys; print('one'); print('two'); sys.exit(7)")

    wait_for(lambda: not child.running)

    assert child.exit_code == 7
    assert child.last_lines(1) == ["two"]


def test_no_child_outlives_a_starter_that_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "sample.log"
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from kitchen_watch.demo.children import Child\n"
            f"Child('sample', [sys.executable, '-c', {SLEEPER!r}], Path({str(log)!r})).start()\n"
            "time.sleep(300)",
        ]
    )
    (pid,) = pids_in(log)
    leash = psutil.Process(pid).ppid()

    with suppress(ProcessLookupError):
        os.kill(starter.pid, signal.SIGKILL)
    starter.wait(10)

    wait_for(lambda: not alive(pid) and not alive(leash))


def test_pauses_between_restarts_grow_to_half_a_minute() -> None:
    assert [pause_before_restart(count) for count in (0, 1, 2, 3, 4, 5, 50)] == [1, 2, 4, 8, 16, 30, 30]
