"""Sample contents of the pages of reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.organisations.schemas import NodeView
from kitchen_watch.backend.organisations.tables import NodeKind
from kitchen_watch.backend.pages import report_words as words
from kitchen_watch.backend.pages.languages import languages
from kitchen_watch.backend.pages.report_routes import drawn
from kitchen_watch.backend.reports.content import (
    Cause,
    Count,
    Difference,
    Figure,
    NodeBrief,
    ReportContent,
    Rows,
    Section,
    SupplementContent,
)
from kitchen_watch.backend.reports.duties import lay_out_duties
from kitchen_watch.backend.reports.layout import lay_out, lay_out_supplement
from kitchen_watch.backend.reports.schemas import (
    MEDIA_TYPES,
    DutyLine,
    DutyList,
    ReceiptView,
    ReportDetail,
    ReportView,
    SupplementView,
)
from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.reports.tables import ReportKind

AT = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
HASH = "ab" * 32


def report_pages(name: str, regulator: Person) -> Mapping[str, tuple[str, Person | None, dict[str, Any]]]:
    """Template, reader and content."""
    zh = languages()["zh"]
    report, supplement = _detail(name), _supplement(name)
    document = lay_out(report.content, zh)
    shown = {
        "report": report,
        "document": document,
        "plots": drawn(document),
        "supplements": [(name, lay_out_supplement(supplement, ZoneInfo("Asia/Shanghai"), zh))],
        "forms": tuple(MEDIA_TYPES),
        "api": "reports",
        "checked": "0",
        "may_check": True,
        "words": words,
    }
    bare = report.model_copy(
        update={"published_at": None, "receipts": [], "intact": False, "can_publish": True, "sha256": HASH}
    )
    listed = {
        "reports": [ReportView(**report.model_dump(include=set(ReportView.model_fields)))],
        "older": "7",
        "nodes": [
            NodeView(
                id=1, parent_id=None, kind=NodeKind.GRID, code="g", name=name, name_en="", path="/1/", depth=0
            )
        ],
        "node_id": 1,
        "below": True,
        "kind": "daily",
        "to_confirm": False,
        "waiting": True,
        "words": words,
    }
    duties = _duties(name)
    tonight = {
        "found": duties, "document": lay_out_duties(duties, zh, ReportSettings()), "words": words,
    }  # fmt: skip
    return {
        "reports": ("reports.html", regulator, listed),
        "no reports": ("reports.html", regulator, {**listed, "reports": [], "older": None, "nodes": []}),
        "report": ("report.html", regulator, shown),
        "report, damaged": ("report.html", regulator, {**shown, "report": bare, "supplements": []}),
        "tonight": ("tonight.html", regulator, tonight),
    }


def _content(name: str) -> ReportContent:
    one = Count(value=3)
    return ReportContent(
        kind=ReportKind.DAILY,
        node=NodeBrief(id=1, code="g", name=name, name_en=name, path="/1/", place=name),
        reference=name,
        first_day="2026-03-02",
        last_day="2026-03-02",
        time_zone="Asia/Shanghai",
        since_at=AT - timedelta(days=1),
        until_at=AT,
        drawn_at=AT,
        responsible=[name],
        sections=[
            Section(
                key="alerts",
                figures=[
                    Figure(key="found", now=one, before=one, week=one),
                    Figure(
                        key="false_alarm_rate", now=Count(value=1, out_of=3), before=Count(value=0, out_of=0)
                    ),
                    Figure(key="time_to_rectify", now=Count(value=600, out_of=2), unit="seconds"),
                ],
                tables=[
                    Rows(
                        key="by_code",
                        columns=["code", "found", "false_alarms", "before"],
                        rows=[["NO_HAT", 3, 0, 1], [name, 1, 1, 0]],
                    )
                ],
            ),
            Section(
                key="overdue",
                tables=[
                    Rows(
                        key="overdue",
                        columns=["alert", "premises", "code", "tier", "state", "overdue_hours"],
                        rows=[[12, name, "RODENT", 1, "assigned", 5]],
                    ),
                    Rows(key="repeat_offenders", columns=["premises", "code"], rows=[]),
                ],
            ),
        ],
    )


def _supplement(name: str) -> SupplementContent:
    return SupplementContent(
        report=name,
        report_sha256=HASH,
        number=1,
        drawn_at=AT,
        differences=[
            Difference(
                section="alerts",
                key="false_alarms",
                row=name,
                before=Count(value=0),
                after=Count(value=1),
            )
        ],
        causes=[Cause(alert_id=12, cause="late", code=name, premises=name, at=AT)],
    )


def _detail(name: str) -> ReportDetail:
    return ReportDetail(
        id=5,
        kind=ReportKind.DAILY,
        reference=name,
        node_id=1,
        node=name,
        day=date(2026, 3, 2),
        since_at=AT - timedelta(days=1),
        until_at=AT,
        issued_at=AT,
        supplements=1,
        published_at=AT,
        published_by=name,
        confirmed=1,
        asked=2,
        can_acknowledge=True,
        content=_content(name),
        sha256=HASH,
        intact=True,
        supplement_list=[
            SupplementView(number=1, issued_at=AT, content=_supplement(name), sha256=HASH, intact=False)
        ],
        receipts=[
            ReceiptView(person=name, asked_at=AT, at=None, note="", reminders=2),
            ReceiptView(person=name, asked_at=AT, at=AT, note=name, reminders=0),
        ],
        can_publish=False,
    )


def _duties(name: str) -> DutyList:
    return DutyList(
        drawn_at=AT,
        area=name,
        counts={"overdue": 7, "blind": 0, "report": 1},
        lines=[
            DutyLine(
                duty="overdue", node=name, premises=name, detail="NO_HAT", amount=5, unit="hours",
                page="/alerts/12",
            ),
            DutyLine(
                duty="report", node=name, premises="", detail="", amount=1, unit="hours", page="/reports"
            ),
        ],
    )  # fmt: skip
