"""The five demo cameras: what each shows, and how each misbehaves."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kitchen_watch.demo.scene import Figure, SceneSettings, Step
from kitchen_watch.demo.schedule import Fault, FaultPlan, Film, Showing

COVERED_SECONDS = 14.0
EMPTY_SECONDS = 6.0


@dataclass(frozen=True)
class SampleCamera:
    """One demo camera."""

    camera_id: str
    scene: SceneSettings
    programme: tuple[Showing, ...] = ()
    plan: FaultPlan | None = None

    @property
    def films(self) -> dict[Film, SceneSettings]:
        """The loops that must be rendered."""
        films = {Film.USUAL: self.scene}
        if any(showing.film is Film.EMPTY for showing in self.programme):
            films[Film.EMPTY] = replace(self.scene, figures=(), seconds=EMPTY_SECONDS)
        if self.plan is not None and self.plan.fault is Fault.COVERED:
            films[Film.COVERED] = replace(self.scene, figures=(), seconds=COVERED_SECONDS, covered=True)
        return films


SAMPLE_CAMERAS: tuple[SampleCamera, ...] = (
    SampleCamera(
        camera_id="demo-stove",
        scene=SceneSettings(
            room="stove",
            title="01 巷口小馆 · 灶台",
            seconds=26,
            figures=(
                Figure(
                    "astronaut",
                    0.50,
                    (
                        Step(0, -0.2),
                        Step(4, 0.3),
                        Step(8, 0.3),
                        Step(12, 0.52),
                        Step(21, 0.52),
                        Step(26, -0.2),
                    ),
                ),
            ),
            steam=((556, 532), (165, 462)),
        ),
        programme=(Showing(Film.USUAL, 26), Showing(Film.EMPTY, 36)),
    ),
    SampleCamera(
        camera_id="demo-preparation",
        scene=SceneSettings(
            room="preparation",
            title="02 巷口小馆 · 切配",
            seconds=24,
            figures=(
                Figure(
                    "hopper",
                    0.43,
                    (
                        Step(0, 1.2),
                        Step(4, 0.66),
                        Step(9, 0.66),
                        Step(13, 0.42),
                        Step(18, 0.42),
                        Step(24, 1.2),
                    ),
                ),
            ),
            steam=((1125, 452),),
        ),
        programme=(Showing(Film.EMPTY, 6), Showing(Film.USUAL, 24), Showing(Film.EMPTY, 54)),
    ),
    SampleCamera(
        camera_id="demo-cold-dishes",
        scene=SceneSettings(room="cold-dishes", title="03 巷口小馆 · 冷食专间", seconds=12),
        plan=FaultPlan(Fault.COVERED, first_s=9, lasting_s=COVERED_SECONDS, every_s=170),
    ),
    SampleCamera(
        camera_id="demo-washing",
        scene=SceneSettings(
            room="washing",
            title="04 河畔食堂 · 洗消",
            seconds=20,
            figures=(
                Figure("astronaut", 0.50, (Step(0, 1.2), Step(5, 0.62), Step(15, 0.62), Step(20, 1.2))),
            ),
            steam=((1050, 470),),
        ),
        programme=(Showing(Film.EMPTY, 30), Showing(Film.USUAL, 20), Showing(Film.EMPTY, 58)),
        plan=FaultPlan(Fault.OFFLINE, first_s=12, lasting_s=12, every_s=190),
    ),
    SampleCamera(
        camera_id="demo-store",
        scene=SceneSettings(
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
    ),
)
