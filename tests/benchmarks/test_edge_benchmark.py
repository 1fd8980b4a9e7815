"""The sums behind the figures that the benchmark of the edge prints; the measuring itself takes minutes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.edge import AIMS, OURS, THEIRS, Sample, command, floor_of, summary
from benchmarks.machine import machine
from benchmarks.many_cameras.plots import draw
from docs import scaling

ALONE = {
    "inference_ms": 10.0, "decode_ms.moving.main": 4.0, "decode_ms.moving.sub": 0.5,
    "decode_ms.still.main": 4.0, "decode_ms.still.sub": 0.5,
}  # fmt: skip
MOVING = Sample(
    system=OURS, scene="moving", sub=False, cameras=2, seconds=10.0, cpu_s=4.0, analysed=100, still=0,
    decoded=500, inferences=120, slowest_share=1.0, delay_p50_ms=40.0, delay_p95_ms=90.0, memory_mb=300.0,
    machine_busy=0.5,
)  # fmt: skip
SAMPLES = [
    MOVING,
    replace(MOVING, cameras=4, cpu_s=8.8, analysed=200, decoded=1000, inferences=240, memory_mb=360.0),
    replace(MOVING, system=THEIRS, cpu_s=8.0, inferences=0, decoded=0),
    replace(MOVING, sub=True, cpu_s=2.4, decoded=300),
    replace(MOVING, sub=True, main_view=True, main_when="active", cpu_s=4.8, decoded=300, decoded_main=480),
    replace(MOVING, sub=True, main_view=True, main_when="needed", cpu_s=4.2, decoded=300, decoded_main=20),
    replace(MOVING, scene="still", sub=True, cameras=2, cpu_s=0.5, analysed=4, still=96),
    replace(MOVING, scene="still", cpu_s=2.0, analysed=10, still=90),
    replace(MOVING, system=THEIRS, scene="still", cpu_s=6.0),
]


def test_the_floor_is_every_decoded_picture_and_every_inference() -> None:
    assert floor_of(MOVING, ALONE) == pytest.approx(500 * 0.004 + 120 * 0.010)


def test_the_floor_of_a_camera_with_a_sub_stream_counts_both_streams() -> None:
    both = replace(MOVING, sub=True, decoded=300, decoded_main=200)
    assert floor_of(both, ALONE) == pytest.approx(300 * 0.0005 + 200 * 0.004 + 120 * 0.010)


def test_ratios_and_costs_follow_from_the_samples() -> None:
    figures = summary(SAMPLES, ALONE, {OURS: 4, THEIRS: 2})
    assert figures["cpu_ratio_vs_ultralytics_moving"] == 0.5
    assert figures["cpu_ratio_to_floor"] == 1.25
    assert figures["cpu_ratio_vs_ultralytics_moving_on_sub"] == 0.3
    assert figures["cpu_ratio_vs_ultralytics_moving_with_sub"] == 0.525, "as it ships"
    assert figures["cpu_ratio_vs_ultralytics_moving_active"] == 0.6
    assert figures["cpu_ratio_vs_ultralytics_still"] == round(0.5 / 6, 4), (
        "per second of a camera, not per look"
    )
    assert figures["cost_at_most_cameras_to_cost_at_two"] == 1.1
    assert figures["memory_mb_per_camera"] == 30.0
    assert figures["cameras_ratio_vs_ultralytics"] == 2.0
    assert figures["frames_left_out_as_still"] == {"without_sub": 90, "with_sub": 96}


def test_a_camera_that_is_served_badly_does_not_look_cheap() -> None:
    starved = replace(MOVING, cpu_s=2.0, analysed=50, slowest_share=0.5)
    assert starved.cpu_per_camera_second == MOVING.cpu_per_camera_second
    assert not starved.served


def test_machines_follow_from_the_cost_of_a_camera() -> None:
    edge = summary(SAMPLES, ALONE, {OURS: 4, THEIRS: 2})
    size = scaling.sizing(edge, 1000, sub=False)
    assert size["cores_at_peak"] == pytest.approx(200)
    assert size["boxes"] == 36, "eight cores each, seven tenths of them used"
    with_sub = scaling.sizing(edge, 1000, sub=True)
    assert with_sub["cores_at_peak"] == pytest.approx(240), "somebody may be suspected all the time"
    assert with_sub["cores_in_the_mean"] < size["cores_in_the_mean"]


def test_the_committed_figures_follow_from_the_samples_beside_them() -> None:
    _, result = scaling.newest("edge")
    samples = [Sample(**sample) for sample in result["samples"]]
    figures = summary(samples, result["alone_ms"], result["cameras_at_95_percent"])
    assert {key: result[key] for key in figures} == figures
    assert set(AIMS) - set(result) <= {
        "cost_at_most_cameras_to_cost_at_two", "memory_mb_per_camera", "cameras_ratio_vs_ultralytics",
    }, "only what takes a search for the most cameras may be missing"  # fmt: skip


def test_the_committed_figures_are_possible() -> None:
    _, result = scaling.newest("edge")
    assert result["cpu_ratio_to_floor"] > 0.95, "nobody does without decoding and inference"
    assert 0 < result["cpu_ratio_vs_ultralytics_still"] < result["cpu_ratio_vs_ultralytics_moving"] < 10
    for one in (Sample(**sample) for sample in result["samples"]):
        assert (
            one.cpu_s < one.seconds * (result["machine"].get("cpus") or result["machine"]["cores"]) * 1.05
        ), "more time than there was"
        assert one.system == THEIRS or one.analysed <= one.inferences
        assert one.slowest_share < 1.2
    alone = result["alone_ms"]
    assert alone["decode_ms.moving.sub"] < alone["decode_ms.moving.main"]


def test_a_result_says_how_to_measure_it_again_and_nothing_of_the_machines_folders() -> None:
    assert command(short=False, minutes=11.0) == "python -m benchmarks.edge --minutes 11"
    _, result = scaling.newest("edge")
    assert result["command"].startswith("python -m benchmarks.edge")
    assert " /" not in result["command"]


def test_a_result_of_this_machine_can_be_drawn(tmp_path: Path) -> None:
    _, result = scaling.newest("edge")
    target = tmp_path / "edge.png"
    draw({**result, "machine": machine()}, target)
    assert target.read_bytes().startswith(b"\x89PNG")
