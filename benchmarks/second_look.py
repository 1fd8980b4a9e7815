"""Does looking again pay? Clips and pasted rats with and without second look and motion tiles, and costs.

python -m benchmarks.second_look --data DIR            # DIR holds clips/ and detect/

Prints tables and writes results/look-<date>.json. Held times are shortened to 1 s, since the clips are
short; everything else is as shipped. CPU times are of one thread, the parts measured in turn in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.pasted_rats import scenes
from kitchen_watch.edge.detect.detection import Box, Detection, Detector
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.looking import build_analysis
from kitchen_watch.edge.motion_tiles import MotionTiles, MotionTileSettings
from kitchen_watch.edge.opening import Judgement, open_judgement
from kitchen_watch.edge.replay import replay_file
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.scoring import TRUTH_NAMES, CodeScore, Found, load_truth, score, total
from kitchen_watch.edge.second_look import SecondLook, SecondLookSettings
from kitchen_watch.edge.settings import AnalysisSettings
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.streams.health import HealthMonitor
from kitchen_watch.edge.tracks import Track

MODES = {
    "one look": (False, False),
    "second look": (True, False),
    "tiles": (False, True),
    "second look and tiles": (True, True),
}
LENGTHS = (36, 54, 84)
"""Long sides of pasted rats in a 1920-pixel picture: 12 to 28 pixels in the analysed one."""
PER_LENGTH = 2
PARTS = ("clips", "pasted", "costs")
ROUNDS = 30
START = datetime(2026, 1, 1, tzinfo=UTC)


class Remembering:
    """A detector that looks at the same pixels once, since all modes share the first look."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._answers: dict[bytes, tuple[Detection, ...] | None] = {}
        self.model, self.labels = detector.model, detector.labels
        self.statistics, self.close = detector.statistics, detector.close

    async def detect(self, frame: Frame) -> tuple[Detection, ...] | None:
        key = hashlib.sha256(frame.image.tobytes()).digest() + bytes(str(frame.image.shape), "ascii")
        if key not in self._answers:
            self._answers[key] = await self._detector.detect(frame)
        return self._answers[key]


def settings(mode: str) -> AnalysisSettings:
    second, tiles = MODES[mode]
    return AnalysisSettings(
        second_look=SecondLookSettings(enabled=second), motion_tiles=MotionTileSettings(enabled=tiles)
    )


async def clips(folder: Path, judgement: Judgement, mode: str) -> dict[str, CodeScore]:
    truth = load_truth(folder / "events.yaml")
    scores = []
    for name, clip in truth.items():
        result = await replay_file(
            folder / name, detector=judgement.detector, rule_set=judgement.rule_set, settings=settings(mode)
        )
        found = [
            Found(str(line["code"]), float(str(line["started_s"])), float(str(line["ended_s"])))
            for line in result.as_json()
        ]
        scores.append(score(clip, found))
    return total(scores)


async def rodents(frames: Sequence[Frame], judgement: Judgement, mode: str) -> bool:
    analysis = build_analysis(
        detector=judgement.detector,
        health=HealthMonitor(),
        rules=RuleBook("pasted", judgement.rule_set),
        settings=settings(mode),
    )
    looks = [await analysis.look(frame) for frame in frames]
    return any(change.violation.code == "RODENT" for seen in looks if seen for change in seen.changes)


async def costs(judgement: Judgement) -> dict[str, float]:
    """Milliseconds of processor time: the frame, what a second look adds, what a tile adds."""
    rng = np.random.default_rng(1)
    full = rng.integers(0, 255, (1080, 1920, 3), dtype=np.uint8)
    small = rng.integers(0, 255, (384, 640, 3), dtype=np.uint8)
    moved = small.copy()
    moved[300:310, 200:212] ^= 0x40
    head = Track(1, "head", "no_hat", 0.9, Box(0.4, 0.2, 0.43, 0.27), START, START, 5)

    def frame(number: int) -> Frame:
        return Frame(
            stream_id="cost", pts=float(number), captured_at=START + timedelta(seconds=3 * number),
            image=moved if number % 2 else small, width=1920, height=1080, full=lambda: full,
        )  # fmt: skip

    second = SecondLook(judgement.detector)
    tiles = MotionTiles(judgement.detector, ("rat",))
    nothing: tuple[Detection, ...] = ()
    parts: dict[str, Callable[[int], Awaitable[object]]] = {
        "frame_640x384": lambda number: judgement.detector.detect(frame(number)),
        "second_look": lambda number: second.opinions(frame(number), [head], suspects={1}),
        "tile": lambda number: tiles.look(frame(number), nothing),
    }
    spent: dict[str, list[float]] = {name: [] for name in parts}
    for number in range(ROUNDS):
        for name, part in parts.items():
            before = time.process_time()
            await part(number)
            spent[name].append((time.process_time() - before) * 1000)
    still = MotionTiles(judgement.detector, ("rat",))
    before = time.process_time()
    for number in range(0, 2 * ROUNDS, 2):
        await still.look(frame(number), nothing)
    result = {name: round(median(values[5:]), 1) for name, values in spent.items()}
    result["watching_for_motion"] = round((time.process_time() - before) * 1000 / ROUNDS, 2)
    assert second.looks == ROUNDS, "every round looked again"
    assert tiles.looks >= ROUNDS - 1, "and every round cut a tile"
    return result


def as_row(value: CodeScore) -> dict[str, int]:
    return {
        "truth": value.truths, "hit": value.hit, "raised": value.right + value.wrong, "right": value.right,
    }  # fmt: skip


async def measure(
    data: Path, model: Path | None, parts: Collection[str], keep: Callable[[dict[str, object]], None]
) -> None:
    """Measure ``parts``; ``keep`` gets the result after each."""
    judgement = open_judgement(
        model=model,
        overrides=("NO_HAT.held_s=1", "NO_MASK.held_s=1"),
        detector_settings=DetectorSettings(threads=1, streams=1),
    )
    remembering = replace(judgement, detector=Remembering(judgement.detector))
    used = judgement.detector.model
    result: dict[str, object] = {
        "model": {"name": used.name, "version": used.version, "sha256": used.sha256,
                  "precision": used.precision},
        "cpus": os.cpu_count(), "rate": 5.0,
    }  # fmt: skip
    try:
        if "pasted" in parts:
            result["pasted_rats"] = await _pasted_table(data / "detect", remembering)
            keep(result)
        if "costs" in parts:
            result["cpu_ms"] = await costs(judgement)
            print(f"\nCPU ms {result['cpu_ms']}", flush=True)
            keep(result)
        if "clips" in parts:
            result["clips"] = await _clip_tables(data / "clips", remembering)
            keep(result)
    finally:
        await judgement.detector.close()


async def _clip_tables(folder: Path, judgement: Judgement) -> dict[str, object]:
    tables: dict[str, object] = {}
    for mode in MODES:
        summed = await clips(folder, judgement, mode)
        everything = sum(summed.values(), CodeScore())
        tables[mode] = {
            "codes": {code: as_row(summed[code]) for code in TRUTH_NAMES},
            "recall": everything.recall,
            "precision": everything.precision,
        }
        print(f"\n{mode}\n{'code':<11}truth  hit  raised  right")
        for code in TRUTH_NAMES:
            row = as_row(summed[code])
            print(f"{code:<11}{row['truth']:>5}{row['hit']:>5}{row['raised']:>8}{row['right']:>7}")
        print(f"recall {everything.recall}  precision {everything.precision}", flush=True)
    return tables


async def _pasted_table(data: Path, judgement: Judgement) -> dict[str, object]:
    lengths = [length for length in LENGTHS for _ in range(PER_LENGTH)]
    modes = [mode for mode in MODES if mode != "tiles"]
    found = {mode: {kind: dict.fromkeys(LENGTHS, 0) for kind in ("rats", "decoys")} for mode in modes}
    for kind in ("rats", "decoys"):
        for scene in scenes(data, lengths, rats=kind == "rats"):
            frames = list(scene.frames())
            for mode in modes:
                found[mode][kind][scene.length] += await rodents(frames, judgement, mode)
    print(f"\npasted rats and decoys, found of {PER_LENGTH} per length {LENGTHS} in 1920-pixel pictures")
    table: dict[str, object] = {"lengths_px": list(LENGTHS), "of": PER_LENGTH}
    for mode in modes:
        table[mode] = {kind: list(hits.values()) for kind, hits in found[mode].items()}
        print(f"{mode:<24} {table[mode]}", flush=True)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    chosen = parser.parse_args()
    today = datetime.now(UTC).date()
    target = chosen.out or Path(__file__).parent / "results" / f"look-{today}.json"

    def keep(result: dict[str, object]) -> None:
        text = json.dumps({"date": today.isoformat(), **result}, indent=1)
        target.write_text(text + "\n", encoding="utf-8")

    asyncio.run(measure(chosen.data, chosen.model, chosen.parts, keep))
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
