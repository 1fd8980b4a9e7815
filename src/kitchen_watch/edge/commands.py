"""Commands of the edge: run it, check a configuration, probe a camera, replay and score files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kitchen_watch.errors import ConfigError

if TYPE_CHECKING:
    from kitchen_watch.edge.detect.settings import Precision
    from kitchen_watch.edge.replay import ReplayResult
    from kitchen_watch.edge.settings import AnalysisSettings

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The edge's YAML file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable lines on standard output.")]
ModelOption = Annotated[Path | None, typer.Option(help="ONNX file with its card beside it.")]
RulesOption = Annotated[Path | None, typer.Option(help="Rules file; default: the shipped catalogue.")]
OverrideOption = Annotated[
    list[str] | None, typer.Option("--rule", help="Override, such as NO_HAT.held_s=1.0; may be repeated.")
]
RateOption = Annotated[float, typer.Option("--rate", min=0.1, max=30, help="Analysed frames per second.")]
SecondLookOption = Annotated[
    bool, typer.Option("--second-look/--no-second-look", help="Look again before accusing, or not.")
]
TilesOption = Annotated[
    bool, typer.Option("--tiles/--no-tiles", help="Look at small movements in full resolution, or not.")
]
PrecisionOption = Annotated[
    Literal["f32", "bf16", "int8"],
    typer.Option(
        help="Of the model, fixed, so that a replay comes out the same everywhere; to repeat what an edge "
        "judged, give the one recorded in its events. Refused where the model card does not prove it."
    ),
]
HoursOption = Annotated[
    Literal["open", "closed"], typer.Option(help="Whether the kitchen counts as open or closed.")
]


def edge(config: ConfigOption) -> None:
    """Run the analysis node: cameras in, events out. Reloads its cameras on SIGHUP; ends on SIGTERM."""
    from kitchen_watch.edge.running import run_edge  # noqa: PLC0415 - loads media libraries

    asyncio.run(run_edge(config))


def check(
    config: Annotated[Path, typer.Argument(help="The edge's YAML file.")], *, as_json: JsonOption = False
) -> None:
    """Validate a configuration: file, model, rules, disk, clock, backend and every camera."""
    from kitchen_watch.edge.check import check_edge  # noqa: PLC0415 - loads media libraries

    findings = asyncio.run(check_edge(config))
    for finding in findings:
        if as_json:
            typer.echo(json.dumps({"what": finding.what, "ok": finding.ok, "says": finding.says}))
        else:
            typer.echo(f"{'ok   ' if finding.ok else 'BAD  '} {finding.what}: {finding.says}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(ConfigError.exit_code)


def probe(
    url: Annotated[str, typer.Argument(help="rtsp:// address, video file or webcam:0.")],
    *,
    snapshot: Annotated[Path | None, typer.Option(help="Write the first picture there as JPEG.")] = None,
    transport: Annotated[Literal["tcp", "udp"], typer.Option(help="How RTP packets travel.")] = "tcp",
    timeout: Annotated[float, typer.Option(min=0.5, max=120, help="Seconds to wait for an answer.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Look at one camera: codec, size, rate and a picture."""
    from kitchen_watch.edge.probing import probe_camera  # noqa: PLC0415 - loads media libraries

    facts = probe_camera(url, transport=transport, timeout_s=timeout, snapshot=snapshot)
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        for name, value in facts.items():
            typer.echo(f"{name:<10} {value}")


def replay(  # noqa: PLR0913 - each option is one of the command line
    file: Annotated[Path, typer.Argument(help="Video file to analyse as if it were a camera.")],
    *,
    as_json: JsonOption = False,
    rule: OverrideOption = None,
    hours: HoursOption = "open",
    model: ModelOption = None,
    rules: RulesOption = None,
    rate: RateOption = 5.0,
    second_look: SecondLookOption = True,
    tiles: TilesOption = True,
    precision: PrecisionOption = "f32",
) -> None:
    """Analyse a video file with the shipped model and rules; one line per violation."""
    result = _replays(
        [file], rule, hours, model, rules, _analysis(rate, second_look=second_look, tiles=tiles), precision
    )[0]
    if result.missing_s > 0:
        typer.echo(
            f"warning: {file}: the file announces more than it holds: it ends after "
            f"{result.duration_s:.1f} s, {result.missing_s:.0f} s or more are missing. "
            "What is there was analysed.",
            err=True,
        )
    for line, violation in zip(result.as_json(), result.violations, strict=True):
        if as_json:
            typer.echo(json.dumps(line))
        else:
            typer.echo(
                f"{line['code']:<16} {line['started_s']:>8.1f} s to {line['ended_s']:>8.1f} s"
                f"  confidence {violation.confidence:.2f}"
            )
    if not as_json and not result.violations:
        typer.echo(f"No violations in {result.duration_s:.1f} s ({result.frames_analysed} frames analysed).")


def score(  # noqa: PLR0913 - as above
    clips: Annotated[Path, typer.Argument(help="Folder with clips and their events.yaml.")],
    *,
    as_json: JsonOption = False,
    rule: OverrideOption = None,
    model: ModelOption = None,
    rules: RulesOption = None,
    rate: RateOption = 5.0,
    second_look: SecondLookOption = True,
    tiles: TilesOption = True,
    precision: PrecisionOption = "f32",
) -> None:
    """Replay every clip of a folder and score it against the truth in its events.yaml."""
    from kitchen_watch.edge.scoring import Found, load_truth, total  # noqa: PLC0415 - as above
    from kitchen_watch.edge.scoring import score as score_clip  # noqa: PLC0415 - as above

    truth = load_truth(clips / "events.yaml")
    files = [clips / name for name in truth]
    results = _replays(
        files, rule, "open", model, rules, _analysis(rate, second_look=second_look, tiles=tiles), precision
    )
    scores = {}
    for name, result in zip(truth, results, strict=True):
        found = [
            Found(str(line["code"]), float(str(line["started_s"])), float(str(line["ended_s"])))
            for line in result.as_json()
        ]
        scores[name] = score_clip(truth[name], found)
        if as_json:
            typer.echo(json.dumps({"clip": name, "violations": result.as_json()}))
        else:
            codes = ", ".join(f"{item.code} {item.started_s:g}-{item.ended_s:g} s" for item in found)
            typer.echo(f"{name}: {codes or 'nothing'}")
    for code, value in total(scores.values()).items():
        if as_json:
            line = {
                "code": code, "truth_intervals": value.truths, "hit": value.hit, "right": value.right,
                "wrong": value.wrong, "recall": value.recall, "precision": value.precision,
            }  # fmt: skip
            typer.echo(json.dumps(line))
        else:
            recall = "–" if value.recall is None else f"{value.recall:.2f}"
            right = "–" if value.precision is None else f"{value.precision:.2f}"
            typer.echo(
                f"{code:<10} recall {recall} ({value.hit} of {value.truths})   precision {right} "
                f"({value.right} right, {value.wrong} wrong)"
            )


def _analysis(rate: float, *, second_look: bool, tiles: bool) -> AnalysisSettings:
    from kitchen_watch.edge.motion_tiles import MotionTileSettings  # noqa: PLC0415 - loads media libraries
    from kitchen_watch.edge.second_look import SecondLookSettings  # noqa: PLC0415 - loads media libraries
    from kitchen_watch.edge.settings import AnalysisSettings  # noqa: PLC0415

    return AnalysisSettings(
        frames_per_second=rate,
        second_look=SecondLookSettings(enabled=second_look),
        motion_tiles=MotionTileSettings(enabled=tiles),
    )


def _replays(
    files: list[Path],
    overrides: list[str] | None,
    hours: Literal["open", "closed"],
    model: Path | None,
    rules: Path | None,
    settings: AnalysisSettings,
    precision: Precision,
) -> list[ReplayResult]:
    """Replay files one after the other with one detector, a progress bar on standard error."""
    from rich.console import Console  # noqa: PLC0415 - only where a bar is drawn
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from kitchen_watch.edge.detect.settings import DetectorSettings  # noqa: PLC0415 - as below
    from kitchen_watch.edge.opening import open_judgement  # noqa: PLC0415 - loads media libraries
    from kitchen_watch.edge.replay import replay_file  # noqa: PLC0415
    from kitchen_watch.edge.rules.hours import OpeningHours  # noqa: PLC0415

    schedule = OpeningHours.always_open() if hours == "open" else OpeningHours.always_closed()

    async def run() -> list[ReplayResult]:
        judgement = open_judgement(
            model=model, rules_file=rules, overrides=overrides or [],
            detector_settings=DetectorSettings(precision=precision),
        )  # fmt: skip
        results = []
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
        try:
            with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
                for file in files:
                    bar = bars.add_task(file.name, total=None)

                    def advance(done: float, total: float | None, bar: TaskID = bar) -> None:
                        bars.update(bar, completed=done, total=total)

                    results.append(
                        await replay_file(
                            file,
                            detector=judgement.detector,
                            rule_set=judgement.rule_set,
                            hours=schedule,
                            settings=settings,
                            progress=advance,
                        )
                    )
        finally:
            await judgement.detector.close()
        return results

    return asyncio.run(run())
