"""How many real heads one analysed frame alone hides from the public: ``python -m benchmarks.faces``.

Real labelled kitchens (``../shared/data``, not part of this repository). A head counts as hidden when at
least nine tenths of its labelled box lie within what one frame's detections hide. A running camera
hides more: what was found a second and a half before and after is hidden too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kitchen_watch.edge.detect.opening import open_detector
from kitchen_watch.edge.opening import SHIPPED_MODEL
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.live.faces import Sightings
from kitchen_watch.resources import shipped

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "detect" / "val"
PLACES = {
    "kitchen": "kitchen/images/*.webp",
    "kitchen_hat": "kitchen_hat/images/*.webp",
    "unseen ceiling camera": "hat/images/kitchen_newcam_*.webp",
}
HEADS = {1: "hat", 2: "no_hat"}
ENOUGH = 0.9
FIT = (640, 384)


def heads_in(label_file: Path) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Labelled heads as xyxy in 0..1."""
    found = []
    for line in label_file.read_text().splitlines():
        kind, x, y, width, height = (float(part) for part in line.split())
        if int(kind) in HEADS:
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            found.append((HEADS[int(kind)], box))
    return found


def fitted(image: Image) -> Image:
    """The picture as analysis would see it."""
    height, width = image.shape[:2]
    scale = min(1.0, FIT[0] / width, FIT[1] / height)
    size = (round(width * scale), round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def share_hidden(box: tuple[float, float, float, float], hidden: np.ndarray) -> float:
    """Share of a box that is hidden; ``hidden`` is a mask (height, width)."""
    height, width = hidden.shape
    part = hidden[
        max(0, round(box[1] * height)) : round(box[3] * height),
        max(0, round(box[0] * width)) : round(box[2] * width),
    ]
    return float(part.mean()) if part.size else 1.0


async def measure(most: int) -> dict[str, Any]:
    """Counts by place and kind of head."""
    detector = open_detector(shipped(SHIPPED_MODEL))
    counts: Counter[tuple[str, str, bool]] = Counter()
    area, pictures, moment = 0.0, 0, datetime.now(UTC)
    for place, pattern in PLACES.items():
        for path in sorted(DATA.glob(pattern))[:most]:
            image = cv2.imread(str(path))
            small = fitted(image)
            height, width = image.shape[:2]
            moment += timedelta(minutes=1)
            frame = Frame("c", 0.0, moment, small, width, height, full=lambda image=image: image)
            sightings = Sightings()
            sightings.note(moment, await detector.detect(frame) or ())
            hidden = np.zeros((360, 640), bool)
            for box in sightings.hidden_at(moment) or ():
                rows = slice(int(box.y1 * 360), int(np.ceil(box.y2 * 360)))
                hidden[rows, int(box.x1 * 640) : int(np.ceil(box.x2 * 640))] = True
            area += float(hidden.mean())
            pictures += 1
            for kind, box in heads_in(path.parent.parent / "labels" / f"{path.stem}.txt"):
                counts[place, kind, share_hidden(box, hidden) >= ENOUGH] += 1
    await detector.close()
    table = {
        f"{place}: {kind}": {"heads": yes + no, "hidden": yes}
        for place in PLACES
        for kind in HEADS.values()
        if (yes := counts[place, kind, True]) + (no := counts[place, kind, False])
    }
    heads, hidden_heads = (sum(row[key] for row in table.values()) for key in ("heads", "hidden"))
    return {
        "heads_hidden_by_one_frame": hidden_heads / heads,
        "heads": heads,
        "pictures": pictures,
        "area_hidden_mean": area / pictures,
        "by_place": table,
        "model": detector.model.sha256,
    }


def main() -> int:
    """Measure and write the file."""
    parser = argparse.ArgumentParser(description="Measure what the public's picture hides.")
    parser.add_argument("--most", type=int, default=10_000, help="pictures of each place")
    arguments = parser.parse_args()
    if not DATA.is_dir():
        print(f"{DATA} is not here: real labelled pictures are needed", file=sys.stderr)
        return 1
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = {
        **asyncio.run(measure(arguments.most)),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "command": "python -m benchmarks.faces " + " ".join(sys.argv[1:]),
    }
    out = ROOT / "benchmarks" / "results" / f"faces-{datetime.now(UTC):%Y-%m-%d}.json"
    out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
