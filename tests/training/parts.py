"""The optional parts that some training tests need, asked for at the top of a test module."""

from __future__ import annotations

import pytest

from tests.support import require


def need_torch() -> None:
    """Skip the whole module (fail in CI) where the train extra is not installed."""
    try:
        require(module="torch", why="the train extra brings it")
        require(module="ultralytics", why="the train extra brings it")
    except pytest.skip.Exception as skipped:
        pytest.skip(str(skipped), allow_module_level=True)
