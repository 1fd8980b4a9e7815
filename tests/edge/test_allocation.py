"""Threads share heaps instead of each keeping one of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys, threading
from kitchen_watch.edge.allocation import bound_arenas
if sys.argv[1] == "bound": assert bound_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
heaps, wait = set(), threading.Barrier(12)
def work():
    wait.wait()
    for _ in range(200):
        place = libc.malloc(ctypes.c_size_t(4096))
        heaps.add(place >> 26)  # a heap of a thread lies in 64 MB of its own
    wait.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
[one.start() for one in threads]
[one.join() for one in threads]
print(len(heaps))
"""


def _heaps(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the setting is glibc's")
def test_many_threads_use_few_heaps() -> None:
    assert _heaps("bound") <= 4
    assert _heaps("free") > 4
