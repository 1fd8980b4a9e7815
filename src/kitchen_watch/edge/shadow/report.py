"""The differences of two models as a page with pictures, for whoever decides about the new one."""

from __future__ import annotations

import html
from pathlib import Path

import cv2
import numpy as np

from kitchen_watch.edge.shadow.diary import Account, Difference
from kitchen_watch.errors import EvidenceMissing

SHOWN = 120
COLOURS = {"current": (40, 40, 214), "shadow": (60, 160, 30)}
"""BGR: red for the model in force, green for the new one."""

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse }
td, th { border: 1px solid #999; padding: .25rem .6rem; text-align: right }
th:first-child, td:first-child { text-align: left }
figure { display: inline-block; margin: .5rem; max-width: 20rem; vertical-align: top } img { width: 100% }
figcaption { font-size: .85rem } .current { color: #d62828 } .shadow { color: #1e8a3c }
"""


def write(folder: Path, account: Account, target: Path) -> Path:
    """Write ``target``/index.html with the newest differences drawn in; returns the page.

    Raises:
        EvidenceMissing: a picture of the account cannot be read.
    """
    target.mkdir(parents=True, exist_ok=True)
    figures = []
    for one in reversed(account.differences[-SHOWN:]):
        _draw(folder / one.picture, one, target / one.picture)
        figures.append(_figure(one))
    rows = "".join(
        f"<tr><td>{html.escape(label)}</td><td>{count.both}</td><td>{count.only_current}</td>"
        f"<td>{count.only_shadow}</td></tr>"
        for label, count in sorted(account.labels.items())
    )
    page = target / "index.html"
    page.write_text(
        f"""<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Two models side by side</title>
<style>{_STYLE}</style><h1>Two models side by side</h1>
<p><span class="current">In force: {_model(account.current.name, account.current.version)}</span> ·
<span class="shadow">in the shadow: {_model(account.shadow.name, account.shadow.version)}</span> ·
{account.frames} frames compared since {account.since:%Y-%m-%d %H:%M} UTC</p>
<table><tr><th>label</th><th>both</th><th>only in force</th><th>only in the shadow</th></tr>{rows}</table>
<p>The newest {len(figures)} differences; boxes below their model's threshold count for neither.</p>
{"".join(figures)}</html>""",
        encoding="utf-8",
    )
    return page


def _draw(source: Path, one: Difference, target: Path) -> None:
    data = np.frombuffer(source.read_bytes(), np.uint8) if source.is_file() else np.zeros(0, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise EvidenceMissing(f"{source} cannot be read as a picture.")
    height, width = picture.shape[:2]
    for sight in one.sights:
        x1, y1, x2, y2 = sight.box
        corners = (int(x1 * width), int(y1 * height)), (int(x2 * width), int(y2 * height))
        cv2.rectangle(picture, *corners, COLOURS[sight.by], 2)
    cv2.imwrite(str(target), picture)


def _figure(one: Difference) -> str:
    lines = "<br>".join(
        f'<span class="{sight.by}">{html.escape(sight.label)} {sight.confidence:.2f}</span>'
        for sight in one.sights
    )
    where = f"{html.escape(one.camera_id)}, {one.at:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f'<figure><img src="{one.picture}" alt="{where}"><figcaption>{where}<br>{lines}</figcaption></figure>'
    )


def _model(name: str, version: str) -> str:
    return html.escape(f"{name} {version}")
