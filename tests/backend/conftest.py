"""Fixtures of the backend's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend.support import Backend, running


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """A running backend with the sample district on SQLite, its clock standing at noon."""
    with running(tmp_path) as backend:
        yield backend
