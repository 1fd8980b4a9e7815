"""Writes an evaluation as pages a person can judge: precision-recall curves, confusion, the worst
mistakes as pictures.

The galleries show people from the data set. They belong on the disk of whoever may see the data,
not in a repository.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from noto_cjk_sans_otc import FONT_PATH
from PIL import Image, ImageDraw, ImageFont

from kitchen_watch.training import metrics, mistakes
from kitchen_watch.training.dataset import LABELS, read_picture
from kitchen_watch.training.evaluate import Evaluation, Figures, Result
from kitchen_watch.training.mistakes import Mistake, Mistakes

CELL = 176
CAPTION = 20
_SIMPLIFIED = 2
"""Place of Noto Sans CJK SC in the font collection: sites may have Chinese names."""
COLUMNS = 6
SHOWN = 12
"""Mistakes shown of each class and kind."""
CONTEXT = 1.2
"""How much is shown around a box, in box sizes on each side."""


def write(evaluation: Evaluation, result: Result, folder: Path) -> Path:
    """Write `folder`/index.html with its pictures; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    draw_curves(evaluation, folder / "precision_recall.png")
    wrong = mistakes.find(evaluation.pairs, evaluation.thresholds)
    draw_confusion(wrong, folder / "confusion.png")
    galleries: list[tuple[str, str]] = []
    for label in LABELS:
        for kind, found in (("missed", wrong.misses), ("false alarm", wrong.false_alarms)):
            mine = [one for one in found if one.label == label]
            if mine:
                name = f"{label}_{kind.replace(' ', '_')}.jpg"
                draw_gallery(mine[:SHOWN], folder / name)
                galleries.append((f"{label}: {kind}, {len(mine)} in all", name))
    page = folder / "index.html"
    page.write_text(_page(result, galleries), encoding="utf-8")
    return page


def draw_curves(evaluation: Evaluation, target: Path) -> None:
    """Precision over recall at IoU 0.5 of every class, with the shipped threshold as a dot."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for label in LABELS:
        scored = evaluation.tally.of_class(label)
        ap = metrics.ap50(scored)
        if ap is None:
            continue
        at = metrics.curve(scored)
        (line,) = axes.plot(at.recall, at.precision, label=f"{label}  AP50 {ap:.3f}")
        precision, recall = metrics.at_threshold(scored, evaluation.thresholds[label])
        if precision is not None and recall is not None:
            axes.plot(recall, precision, "o", color=line.get_color())
    axes.axhline(0.9, color="0.7", lw=0.8, ls="--")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", fontsize=8)
    figure.savefig(target, dpi=100)


def draw_confusion(wrong: Mistakes, target: Path) -> None:
    """Truth by what was found at the thresholds; each row in shares of its truths."""
    names = [*LABELS, "nothing"]
    figure = Figure(figsize=(6.5, 5.5), layout="constrained")
    axes = figure.subplots()
    shares = wrong.confusion / np.maximum(wrong.confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(wrong.confusion > 0):
        shade = "white" if shares[row, column] > 0.6 else "black"
        count = str(wrong.confusion[row, column])
        axes.text(column, row, count, ha="center", va="center", color=shade, fontsize=8)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="found", ylabel="truth")
    figure.savefig(target, dpi=100)


def draw_gallery(found: Sequence[Mistake], target: Path) -> None:
    """One sheet of crops, each with its box, site and confidence."""
    rows = -(-len(found) // COLUMNS)
    sheet = Image.new("RGB", (min(COLUMNS, len(found)) * CELL, rows * (CELL + CAPTION)), "white")
    ink = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(str(FONT_PATH), 13, index=_SIMPLIFIED)
    for number, one in enumerate(found):
        left, top = number % COLUMNS * CELL, number // COLUMNS * (CELL + CAPTION)
        sheet.paste(_crop(one), (left, top))
        text = f"{_shortened(one.example.site, font)} {one.confidence:.2f}"
        ink.text((left + 2, top + CELL + CAPTION // 2), text, fill="black", font=font, anchor="lm")
    sheet.save(target, quality=85)


def _shortened(site: str, font: ImageFont.FreeTypeFont) -> str:
    """The name, cut where it would run into its neighbour's."""
    room = CELL - 44
    if font.getlength(site) <= room:
        return site
    while site and font.getlength(site + "…") > room:
        site = site[:-1]
    return site + "…"


def _crop(one: Mistake) -> Image.Image:
    picture = Image.fromarray(read_picture(one.example.picture))
    x1, y1, x2, y2 = one.box * np.array([*picture.size, *picture.size])
    longest = max(x2 - x1, y2 - y1)
    # As much of the picture as there is, moved inwards at its edges: black borders show nothing.
    half = max(longest * 0.55, min(longest * (0.5 + CONTEXT), min(picture.size) / 2))
    x, y = (
        min(max((low + high) / 2, half), max(side - half, half))
        for low, high, side in ((x1, x2, picture.width), (y1, y2, picture.height))
    )
    crop = picture.crop((int(x - half), int(y - half), int(x + half), int(y + half)))
    scale = (CELL - 4) / crop.width
    crop = crop.resize((CELL - 4, CELL - 4))
    frame = [(v - o + half) * scale for v, o in ((x1, x), (y1, y), (x2, x), (y2, y))]
    ImageDraw.Draw(crop).rectangle(frame, outline="red", width=2)
    return crop


def _page(result: Result, galleries: list[tuple[str, str]]) -> str:
    model = ", ".join(f"{key} {value}" for key, value in result["model"].items())
    negatives = result["negatives"]
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'><title>Evaluation</title>",
        "<style>body{font:15px sans-serif;max-width:1100px;margin:2em auto;padding:0 1em}"
        "img{max-width:100%;height:auto}p{overflow-wrap:anywhere}"
        "table{display:block;overflow-x:auto;border-collapse:collapse}tr+tr{border-top:1px solid #ddd}"
        "td,th{padding:.2em .7em;text-align:right}td:first-child,th:first-child{text-align:left}</style>",
        f"<h1>Evaluation on {result['images']} pictures</h1><p>{html.escape(model)}</p>",
        f"<p>False alarms on pictures that hold nothing: {negatives['false_alarms']} boxes "
        f"in {negatives['pictures']} pictures.</p>",
        _table("By class", result["classes"]),
    ]
    parts += [_table(f"Site {site}", rows) for site, rows in result["groups"].items() if rows]
    parts.append("<h2>Precision and recall</h2><img src='precision_recall.png' alt='Curves by class'>")
    parts.append(
        "<h2>Confusion at the thresholds</h2><img src='confusion.png' alt='Truth by what was found'>"
    )
    parts += [
        f"<h2>{html.escape(title)}</h2><img src='{name}' alt='{html.escape(title)}'>"
        for title, name in galleries
    ]
    return "\n".join(parts)


def _table(title: str, rows: dict[str, Figures]) -> str:
    head = "<tr><th>class<th>boxes<th>AP50<th>AP50-95<th>threshold<th>precision<th>recall</tr>"
    lines = [
        f"<tr><td>{label}<td>{row['truths']}<td>{_number(row['ap50'])}<td>{_number(row['ap50_95'])}"
        f"<td>{row['threshold']:.2f}<td>{_number(row['precision'])}<td>{_number(row['recall'])}</tr>"
        for label, row in rows.items()
    ]
    return f"<h2>{html.escape(title)}</h2><table>{head}{''.join(lines)}</table>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
