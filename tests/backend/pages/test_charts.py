"""Charts stand in pages whose policy allows no style and no script, and are read aloud by their title."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from kitchen_watch.backend.pages import charts
from kitchen_watch.backend.pages.charts import Series

KINDS: dict[str, Callable[[str], Markup]] = {
    "bars": lambda name: charts.bars([name, "b"], [Series(name, [1, None]), Series("n", [2, 3])], title=name),
    "lines": lambda name: charts.lines([name] * 40, [Series(name, list(range(40)))], title=name),
    "ranking": lambda name: charts.ranking([name, "b"], [Series(name, [3, 2])], title=name),
    "pareto": lambda name: charts.pareto([name, "b"], [3, 1], [0.75, 1.0], title=name, names=(name, "%")),
    "tree map": lambda name: charts.tree_map([(name, [(name, 3), ("b", 0)])], title=name),
    "nothing": lambda name: charts.lines([], [Series(name, [])], title=name),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_needs_neither_style_nor_script(kind: str) -> None:
    text = str(KINDS[kind]("老鼠"))
    assert not re.search(r"<(style|script|desc)|\sstyle=|\sid=|\son\w+=|javascript:", text)
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "老鼠"


@pytest.mark.parametrize("kind", KINDS)
def test_names_from_the_database_cannot_break_out(kind: str) -> None:
    text = str(KINDS[kind]('</title><script>alert("1")</script>'))
    assert "<script" not in text
    ElementTree.fromstring(text)


def test_values_are_told_in_titles_and_long_axes_are_thinned() -> None:
    days = [f"d{day}" for day in range(40)]
    svg = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(str(charts.bars(days, [Series("n", list(range(40)))], title="t")))
    assert "39" in [one.text for one in root.iter(f"{svg}title")]
    written = [one.text for one in root.iter(f"{svg}text") if (one.text or "").startswith("d")]
    assert 5 < len(written) <= charts.DENSE
