"""Numbers a report, seals it and writes it down: together with its node's clock, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.reports.content import (
    ReportContent,
    SupplementContent,
    canonical,
    seal,
)
from kitchen_watch.backend.reports.tables import ReportCounterRow, ReportKind, ReportRow, SupplementRow

_MARKS: Mapping[ReportKind, str] = MappingProxyType(
    {
        ReportKind.DAILY: "食安日报",
        ReportKind.WEEKLY: "食安周报",
        ReportKind.MONTHLY: "食安月报",
        ReportKind.BULLETIN: "食安通报",
    }
)


def reference_of(kind: ReportKind, issuer: str, year: int, number: int) -> str:
    """The number as it stands on the document, such as 兴庆区食安日报〔2026〕61号."""
    return f"{issuer}{_MARKS[kind]}〔{year}〕{number}号"


def issue_report(session: Session, drawn: ReportContent, *, by: Actor, now: datetime) -> ReportRow:
    """Write down a report that was drawn up before; it gets its number here.

    The number is taken in the caller's transaction and given back with it: no gaps, none twice.
    """
    last = drawn.last_day
    year = int(last[:4])
    number = _next_number(session, drawn.node.id, drawn.kind, year)
    content = drawn.model_copy(update={"reference": reference_of(drawn.kind, drawn.node.name, year, number)})
    text = canonical(content)
    row = ReportRow(
        kind=drawn.kind,
        node_id=drawn.node.id,
        day=date.fromisoformat(last),
        year=year,
        number=number,
        reference=content.reference,
        since_at=drawn.since_at,
        until_at=drawn.until_at,
        drawn_at=drawn.drawn_at,
        issued_at=now,
        issued_by=by.person_id,
        content=text,
        sha256=seal(text),
    )
    session.add(row)
    session.flush()
    record(
        session,
        by,
        "report_issued",
        at=now,
        about=("report", row.id),
        reference=row.reference,
        sha256=row.sha256,
    )
    return row


def issue_supplement(
    session: Session, report: ReportRow, content: SupplementContent, *, by: Actor, now: datetime
) -> SupplementRow:
    """Write down a supplement under the number it was drawn up with."""
    text = canonical(content)
    row = SupplementRow(
        report_id=report.id,
        number=content.number,
        drawn_at=content.drawn_at,
        issued_at=now,
        issued_by=by.person_id,
        content=text,
        sha256=seal(text),
    )
    session.add(row)
    session.flush()
    record(
        session,
        by,
        "report_supplemented",
        at=now,
        about=("report", report.id),
        reference=report.reference,
        number=row.number,
        sha256=row.sha256,
    )
    return row


def _next_number(session: Session, node_id: int, kind: ReportKind, year: int) -> int:
    exclusive(session, f"reports/{node_id}/{kind}/{year}")
    key = (node_id, kind, year)
    counter = session.get(ReportCounterRow, key, populate_existing=True)
    if counter is None:
        counter = ReportCounterRow(node_id=node_id, kind=kind, year=year, last=0)
        session.add(counter)
    counter.last += 1
    session.flush()
    return counter.last
