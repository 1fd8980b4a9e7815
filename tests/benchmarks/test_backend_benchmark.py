"""The benchmark of the backend in small: it still runs, and writes what is read from it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FIGURES = (
    "feed_p95_ms",
    "alert_p95_ms",
    "premises_p95_ms",
    "ingest_events_per_s",
    "sse_clients",
    "sse_p95_ms",
)
ROOT = Path(__file__).parents[2]


@pytest.mark.postgres
@pytest.mark.integration
def test_the_short_form_measures_everything_and_loses_nothing(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    command = [sys.executable, "-m", "benchmarks.backend", "--short", "--output", str(result)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=900)
    written = json.loads(result.read_text())
    for figure in FIGURES:
        assert written[figure] > 0, figure
    assert written["commit"]
    assert written["machine"]["cpus"]
    assert written["samples"]["sse"]["lost"] == 0
    # Two batches of a hundred over each of eight connections, every event accepted.
    assert written["samples"]["ingest"]["events"] == 1600
    assert written["district"]["alerts"] == 5000
