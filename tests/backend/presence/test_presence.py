""" "No alerts" differs from "not watching": minutes seen are counted against opening hours, once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.presence.counting import PresenceTimer, count_step
from kitchen_watch.backend.presence.figures import presence_figures
from kitchen_watch.backend.presence.opening import is_open_at
from kitchen_watch.backend.presence.tables import CameraDayRow, CoverageDayRow, PresenceMomentRow
from kitchen_watch.control import CameraState, TurnStatus
from tests.backend.support import NOON, Backend

STEP = timedelta(minutes=5)


def undisturbed(backend: Backend) -> Backend:
    """The backend's own count of the present step is over and forgotten; its next look is a minute away."""
    database, pause = backend.parts.database, threading.Event()
    for _ in range(1000):
        with database.read() as session:
            if session.get(PresenceMomentRow, 1) is not None:
                break
        pause.wait(0.02)
    with database.write() as session:
        for table in (PresenceMomentRow, CameraDayRow, CoverageDayRow):
            session.execute(delete(table))
    return backend


def hear(backend: Backend, at: datetime, *seen: str, edge: str = "edge-1") -> None:
    """The edge is connected, and the pictures of ``seen`` come; its other cameras are offline."""
    cameras = {"edge-1": ("cam-a1", "cam-a2", "cam-b1"), "edge-2": ("cam-c1",)}[edge]
    with backend.parts.database.write() as session:
        state = session.get(EdgeStateRow, edge) or EdgeStateRow(edge_id=edge)
        state.connection_id, state.connected_at, state.last_heard_at = uuid4(), at, at
        session.add(state)
        for camera in cameras:
            row = session.get(CameraStateRow, camera) or CameraStateRow(camera_id=camera)
            row.state = CameraState.STREAMING if camera in seen else CameraState.OFFLINE
            row.since_at = row.heard_at = at
            row.reason = None if camera in seen else "no route to the camera"
            session.add(row)


def take_turns(backend: Backend, camera: str, share: float) -> None:
    with backend.parts.database.write() as session:
        turns = TurnStatus(watched_now=False, share=share, watch_s=30, revisit_s=210)
        session.get_one(CameraStateRow, camera).take_turns(turns)


def count(backend: Backend, at: datetime) -> int:
    with backend.parts.database.write() as session:
        return count_step(session, at)


def coverage(backend: Backend, who: str, **more: Any) -> Any:
    answer = backend.logged_in(who).get("/api/v1/statistics/coverage", params=more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_minutes_are_counted_once_however_many_look(any_backend: Backend) -> None:
    undisturbed(any_backend)
    hear(any_backend, NOON, "cam-a1")
    assert count(any_backend, NOON) == 4
    assert count(any_backend, NOON + timedelta(minutes=4, seconds=59)) == 0
    other = PresenceTimer(any_backend.parts.database, any_backend.clock)
    assert other.look() == 0, "the same step of the clock by another process"
    hear(any_backend, NOON + STEP, "cam-a1", "cam-b1")
    assert count(any_backend, NOON + STEP) == 4
    with any_backend.parts.database.read() as session:
        path = session.scalar(select(NodeRow.path).where(NodeRow.code == "grid-1"))
        assert path is not None
        found = presence_figures(session, path, NOON - timedelta(hours=1), NOON + timedelta(hours=1))
        whole = presence_figures(session, "/1/", NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    # Three cameras for ten minutes, open by their hours: a1 seen in both steps, b1 in one.
    assert (found.cameras, found.counted, found.operating, found.watched, found.online) == (3, 30, 30, 15, 15)
    assert (whole.cameras, whole.counted, whole.watched) == (4, 40, 15)


def test_a_standstill_of_the_service_is_counted_nowhere(backend: Backend) -> None:
    undisturbed(backend)
    hear(backend, NOON, "cam-a1")
    count(backend, NOON)
    hear(backend, NOON + timedelta(hours=6), "cam-a1")
    count(backend, NOON + timedelta(hours=6))
    with backend.parts.database.read() as session:
        found = presence_figures(session, "/1/", NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    assert found.counted == 4 * 10


def test_an_edge_that_fell_silent_sees_nothing(backend: Backend) -> None:
    undisturbed(backend)
    hear(backend, NOON - timedelta(minutes=3), "cam-a1")
    count(backend, NOON)
    with backend.parts.database.read() as session:
        assert presence_figures(session, "/1/", NOON - timedelta(hours=1), NOON + STEP).online == 0


def test_a_camera_in_patrol_mode_is_watched_for_its_share(backend: Backend) -> None:
    undisturbed(backend)
    for number in range(24):
        hear(backend, NOON + number * STEP, "cam-a1", "cam-a2")
        take_turns(backend, "cam-a2", 0.125)
        count(backend, NOON + number * STEP)
    with backend.parts.database.read() as session:
        days = {row.camera_id: row for row in session.scalars(select(CameraDayRow))}
    always, in_turn = days["cam-a1"], days["cam-a2"]
    assert (always.operating, always.streamed, always.watched) == (120, 120, 120)
    assert (in_turn.operating, in_turn.streamed, in_turn.watched) == (120, 120, 15), (
        "its picture came all along"
    )
    found = coverage(backend, "admin")
    assert (found["in_turn"]["part"], found["longest_revisit_s"]) == (1, 210)


def test_a_camera_that_takes_turns_says_so_wherever_it_is_listed(backend: Backend) -> None:
    now = backend.clock.now()
    hear(backend, now, "cam-a1")
    take_turns(backend, "cam-a1", 0.125)
    client = backend.logged_in("admin")
    told = client.get("/api/v1/cameras/cam-a1").json()["turns"]
    assert (told["share"], told["watch_s"], told["revisit_s"], told["watched_now"]) == (0.125, 30, 210, False)
    for page in ("/cameras", "/cameras/cam-a1/live", "/premises"):
        assert "轮巡：每 4 分钟 内至少看 30 秒" in " ".join(client.get(page).text.split()), page
    assert "轮巡摄像头" in client.get("/duty").text
    with backend.parts.database.write() as session:
        session.get_one(CameraStateRow, "cam-a1").take_turns(None)
    assert "轮巡" not in client.get("/cameras").text


@pytest.mark.parametrize(
    ("hours", "local", "is_open"),
    [
        ({}, "2026-03-02T03:00", True),
        ({"mon": ["10:00-22:00"]}, "2026-03-02T10:00", True),
        ({"mon": ["10:00-22:00"]}, "2026-03-02T22:00", False),
        ({"mon": ["10:00-14:00", "17:00-21:30"]}, "2026-03-02T15:00", False),
        ({"mon": ["18:00-02:00"]}, "2026-03-02T23:00", True),
        ({"mon": ["18:00-02:00"]}, "2026-03-03T01:59", True),
        ({"mon": ["18:00-02:00"]}, "2026-03-03T02:00", False),
        ({"mon": ["18:00-02:00"]}, "2026-03-02T01:00", False),
        ({"tue": ["10:00-22:00"]}, "2026-03-02T12:00", False),
    ],
)
def test_opening_hours_and_those_over_midnight(
    hours: dict[str, list[str]], local: str, is_open: bool
) -> None:
    assert is_open_at(hours, datetime.fromisoformat(local)) is is_open


def test_coverage_is_premises_with_an_active_camera_of_those_in_business(any_backend: Backend) -> None:
    undisturbed(any_backend)
    hear(any_backend, NOON, "cam-a1")
    count(any_backend, NOON)
    city = coverage(any_backend, "supervisor")
    assert city["covered"] == {"part": 1, "whole": 3, "rate": pytest.approx(1 / 3)}
    assert city["cameras_blind"]["part"] == 3
    assert {one["camera_id"]: one["state"] for one in city["blind"]} == {
        "cam-a2": "offline", "cam-b1": "offline", "cam-c1": "unknown",
    }  # fmt: skip
    assert (
        next(one for one in city["blind"] if one["camera_id"] == "cam-a2")["reason"]
        == "no route to the camera"
    )
    assert [(one["name"], one["covered"]["part"], one["covered"]["whole"]) for one in city["areas"]] == [
        ("兴庆区", 1, 2), ("金凤区", 0, 1),
    ]  # fmt: skip
    assert city["days"][-1]["covered"] == city["covered"]
    assert city["days"][0]["covered"]["rate"] is None, "nobody knows of a day before the first"
    assert city["watched"]["part"] == sum(one["watched"]["part"] for one in city["areas"]) == 5


def test_coverage_ends_at_the_scope(backend: Backend) -> None:
    undisturbed(backend)
    hear(backend, NOON, "cam-a1")
    assert coverage(backend, "regulator")["covered"]["whole"] == 2
    other = coverage(backend, "regulator2")
    assert other["covered"]["whole"] == 1
    assert [one["camera_id"] for one in other["blind"]] == ["cam-c1"]
    grids = {one["code"]: one["id"] for one in backend.logged_in("admin").get("/api/v1/grids").json()}
    foreign = backend.logged_in("regulator2").get(
        "/api/v1/statistics/coverage", params={"grid_id": grids["grid-1"]}
    )
    assert foreign.status_code == 404
    assert backend.logged_in("manager_a").get("/api/v1/statistics/coverage").status_code == 403


def test_zones_that_a_kind_of_business_must_show(backend: Backend) -> None:
    undisturbed(backend)
    admin = backend.logged_in("admin")
    found = coverage(backend, "admin")
    asked = found["zones"]["whole"]
    required = backend.parts.settings.presence.required_zones
    kinds = [one["business_type"] for one in admin.get("/api/v1/premises").json()["items"]]
    assert asked == sum(len(required.get(kind, ())) for kind in kinds)
    assert found["zones"]["part"] == 0
    assert len(found["zone_gaps"]) == sum(kind in required for kind in kinds)
