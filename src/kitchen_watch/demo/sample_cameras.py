"""The five demo cameras: what each shows, and how each misbehaves."""

from __future__ import annotations

from dataclasses import dataclass

from kitchen_watch.demo.scene import Figure, SceneSettings, Step
from kitchen_watch.demo.schedule import Fault, FaultPlan

COVERED_SECONDS = 14.0


@dataclass(frozen=True)
class SampleCamera:
    """One demo camera. ``usual`` loops; ``covered`` is shown while the plan says so."""

    camera_id: str
    name: str
    name_en: str
    usual: SceneSettings
    covered: SceneSettings | None = None
    plan: FaultPlan | None = None
    always_closed: bool = False
    """Its kitchen is never within opening hours, so that nobody may be seen there."""


SAMPLE_CAMERAS: tuple[SampleCamera, ...] = (
    SampleCamera(
        camera_id="demo-stove",
        name="灶台",
        name_en="Stove",
        usual=SceneSettings(
            room="stove",
            title="01 巷口小馆 · 灶台",
            seconds=20,
            figures=(
                Figure(
                    "astronaut",
                    0.53,
                    (
                        Step(0, 0.30),
                        Step(4, 0.30),
                        Step(8, 0.52),
                        Step(13, 0.52),
                        Step(17, 0.30),
                        Step(20, 0.30),
                    ),
                ),
            ),
            steam=((556, 532), (165, 462)),
        ),
    ),
    SampleCamera(
        camera_id="demo-preparation",
        name="切配",
        name_en="Preparation",
        usual=SceneSettings(
            room="preparation",
            title="02 巷口小馆 · 切配",
            seconds=20,
            figures=(
                Figure(
                    "hopper",
                    0.50,
                    (Step(0, 0.62), Step(6, 0.62), Step(10, 0.36), Step(16, 0.36), Step(20, 0.62)),
                ),
            ),
            steam=((1125, 452),),
        ),
    ),
    SampleCamera(
        camera_id="demo-cold-dishes",
        name="冷食专间",
        name_en="Cold dishes",
        usual=SceneSettings(room="cold-dishes", title="03 巷口小馆 · 冷食专间", seconds=12),
        covered=SceneSettings(
            room="cold-dishes", title="03 巷口小馆 · 冷食专间", seconds=COVERED_SECONDS, covered=True
        ),
        plan=FaultPlan(Fault.COVERED, first_s=9, lasting_s=COVERED_SECONDS, every_s=170),
    ),
    SampleCamera(
        camera_id="demo-washing",
        name="洗消",
        name_en="Dish washing",
        usual=SceneSettings(
            room="washing",
            title="04 河畔食堂 · 洗消",
            seconds=20,
            figures=(
                Figure(
                    "astronaut",
                    0.46,
                    (Step(0, 0.62), Step(6, 0.62), Step(11, 0.72), Step(16, 0.62), Step(20, 0.62)),
                ),
            ),
            steam=((1050, 470),),
        ),
        plan=FaultPlan(Fault.OFFLINE, first_s=12, lasting_s=12, every_s=190),
    ),
    SampleCamera(
        camera_id="demo-store",
        name="夜间库房",
        name_en="Store at night",
        usual=SceneSettings(
            room="store",
            title="05 河畔食堂 · 库房",
            seconds=24,
            figures=(
                # It comes in on the left, looks around behind the worktop and leaves on the right.
                Figure(
                    "cat", 0.17, (Step(0, -0.1), Step(4, -0.1), Step(9, 0.45), Step(12, 0.45), Step(18, 1.1))
                ),
            ),
            night=True,
            noise=3.4,
        ),
        always_closed=True,
    ),
)
