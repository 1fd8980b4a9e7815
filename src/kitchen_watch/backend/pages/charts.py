"""Charts as SVG within a page: drawn by Pygal, coloured by ``static/css/charts.css``.

Pygal brings a style sheet and a script in every picture; the pages' content security policy allows
neither, and both themes need their own colours. So they are taken out, and what a chart says lies in
its ``<title>`` elements and in the table that stands beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pygal
from markupsafe import Markup

# Pygal hooks into every later import to find its maps, by a protocol that Python has given up.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]

_SVG = "{http://www.w3.org/2000/svg}"
WIDTH, WIDE, HEIGHT = 520, 900, 300
"""Of half a page, of a whole one (lines over time), and of both, in units of the picture."""
FLAT = 4
"""With more bars than that their names are turned."""
DENSE = 12
"""With more labels than that on an axis only some are written."""


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values; ``None`` leaves a gap."""

    name: str
    values: Sequence[float | None]


def bars(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    title: str,
    stacked: bool = False,
    height: int = HEIGHT,
) -> Markup:
    """Upright bars."""
    return _drawn(pygal.StackedBar if stacked else pygal.Bar, labels, series, title, height)


def lines(labels: Sequence[str], series: Sequence[Series], *, title: str, height: int = HEIGHT) -> Markup:
    """A line per series."""
    return _drawn(pygal.Line, labels, series, title, height, show_dots=len(labels) <= 2 * DENSE)


def ranking(labels: Sequence[str], series: Sequence[Series], *, title: str) -> Markup:
    """Lying bars, the first on top."""
    turned = [Series(one.name, list(reversed(one.values))) for one in series]
    height = max(160, 60 + 30 * len(labels))
    return _drawn(pygal.HorizontalBar, list(reversed(labels)), turned, title, height, dense=False)


def pareto(
    labels: Sequence[str],
    counts: Sequence[float],
    shares: Sequence[float],
    *,
    title: str,
    names: tuple[str, str],
) -> Markup:
    """Bars from the most frequent on, and beside each the share (0..1) of all up to it."""
    chart = _chart(pygal.Bar, title, HEIGHT)
    chart.x_labels = list(labels)
    if len(labels) > FLAT:
        chart.x_label_rotation = 20
    chart.secondary_range = (0, 100)
    chart.add(names[0], list(counts))
    chart.add(names[1], [100 * share for share in shares], secondary=True, formatter=_percent)
    return _clean(chart)


def tree_map(blocks: Sequence[tuple[str, Sequence[tuple[str, float]]]], *, title: str) -> Markup:
    """Nested areas as large as their values: (group, [(part, value), ...])."""
    chart = _chart(pygal.Treemap, title, 360)
    chart.show_legend = True
    chart.print_labels = True
    for name, parts in blocks:
        chart.add(name, [{"value": value, "label": label} for label, value in parts if value > 0])
    return _clean(chart)


def _drawn(
    kind: Callable[..., Any],
    labels: Sequence[str],
    series: Sequence[Series],
    title: str,
    height: int,
    *,
    dense: bool = True,
    **more: Any,
) -> Markup:
    chart = _chart(kind, title, height, **more)
    chart.x_labels = list(labels)
    if not dense:
        # Room for the names is measured as if they were Latin; Chinese ones are twice as wide.
        chart.margin_left = 8 + 11 * max(
            (sum(not one.isascii() for one in name) for name in labels), default=0
        )
    if dense and len(labels) > DENSE:
        step = -(-len(labels) // DENSE)
        chart.x_labels_major = list(labels)[::step]
        chart.show_minor_x_labels = False
    if len(series) == 1:
        chart.show_legend = False
    for one in series:
        chart.add(one.name, list(one.values))
    return _clean(chart)


def _chart(kind: Callable[..., Any], title: str, height: int, **more: Any) -> Any:
    chart = kind(
        js=(), no_prefix=True, disable_xml_declaration=True, height=height,
        width=WIDE if kind is pygal.Line else WIDTH,
        legend_at_bottom=True, margin=8, value_formatter=_number, min_scale=3, max_scale=6,
        truncate_label=-1, no_data_text="–", **more,
    )  # fmt: skip
    chart.spoken_title = title
    return chart


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _percent(value: Any) -> str:
    return "–" if value is None else f"{value:.0f} %"


def _clean(chart: Any) -> Markup:
    """The picture without style, script, comments and attributes that the policy would refuse."""
    title = chart.spoken_title
    root = chart.render_tree()
    _prune(root)
    for one in root.findall(f"{_SVG}title") + root.findall("title"):
        one.text = title
    for name in ("id", "class"):
        root.attrib.pop(name, None)
    root.set("class", "chart")
    root.set("role", "img")
    root.set("aria-label", title)
    text = ElementTree.tostring(root, encoding="unicode", method="xml")
    return Markup(text.replace("ns0:", "").replace(":ns0", ""))  # noqa: S704 - made here, texts are escaped by the writer


def _prune(element: Any) -> None:
    for child in list(element):
        if not isinstance(child.tag, str) or _local(child) in {"style", "script", "defs"}:
            element.remove(child)
            continue
        kind = child.get("class") or ""
        if "tooltip" in kind.split():
            element.remove(child)
            continue
        if _local(child) == "desc":
            # What the script would have shown under the mouse: browsers show a title by themselves.
            if kind == "value":
                child.tag = child.tag.replace("desc", "title")
                child.attrib.pop("class", None)
            else:
                element.remove(child)
            continue
        for name in ("style", "id", "onclick"):
            child.attrib.pop(name, None)
        _prune(child)


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
