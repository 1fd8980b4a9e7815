"""What a demo camera shows when, told second by second."""

from __future__ import annotations

import pytest

from kitchen_watch.demo.sample_cameras import SAMPLE_CAMERAS
from kitchen_watch.demo.schedule import Fault, FaultPlan, Film, Showing, fault_at, showing_at

OFFLINE = FaultPlan(Fault.OFFLINE, first_s=12, lasting_s=12, every_s=190)
COVERED = FaultPlan(Fault.COVERED, first_s=9, lasting_s=14, every_s=170)


@pytest.mark.parametrize(
    ("elapsed", "fault"),
    [
        (0, None),
        (11.9, None),
        (12, Fault.OFFLINE),
        (23.9, Fault.OFFLINE),
        (24, None),
        (201.9, None),
        (202, Fault.OFFLINE),
        (214, None),
        (12 + 190 * 50, Fault.OFFLINE),
    ],
)
def test_a_camera_drops_off_early_and_then_now_and_then(elapsed: float, fault: Fault | None) -> None:
    assert fault_at(OFFLINE, elapsed) is fault


def test_a_camera_without_a_plan_never_fails() -> None:
    assert all(fault_at(None, second) is None for second in range(1000))


def test_people_come_and_go_in_the_order_of_the_programme() -> None:
    programme = (Showing(Film.EMPTY, 6), Showing(Film.USUAL, 24), Showing(Film.EMPTY, 54))

    assert showing_at(programme, None, 0) == (Film.EMPTY, 0)
    assert showing_at(programme, None, 7) == (Film.USUAL, 1)
    assert showing_at(programme, None, 31) == (Film.EMPTY, 1)
    assert showing_at(programme, None, 84 + 7) == (Film.USUAL, 1)


def test_a_covered_lens_shows_nothing_else() -> None:
    programme = (Showing(Film.USUAL, 30),)

    assert showing_at(programme, COVERED, 8.5) == (Film.USUAL, 8.5)
    assert showing_at(programme, COVERED, 10) == (Film.COVERED, 1)
    assert showing_at(programme, COVERED, 23)[0] is Film.USUAL


def test_without_a_programme_the_usual_film_runs_on() -> None:
    assert showing_at((), None, 1234.5) == (Film.USUAL, 1234.5)


def test_both_faults_of_the_sample_cameras_come_within_twenty_seconds() -> None:
    plans = {camera.plan.fault: camera.plan for camera in SAMPLE_CAMERAS if camera.plan is not None}

    assert set(plans) == {Fault.COVERED, Fault.OFFLINE}
    # Enough time before for the health checks to learn the picture, enough after for the alert.
    assert all(plan.first_s >= 5 and plan.first_s + 5 <= 20 for plan in plans.values())
    assert all(plan.lasting_s < plan.every_s for plan in plans.values())


def test_a_sample_camera_has_every_film_that_its_programme_and_plan_name() -> None:
    for camera in SAMPLE_CAMERAS:
        shown = {showing_at(camera.programme, camera.plan, second)[0] for second in range(600)}
        assert shown <= set(camera.films)
