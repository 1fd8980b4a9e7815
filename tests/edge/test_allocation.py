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


FRAMES = """
import resource, sys
import numpy as np
from kitchen_watch.edge.allocation import keep_freed_memory
if sys.argv[1] == "kept": assert keep_freed_memory()
def frame():
    return len([np.ones((360, 640), np.float32) for _ in range(4)])
for _ in range(20): frame()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50): frame()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the setting is glibc's")
def test_a_frame_takes_the_memory_that_the_one_before_gave_back() -> None:
    faults = {
        how: int(subprocess.check_output([sys.executable, "-c", FRAMES, how], text=True))
        for how in ("kept", "free")
    }
    assert faults["kept"] < 1000 < faults["free"], "pages that the system had to give"
