"""A district in which reports are issued: alerts at noon, and evenings that come when told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.notifications.channels import teller_of
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.reports.content import ReportContent
from kitchen_watch.backend.reports.tables import ReportKind, ReportRow
from kitchen_watch.backend.reports.timer import ReportTimer
from kitchen_watch.clock import ManualClock
from tests.backend.stories import Violation, deliver, opening
from tests.backend.support import Backend, running

QUIET: dict[str, Any] = {
    "outgoing": {"send_here": False},
    "deadline_look_s": 3600.0,
    "reports": {"look_every_s": 3600.0},
}
EVENING = timedelta(hours=8, minutes=30)
"""From the noon at which every story begins to the cut-off at 20:30."""
DAY = timedelta(days=1)


@contextmanager
def district(directory: Path, **more: Any) -> Iterator[Backend]:
    """Monday noon: three alerts in grid 1 (one a rodent), one in grid 2."""
    with running(directory, **(QUIET | more)) as backend:
        look(backend)  # the clocks of all nodes stand at this evening
        deliver(backend, opening(), Violation(code="RODENT", tier=1).tell(), opening("cam-b1"))
        deliver(backend, opening("cam-c1", edge_id="edge-2"), edge_id="edge-2")
        yield backend


def look(backend: Backend) -> int:
    """Another process looks once."""
    settings = backend.parts.settings
    database = Database(settings.database)
    try:
        return ReportTimer(database, backend.clock, settings.reports, teller=teller_of(settings)).look()
    finally:
        database.close()


def pass_time(backend: Backend, duration: timedelta) -> None:
    assert isinstance(backend.clock, ManualClock)
    backend.clock.advance(duration)


def evening(backend: Backend) -> None:
    """The first cut-off comes, and the timer looks."""
    pass_time(backend, EVENING)
    look(backend)


def reports(backend: Backend, kind: ReportKind = ReportKind.DAILY) -> list[ReportRow]:
    with backend.parts.database.read() as session:
        return list(session.scalars(select(ReportRow).where(ReportRow.kind == kind).order_by(ReportRow.id)))


def report_of(backend: Backend, node: str, kind: ReportKind = ReportKind.DAILY) -> ReportRow:
    """The newest report of a node."""
    with backend.parts.database.read() as session:
        return session.scalars(
            select(ReportRow)
            .join(NodeRow, NodeRow.id == ReportRow.node_id)
            .where(NodeRow.code == node, ReportRow.kind == kind)
            .order_by(ReportRow.id.desc())
        ).first() or _none(node)


def _none(node: str) -> ReportRow:
    raise AssertionError(f"no report of {node}")


def figures(row: ReportRow, section: str = "alerts") -> dict[str, tuple[int, int | None]]:
    """Value and denominator of every figure of a section."""
    content = ReportContent.model_validate_json(row.content)
    return {
        figure.key: (figure.now.value, figure.now.out_of)
        for part in content.sections
        if part.key == section
        for figure in part.figures
    }


def rows(row: ReportRow, table: str) -> list[list[Any]]:
    """The cells of one of a report's tables."""
    content = ReportContent.model_validate_json(row.content)
    return next(one.rows for part in content.sections for one in part.tables if one.key == table)


def take(backend: Backend, alert_id: int, *steps: tuple[str, str, dict[str, Any]]) -> None:
    """Steps of a case by people: who, what, with which words. The version is looked up."""
    for username, step, more in steps:
        person = backend.logged_in(username)
        version = person.get(f"/api/v1/alerts/{alert_id}/case").json()["version"]
        answer = person.post(f"/api/v1/alerts/{alert_id}/{step}", json={"version": version, **more})
        assert answer.status_code == 200, answer.text


Told = tuple[str, str, dict[str, Any]]
REJECT: Told = ("regulator", "reject", {"reason": "steam_or_smoke"})
VERIFY: Told = ("regulator", "verify", {})
ASSIGN: Told = ("regulator", "assign", {})
