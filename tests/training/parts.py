"""The optional parts that some training tests need, asked for at the top of a test module."""

from __future__ import annotations

from tests.support import need


def need_torch() -> None:
    """Skip the whole module (fail in CI) where the train extra is not installed."""
    need("torch", why="the train extra brings it")
    need("ultralytics", why="the train extra brings it")
