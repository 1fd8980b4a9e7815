"""Is less found where the main stream is decoded on need only? ``python -m benchmarks.main_view --data DIR``

Real clips, and rats at their true size that run through noisy still kitchens, each as a camera's main stream
and as the sub stream that such a camera makes of it (fits 640x360, 15 pictures a second, 512 kbit/s). The
same pictures are analysed in every mode, gated as at an edge. Held times are shortened to 1 s, since the
clips are short: where the main stream has more time to wake, a delay matters less. Writes
``benchmarks/results/main-view-<date>.json``. DIR holds clips/ and detect/.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.pasted_rats import ANALYSED, RATE, scenes
from benchmarks.second_look import Remembering
from benchmarks.still_scenes import LENGTHS
from benchmarks.still_scenes import coded as main_coded
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.looking import build_analysis
from kitchen_watch.edge.main_view import MainViewSettings
from kitchen_watch.edge.opening import Judgement, open_judgement
from kitchen_watch.edge.replay import REPLAY_EPOCH
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.rules.violation import ChangeKind, Violation
from kitchen_watch.edge.scoring import TRUTH_NAMES, CodeScore, Found, load_truth, score, total
from kitchen_watch.edge.settings import AnalysisSettings
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.health import HealthMonitor
from kitchen_watch.edge.streams.replay import FileStream

SUB, SUB_RATE, SUB_BITS = (640, 360), 15, 512_000
EMPTY = 75
"""Frames before the rat comes: fifteen seconds."""
MODES = {
    "active": MainViewSettings(when="active"),
    "needed": MainViewSettings(when="needed"),
    "sub only": MainViewSettings(enabled=False),
}


@dataclass
class Main:
    """The main stream: from the moment that it was woken its pictures come, as the reader gives them."""

    frames: Sequence[Frame]
    now: datetime = REPLAY_EPOCH
    woken_at: datetime | None = None
    given: datetime | None = None
    awake_frames: int = 0

    def attend(self, here: bool) -> None:
        self.woken_at = self.now if here else None

    def poll(self) -> Frame | None:
        since = self.woken_at
        if since is None:
            return None
        ready = [
            frame
            for frame in self.frames
            if since < frame.captured_at <= self.now
            and (self.given is None or frame.captured_at > self.given)
        ]
        if not ready:
            return None
        self.given = ready[-1].captured_at
        return replace(ready[-1], discontinuity=False)


@dataclass
class Outcome:
    """What one mode made of one film."""

    found: list[Found] = field(default_factory=list)
    opened: list[tuple[str, float]] = field(default_factory=list)
    """Code and second at which it was told."""
    frames: int = 0
    on_main: int = 0
    """Frames in whose place the main stream's picture was looked at."""
    main_awake: int = 0
    """Frames during which the main stream was decoded."""
    left_out: int = 0


async def watch(sub: Sequence[Frame], main: Sequence[Frame], judgement: Judgement, mode: str) -> Outcome:
    """Analyse one camera from its first to its last frame."""
    stream = Main(main)
    analysis = build_analysis(
        detector=judgement.detector, health=HealthMonitor(), rules=RuleBook("clip", judgement.rule_set),
        settings=AnalysisSettings(main_view=MODES[mode]), gated=True, main=stream,
    )  # fmt: skip
    origin, outcome, violations = sub[0].captured_at, Outcome(), dict[Any, Violation]()

    def seconds(at: datetime) -> float:
        return round((at - origin).total_seconds(), 3)

    for frame in sub:
        stream.now = frame.captured_at
        outcome.main_awake += stream.woken_at is not None and mode != "sub only"
        seen = await analysis.look(frame)
        if seen is None:
            continue
        outcome.frames += 1
        outcome.on_main += seen.frame.main
        outcome.left_out += seen.still
        for change in seen.changes:
            violations[change.violation.violation_id] = change.violation
            if change.kind is ChangeKind.OPENED:
                outcome.opened.append((change.violation.code, seconds(frame.captured_at)))
    for change in analysis.rules.finish(sub[-1].captured_at):
        violations[change.violation.violation_id] = change.violation
    outcome.found = [
        Found(one.code, seconds(one.started_at), seconds(one.ended_at or one.last_seen_at))
        for one in violations.values()
    ]
    return outcome


def sub_of(clip: Path, target: Path) -> None:
    """The sub stream that a camera would send beside ``clip``."""
    with av.open(str(clip)) as source, av.open(str(target), "w", format="mp4") as container:
        video = source.streams.video[0]
        scale = min(1.0, SUB[0] / video.width, SUB[1] / video.height)
        width, height = (max(2, int(side * scale) // 2 * 2) for side in (video.width, video.height))
        stream: Any = container.add_stream("libx264", rate=SUB_RATE, options=_options(SUB_BITS))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate, stream.gop_size, stream.max_b_frames = SUB_BITS, 2 * SUB_RATE, 0
        # Of the pictures between, none; the clip's own times stay.
        stream.codec_context.time_base = Fraction(1, 1000)
        next_at = 0.0
        for picture in source.decode(video):
            if picture.time is None or picture.time < next_at - 1e-3:
                continue
            next_at = max(next_at + 1 / SUB_RATE, picture.time + 0.5 / SUB_RATE)
            small = picture.reformat(width, height, "yuv420p", interpolation="AREA")
            small.pts, small.time_base = round(picture.time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(small))
        container.mux(stream.encode(None))


def _options(bits: int) -> dict[str, str]:
    return {"preset": "superfast", "tune": "zerolatency", "maxrate": str(bits), "bufsize": str(bits)}


def sub_coded(frames: Sequence[Frame]) -> Iterator[Frame]:
    """The analysed pictures as the sub stream leaves them, at its bits a picture."""
    bits = int(SUB_BITS * RATE / SUB_RATE)
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as container:
        stream: Any = container.add_stream("libx264", rate=int(RATE), options=_options(bits))
        stream.width, stream.height = ANALYSED
        stream.pix_fmt, stream.bit_rate, stream.gop_size = "yuv420p", bits, 10
        stream.time_base = Fraction(1, int(RATE))
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(
                np.asarray(cv2.resize(frame.full(), ANALYSED, interpolation=cv2.INTER_AREA), dtype=np.uint8),
                format="bgr24",
            )
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory) as container:
        for frame, decoded in zip(frames, container.decode(video=0), strict=True):
            image = np.asarray(decoded.to_ndarray(format="bgr24"), dtype=np.uint8)
            yield replace(frame, image=image, full=_always(image), width=ANALYSED[0], height=ANALYSED[1])


def _always(image: Image) -> Callable[[], Image]:
    return lambda: image


async def _clips(folder: Path, judgement: Judgement, names: Sequence[str]) -> dict[str, Any]:
    scores: dict[str, list[dict[str, CodeScore]]] = {mode: [] for mode in MODES}
    opened: dict[str, dict[str, list[tuple[str, float]]]] = {mode: {} for mode in MODES}
    awake = dict.fromkeys(MODES, 0)
    frames = 0
    with tempfile.TemporaryDirectory() as temporary:
        for name, clip in load_truth(folder / "events.yaml").items():
            if names and name not in names:
                continue
            small = Path(temporary) / name
            sub_of(folder / name, small)
            fit = AnalysisSettings().fit
            sub, main = (
                list(FileStream(path, RATE, fit, REPLAY_EPOCH).frames()) for path in (small, folder / name)
            )
            for mode in MODES:
                outcome = await watch(sub, main, judgement, mode)
                scores[mode].append(score(clip, outcome.found))
                opened[mode][name] = outcome.opened
                awake[mode] += outcome.main_awake
                print(f"{name:<45}{mode:<10}awake {outcome.main_awake:>3} of {outcome.frames:>3}  "
                      f"{outcome.opened}", flush=True)  # fmt: skip
            frames += len(sub)
    table: dict[str, Any] = {"frames": frames}
    for mode in MODES:
        summed = total(scores[mode])
        table[mode] = {
            "codes": {
                code: {"truth": one.truths, "hit": one.hit, "right": one.right, "wrong": one.wrong}
                for code in TRUTH_NAMES
                if (one := summed[code])
            },
            "frames_with_main_awake": awake[mode],
            "opened_at_s": opened[mode],
            "later_than_active_s": _later(opened["active"], opened[mode]),
        }
        print(mode, table[mode]["codes"], "later", table[mode]["later_than_active_s"], flush=True)
    return table


def _later(
    one: dict[str, list[tuple[str, float]]], other: dict[str, list[tuple[str, float]]]
) -> list[float | None]:
    """Seconds by which the first alert of each code of each clip came later; None: it never came."""
    result: list[float | None] = []
    for name, alerts in one.items():
        for code in sorted({code for code, _ in alerts}):
            first = min(at for found, at in alerts if found == code)
            late = [at for found, at in other[name] if found == code]
            result.append(round(min(late) - first, 2) if late else None)
    return result


async def _rats(data: Path, judgement: Judgement, per_length: int) -> dict[str, Any]:
    lengths = [length for length in LENGTHS for _ in range(per_length)]
    outcomes: dict[str, dict[str, list[float | None]]] = {
        kind: {mode: [] for mode in MODES} for kind in ("rats", "decoys")
    }
    awake = dict.fromkeys(MODES, 0)
    for kind, modes in outcomes.items():
        for scene in scenes(data, lengths, rats=kind == "rats"):
            taken = list(scene.frames(empty=EMPTY))
            sub, main = list(sub_coded(taken)), list(main_coded(taken))
            for mode, found in modes.items():
                outcome = await watch(sub, main, judgement, mode)
                times = [at - EMPTY / RATE for code, at in outcome.opened if code == "RODENT"]
                found.append(round(min(times), 2) if times else None)
                awake[mode] += outcome.main_awake
            print(kind, scene.length, {mode: found[-1] for mode, found in modes.items()}, flush=True)
    return {
        "lengths_px": lengths, "frames_empty": EMPTY, "told_s_after_it_came": outcomes,
        "found": {kind: {mode: sum(at is not None for at in one) for mode, one in modes.items()}
                  for kind, modes in outcomes.items()},
        "frames_with_main_awake": awake,
    }  # fmt: skip


async def measure(data: Path, per_length: int, parts: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    judgement = open_judgement(
        overrides=("NO_HAT.held_s=1", "NO_MASK.held_s=1"),
        detector_settings=DetectorSettings(threads=1, streams=1),
    )
    judgement = replace(judgement, detector=Remembering(judgement.detector))
    result: dict[str, Any] = {"modes": list(MODES)}
    try:
        if "clips" in parts:
            result["clips"] = await _clips(data / "clips", judgement, names)
        if "rats" in parts:
            result["rats"] = await _rats(data / "detect", judgement, per_length)
    finally:
        await judgement.detector.close()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--per-length", type=int, default=2)
    parser.add_argument("--parts", nargs="+", choices=("clips", "rats"), default=("clips", "rats"))
    parser.add_argument("--clips", nargs="+", default=(), help="names of clips; default: all")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    today = datetime.now(UTC).date().isoformat()
    target = chosen.out or Path(__file__).parent / "results" / f"main-view-{today}.json"
    result = {
        "date": today,
        **asyncio.run(measure(chosen.data, chosen.per_length, chosen.parts, chosen.clips)),
    }
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
