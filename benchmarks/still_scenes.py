"""Does leaving still frames out blind the night watch? ``python -m benchmarks.still_scenes --data DIR``

Rats at their true size run through real, empty, noisy kitchens that were still before, as the sensor gives
them and as a camera's H.264 leaves them. The same frames are analysed with and without the gate: the same
events must be found, and no frame may be left out in which the rat shows. Writes
``benchmarks/results/still-<date>.json``. DIR holds detect/.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.pasted_rats import ANALYSED, FRAMES, RATE, SIZE, Scene, scenes
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.looking import build_analysis
from kitchen_watch.edge.opening import Judgement, open_judgement
from kitchen_watch.edge.pipeline import Seen
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.settings import AnalysisSettings
from kitchen_watch.edge.still_scenes import StillSceneSettings
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.health import HealthMonitor

LENGTHS = (15, 20, 27, 36, 50)
"""Long sides of the rats in pixels of a 1920-pixel picture."""
EMPTY = 75
"""Frames before the rat comes: fifteen seconds."""
BITS = 800_000
"""Of the frames that are analysed: as many a frame as 4 Mbit/s give at 25 a second."""


@dataclass
class Outcome:
    """One scene, with and without the gate."""

    length_px: int
    coded: bool
    rat: bool
    found_ungated: bool
    found_gated: bool
    first_seen_ungated: int | None
    """Number of the first frame after the rat came in which a rat was detected at all."""
    first_seen_gated: int | None
    left_out_while_running: int
    """Of frames in which it runs."""
    left_out_while_empty: int
    """Of EMPTY frames."""


def coded(frames: Sequence[Frame]) -> Iterator[Frame]:
    """The frames as an H.264 camera leaves them."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as container:
        stream: Any = container.add_stream(
            "libx264", rate=int(RATE),
            options={
                "preset": "superfast", "tune": "zerolatency", "maxrate": str(BITS), "bufsize": str(BITS),
            },
        )  # fmt: skip
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.bit_rate, stream.gop_size = "yuv420p", BITS, 10
        stream.time_base = Fraction(1, int(RATE))
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame.full(), format="bgr24")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory) as container:
        for frame, picture in zip(frames, container.decode(video=0), strict=True):
            full = np.asarray(picture.to_ndarray(format="bgr24"), dtype=np.uint8)
            image = np.asarray(cv2.resize(full, ANALYSED, interpolation=cv2.INTER_AREA), dtype=np.uint8)
            yield replace(frame, image=image, full=_always(full))


def _always(full: Image) -> Any:
    return lambda: full


async def analyse(frames: Sequence[Frame], judgement: Judgement, *, gated: bool) -> list[Seen]:
    analysis = build_analysis(
        detector=judgement.detector, health=HealthMonitor(), rules=RuleBook("pasted", judgement.rule_set),
        settings=AnalysisSettings(still_scenes=StillSceneSettings(enabled=True)), gated=gated,
    )  # fmt: skip
    return [seen for frame in frames if (seen := await analysis.look(frame)) is not None]


def _found(seen: Sequence[Seen]) -> bool:
    return any(change.violation.code == "RODENT" for one in seen for change in one.changes)


def _first(seen: Sequence[Seen]) -> int | None:
    numbers = [
        number
        for number, one in enumerate(seen[EMPTY:])
        if not one.still
        and any(found.label == "rat" and (found.firm or found.suspect) for found in one.detections)
    ]  # fmt: skip
    return numbers[0] if numbers else None


async def compare(scene: Scene, judgement: Judgement, *, rat: bool, through_codec: bool) -> Outcome:
    frames = list(scene.frames(empty=EMPTY))
    if through_codec:
        frames = list(coded(frames))
    plain = await analyse(frames, judgement, gated=False)
    gated = await analyse(frames, judgement, gated=True)
    return Outcome(
        length_px=scene.length, coded=through_codec, rat=rat,
        found_ungated=_found(plain), found_gated=_found(gated),
        first_seen_ungated=_first(plain), first_seen_gated=_first(gated),
        left_out_while_running=sum(one.still for one in gated[EMPTY:]),
        left_out_while_empty=sum(one.still for one in gated[:EMPTY]),
    )  # fmt: skip


async def measure(data: Path, per_length: int) -> dict[str, Any]:
    judgement = open_judgement(model=None, overrides=(), detector_settings=DetectorSettings())
    outcomes: list[Outcome] = []
    began = time.monotonic()
    try:
        lengths = [length for length in LENGTHS for _ in range(per_length)]
        for rat in (True, False):
            for scene in scenes(data / "detect", lengths, rats=rat):
                for through_codec in (False, True):
                    one = await compare(scene, judgement, rat=rat, through_codec=through_codec)
                    outcomes.append(one)
                    print(one, flush=True)
    finally:
        await judgement.detector.close()
    rats = [one for one in outcomes if one.rat]
    return {
        "lengths_px": LENGTHS, "frames_empty": EMPTY, "frames_running": FRAMES, "scenes": len(outcomes),
        "same_events": all(one.found_gated == one.found_ungated for one in outcomes),
        "rats_found": {
            "ungated": sum(one.found_ungated for one in rats),
            "gated": sum(one.found_gated for one in rats),
            "of": len(rats),
        },
        "frames_left_out_while_running": sum(one.left_out_while_running for one in outcomes),
        "share_left_out_while_empty": round(
            sum(one.left_out_while_empty for one in outcomes) / (EMPTY * len(outcomes)), 3
        ),
        "added_delay_frames": max(
            ((one.first_seen_gated or 0) - one.first_seen_ungated
             for one in rats if one.first_seen_ungated is not None),
            default=0,
        ),
        "outcomes": [asdict(one) for one in outcomes], "took_s": round(time.monotonic() - began),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--per-length", type=int, default=2)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    today = datetime.now(UTC).date().isoformat()
    target = chosen.out or Path(__file__).parent / "results" / f"still-{today}.json"
    result = {"date": today, **asyncio.run(measure(chosen.data, chosen.per_length))}
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print({key: value for key, value in result.items() if key != "outcomes"})


if __name__ == "__main__":
    main()
