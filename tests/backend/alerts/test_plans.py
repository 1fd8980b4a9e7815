"""What pages ask of a large district is answered from indexes: no plan reads the alerts from end to end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, make_url, text

from kitchen_watch.backend.alerts.service import AlertFilters, alert_counts, alert_detail, alert_page
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.app import make_parts
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.sessions import find_person
from kitchen_watch.backend.migrations.apply import upgrade
from kitchen_watch.backend.organisations.overview import camera_overview, premises_choices
from kitchen_watch.backend.organisations.service import premises_page
from kitchen_watch.backend.parts import Parts
from kitchen_watch.clock import SystemClock
from tests.backend.support import make_settings
from tests.postgres import new_database
from tests.support import need

need("psycopg", why="the driver of PostgreSQL; the extra [postgres] brings it")

from benchmarks.district import Size, fill  # noqa: E402

LARGE = {"alerts", "events", "feed_entries", "manifests", "evidence_files", "deadlines"}

pytestmark = [pytest.mark.postgres, pytest.mark.integration]


@pytest.fixture(scope="module")
def district(
    seeded_postgres: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Parts, dict[str, Person]]]:
    """20,000 alerts at 200 premises, and people who see all, some and one of them."""
    url = new_database(seeded_postgres[0])
    assert make_url(url).database
    parts = make_parts(make_settings(tmp_path_factory.mktemp("plans"), database_url=url), SystemClock())
    upgrade(parts.database)
    filled = fill(url, Size(premises=200, cameras=640, alerts=20_000, people=2), vault=parts.vault)
    people: dict[str, Person] = {}
    for visitor in filled.visitors:
        person = find_person(parts.database, visitor.token, now=parts.clock.now(), times=parts.login.times)
        assert person is not None
        people.setdefault(visitor.role, person)
    yield parts, people
    parts.database.close()


@contextmanager
def plans_of(parts: Parts) -> Iterator[list[tuple[str, str]]]:
    """Statement and plan of everything that is asked meanwhile."""
    asked: list[tuple[str, Any]] = []

    def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append((statement, parameters))

    engine = parts.database.engine
    event.listen(engine, "before_cursor_execute", keep)
    plans: list[tuple[str, str]] = []
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", keep)
    with engine.connect() as connection:
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            plans.append((statement, "\n".join(row[0] for row in rows)))
        connection.execute(text("ROLLBACK"))


@pytest.mark.parametrize("role", ["supervisor", "grid_officer", "premises_manager"])
def test_no_page_reads_a_large_table_from_end_to_end(
    district: tuple[Parts, dict[str, Person]], role: str
) -> None:
    parts, people = district
    person, now = people[role], parts.clock.now()
    filters = [
        AlertFilters(),
        AlertFilters(ongoing=True),
        AlertFilters(states=(AlertState.APPEALED,)),
        AlertFilters(codes=("SMOKING",)),  # a kind that nobody has seen: nothing ends the search early
    ]
    with plans_of(parts) as plans, parts.database.read() as session:
        for wanted in filters:
            found = alert_page(session, person, links=parts.links, filters=wanted)
            if found.items:
                alert_detail(
                    session, person, found.items[0].alert_id, links=parts.links, store=parts.evidence
                )
        alert_counts(session, person, now=now, time_zone="Asia/Shanghai")
        premises_page(session, person, limit=40)
        premises_choices(session, person, chosen=None)
        camera_overview(session, person, now=now, troubled=8)
    assert len(plans) > 20
    for statement, plan in plans:
        for table in LARGE:
            assert f"Seq Scan on {table}" not in plan, f"{statement}\n{plan}"


def test_a_full_scan_would_be_noticed(district: tuple[Parts, dict[str, Person]]) -> None:
    parts, _ = district
    with plans_of(parts) as plans, parts.database.read() as session:
        session.execute(text("SELECT count(*) FROM alerts WHERE confidence > 0.99"))
    assert "Seq Scan on alerts" in plans[0][1]
