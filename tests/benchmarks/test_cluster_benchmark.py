"""The benchmark of the cluster: its quota holds, and its search finds the greatest number that is carried."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.cluster import Bench, Plan, Sample
from benchmarks.quota import CpuQuota, why_not

BURN = (
    "import time; end = time.monotonic() + 1\n"
    "while time.monotonic() < end: pass\n"
    "print(time.process_time())"
)  # fmt: skip


def test_half_a_core_is_half_a_core() -> None:
    reason = why_not()
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with CpuQuota(0.3) as quota:
        process = subprocess.Popen(
            [sys.executable, "-c", f"input()\n{BURN}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        quota.add(process.pid)
        answer, _ = process.communicate(b"\n")
    assert float(answer) < 0.6, "a second of burning took more than its share"


class Carrying(Bench):
    """Machines of which each carries so many cameras."""

    def __init__(self, each: int) -> None:
        super().__init__(Path(), "", "", "")
        self._each = each

    def measure(self, number: int, cameras: int, plan: Plan) -> Sample:
        fits = cameras <= number * self._each
        self.samples.append(Sample(number, cameras, plan.measure_s, 1.0, 1.0 if fits else 0.5, (), 0.5))
        return self.samples[-1]


@pytest.mark.parametrize(("each", "first"), [(5, 5), (5, 2), (5, 9), (1, 4), (0, 3)])
def test_the_greatest_number_is_found_from_above_and_below(each: int, first: int) -> None:
    bench = Carrying(each)
    assert bench.most_carried(1, first, Plan(0, 1)) == each
    assert len({sample.cameras for sample in bench.samples}) == len(bench.samples), (
        "nothing is measured twice"
    )
