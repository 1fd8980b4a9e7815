"""What a bureau steers by: coverage, the forecast with absent officers, rules by node, figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.patrols.figures import PatrolFigures, patrols_figures
from kitchen_watch.backend.patrols.warning import SweepWarnings
from kitchen_watch.clock import ManualClock
from tests.backend.patrols.inspectors import Inspectors
from tests.backend.support import NOON, Backend, running

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def inspectors(tmp_path: Path, clock: ManualClock) -> Iterator[Inspectors]:
    with running(tmp_path, clock=clock, session_idle=200 * DAY, session_lifetime=300 * DAY) as one:
        yield Inspectors(one)


def path_of(backend: Backend, code: str) -> str:
    with backend.parts.database.read() as session:
        return session.scalars(select(NodeRow.path).where(NodeRow.code == code)).one()


def figures(backend: Backend, code: str, since_day: float, until_day: float) -> PatrolFigures:
    path = path_of(backend, code)
    with backend.parts.database.read() as session:
        return patrols_figures(session, path, NOON + since_day * DAY, NOON + until_day * DAY)


def warnings_of(inspectors: Inspectors) -> int:
    parts = inspectors.backend.parts
    return SweepWarnings(parts.database, parts.clock, parts.settings.patrols).look()


def test_an_officer_who_is_gone_for_good_is_told_before_the_first_limit_passes(
    inspectors: Inspectors, clock: ManualClock
) -> None:
    sweep = inspectors.ask("supervisor", "GET", "/sweep")
    assert (sweep["premises"], sweep["looked_at"], sweep["will_be_late"]) == (3, 0, 0)
    assert [(one["node_name"], one["officers"], one["needed"]) for one in sweep["units"]] == [
        ("一号网格", 1, 1),
        ("二号网格", 1, 1),
    ]
    assert warnings_of(inspectors) == 0
    with inspectors.backend.parts.database.read() as session:
        who = session.scalars(select(PersonRow.id).where(PersonRow.username == "regulator")).one()
    gone = {"person_id": who, "since_at": NOON.isoformat(), "note": "调离"}
    inspectors.ask("regulator2", "POST", "/absences", 404, json=gone)  # not in their area
    week = gone | {"until_at": (NOON + 7 * DAY).isoformat(), "note": "休假"}
    inspectors.ask("supervisor", "POST", "/absences", 201, json=week)
    assert inspectors.ask("supervisor", "GET", "/sweep")["will_be_late"] == 0  # back in time
    inspectors.ask("supervisor", "POST", "/absences", 201, json=gone)
    sweep = inspectors.ask("supervisor", "GET", "/sweep")
    (grid,) = [one for one in sweep["units"] if one["will_be_late"]]
    assert (grid["node_name"], grid["officers"], grid["capacity"], grid["will_be_late"]) == (
        "一号网格",
        0,
        0,
        2,
    )
    assert grid["first_late_at"] > (NOON + 89 * DAY).isoformat()  # three months before it is too late
    assert {one["name"] for one in grid["late_premises"]} == {"甲饭店", "乙饭店"}
    assert (warnings_of(inspectors), warnings_of(inspectors)) == (1, 0)  # once a day, whoever looks
    clock.advance(DAY)
    assert warnings_of(inspectors) == 1
    told = inspectors.ask("regulator", "GET", "/sweep")["warnings"]
    assert [(one["node_name"], one["late"], one["day"]) for one in told] == [
        ("一号网格", 2, "2026-03-03"),
        ("一号网格", 2, "2026-03-02"),
    ]
    assert inspectors.ask("regulator2", "GET", "/sweep")["warnings"] == []
    away = inspectors.ask("supervisor", "GET", "/absences")["items"]
    for one in away:
        inspectors.ask("supervisor", "DELETE", f"/absences/{one['id']}")
    assert inspectors.ask("supervisor", "GET", "/sweep")["will_be_late"] == 0


def test_a_node_has_rules_of_its_own_and_those_above_hold_elsewhere(inspectors: Inspectors) -> None:
    node = int(path_of(inspectors.backend, "district-2").split("/")[-2])
    before = inspectors.ask("supervisor", "GET", f"/rules/{node}")
    assert (before["period_days"], before["set_at_node_id"]) == (90, None)
    body: dict[str, Any] = {"period_days": 30, "looks": {"A": 1, "B": 1, "C": 2, "D": 4}}
    inspectors.ask("regulator2", "PUT", f"/rules/{node}", 403, json=body)
    set_ = inspectors.ask("supervisor", "PUT", f"/rules/{node}", json=body)
    assert (set_["period_days"], set_["set_at_node_id"], set_["version"]) == (30, node, 1)
    inspectors.ask("supervisor", "PUT", f"/rules/{node}", 409, json=body | {"version": 7})
    limits = {
        one["premises"]["name"]: one["limit_at"][:10]
        for one in inspectors.ask("supervisor", "GET", "/queue")["items"]
    }
    assert limits == {"丙食堂": "2026-04-01", "甲饭店": "2026-05-31", "乙饭店": "2026-05-31"}


def test_the_figures_of_a_city_are_the_sum_of_its_grids(inspectors: Inspectors, clock: ManualClock) -> None:
    backend = inspectors.backend
    done = inspectors.check(1)
    inspectors.photo(done, "pests", seed=5)
    done = inspectors.ask("regulator", "GET", f"/{done['check_id']}")
    inspectors.done(
        done, answers={"pests": {"value": "no"}}, findings=[{"item": "pests", "due_on": "2026-03-03"}]
    )
    inspectors.done(inspectors.check(3, "supervisor"), "supervisor")
    given_back = inspectors.check(2)
    body = {"version": given_back["version"], "note": "停业"}
    inspectors.ask("regulator", "POST", f"/{given_back['check_id']}/withdraw", json=body)
    inspectors.check(2)  # nobody goes on with it: it lapses
    clock.advance(3 * DAY)

    city, one, two = (figures(backend, code, 0, 2) for code in ("city", "grid-1", "grid-2"))
    assert (city.premises, city.premises_looked_at, city.checks) == (3, 2, 2)
    assert (city.forms, city.forms_complete, city.findings, city.checks_with_findings) == (4, 2, 1, 1)
    assert (city.findings_due, city.findings_in_time) == (1, 0)
    for field in fields(PatrolFigures):
        if field.name != "watchers":
            parts = [getattr(grid, field.name) for grid in (one, two)]
            assert getattr(city, field.name) == sum(parts), field.name
    assert figures(backend, "city", 2, 4).checks == 0  # half open: what ended before does not count again
    late = [figures(backend, "city", 0, days).premises_late for days in (90, 91)]
    assert late == [0, 3]  # each was due again after ninety days, and nobody came
