"""Statistics as a table for a spreadsheet."""

from __future__ import annotations

from typing import Any

from kitchen_watch.backend.statistics.schemas import FiguresView, ShareView, StatisticsView


def table(found: StatisticsView) -> list[list[Any]]:
    """A head, a line per child, the total last. Every rate has two columns, ``x_part`` and ``x_whole``."""
    columns = list(FiguresView.model_fields)
    shares = {name for name in columns if isinstance(getattr(found.total, name), ShareView)}
    head = ["node_id", "name"]
    for name in columns:
        head += [f"{name}_part", f"{name}_whole"] if name in shares else [name]
    lines = [[child.node_id, child.name, *_cells(child.figures)] for child in found.children]
    return [head, *lines, ["", "合计 total", *_cells(found.total)]]


def _cells(figures: FiguresView) -> list[Any]:
    cells: list[Any] = []
    for name in FiguresView.model_fields:
        value = getattr(figures, name)
        cells += [value.part, value.whole] if isinstance(value, ShareView) else [value]
    return cells
