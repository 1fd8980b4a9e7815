"""The pages of reports: the list, one report with its supplements, bulletins, and tonight's list."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path, Request
from markupsafe import Markup
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.organisations.service import node_tree
from kitchen_watch.backend.pages import charts
from kitchen_watch.backend.pages import report_words as words
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.reports import service
from kitchen_watch.backend.reports.duties import duty_list, lay_out_duties
from kitchen_watch.backend.reports.forms import appendix
from kitchen_watch.backend.reports.layout import LaidOut, lay_out
from kitchen_watch.backend.reports.schemas import MEDIA_TYPES, ConfirmBody
from kitchen_watch.backend.reports.tables import ReportKind
from kitchen_watch.backend.reports.views import report_detail, report_page
from kitchen_watch.errors import NotFound

router = APIRouter(include_in_schema=False)

REPORTS_PER_PAGE = 30
_Id = Annotated[int, Path(ge=0, le=MAX_ID)]
_Text = Annotated[str, Form(max_length=2000)]


@router.get("/reports")
def show_reports(request: Request, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """Reports and bulletins in scope; addresses are typed and shared, so odd values are left out."""
    values = request.query_params
    kinds = tuple(kind for kind in ReportKind if kind.value == values.get("kind"))
    cursor = values.get("cursor", "")
    short = cursor.isascii() and cursor.isdigit() and len(cursor) <= len(str(MAX_ID))
    before = min(int(cursor), MAX_ID) if short else None
    to_confirm = values.get("confirm") == "1"
    with parts.database.read() as session:
        nodes = node_tree(session, person)
        node_id = next((node.id for node in nodes if str(node.id) == values.get("grid", "")), None)
        found = report_page(
            session,
            person,
            kinds=kinds or tuple(ReportKind),
            node_id=node_id,
            below=values.get("below") == "1",
            to_confirm=to_confirm,
            before=before,
            limit=REPORTS_PER_PAGE,
        )
        waiting = report_page(session, person, kinds=tuple(ReportKind), to_confirm=True, limit=1)
    return page(
        "reports.html",
        frame,
        reports=found.items,
        older=found.next_cursor,
        nodes=nodes,
        node_id=node_id,
        below=values.get("below") == "1",
        kind=kinds[0].value if kinds else "",
        to_confirm=to_confirm,
        waiting=bool(waiting.items),
        words=words,
    )


@router.get("/reports/tonight")
def show_tonight(person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """日督查: what to look at tonight."""
    with parts.database.read() as session:
        found = duty_list(session, person, parts.settings.reports, now=frame.now)
    return page(
        "tonight.html",
        frame,
        found=found,
        document=lay_out_duties(found, frame.language, parts.settings.reports),
        words=words,
    )


@router.get("/reports/{report_id}")
def show_report(report_id: _Id, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """One report as it was issued, its supplements beside it."""
    return _show(report_id, person, frame, parts, bulletin=False)


@router.get("/bulletins/{report_id}")
def show_bulletin(report_id: _Id, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """One bulletin as it was issued."""
    return _show(report_id, person, frame, parts, bulletin=True)


@router.post("/reports/{report_id}/publish")
def publish(report_id: _Id, person: Regulator, visitor: VisitorOf, parts: PartsOf) -> Response:
    """Publish a report or bulletin."""
    with parts.database.write() as session:
        row = service.publish(
            session, person, report_id, by=Actor(person.id, visitor.address), now=parts.clock.now()
        )
        address = _address(row.id, row.kind)
    return go_to(address)


@router.post("/reports/{report_id}/acknowledge")
def confirm(
    report_id: _Id, person: Regulator, visitor: VisitorOf, parts: PartsOf, note: _Text = ""
) -> Response:
    """The report was read."""
    body = ConfirmBody(note=note.replace("\0", ""))
    with parts.database.write() as session:
        row = service.acknowledge(
            session,
            person,
            report_id,
            note=body.note,
            by=Actor(person.id, visitor.address),
            now=parts.clock.now(),
        )
        address = _address(row.id, row.kind)
    return go_to(address)


@router.post("/reports/{report_id}/check")
def check(report_id: _Id, person: Regulator, visitor: VisitorOf, parts: PartsOf) -> Response:
    """Compare it with what is known now."""
    with parts.database.write() as session:
        row = service.check_again(
            session,
            person,
            report_id,
            parts.settings.reports,
            by=Actor(person.id, visitor.address),
            now=parts.clock.now(),
        )
    return go_to(f"/reports/{report_id}?checked={0 if row is None else row.number}")


def _show(report_id: int, person: Person, frame: Frame, parts: Parts, *, bulletin: bool) -> Response:
    with parts.database.read() as session:
        row = service.visible_report(session, person, report_id)
        if (row.kind is ReportKind.BULLETIN) is not bulletin:
            raise NotFound(f"There is no report {report_id} that you may see.")
        report = report_detail(session, person, row)
        supplements = service.supplements_of(session, row.id)
    zone = ZoneInfo(report.content.time_zone)
    document = lay_out(report.content, frame.language)
    return page(
        "report.html",
        frame,
        report=report,
        document=document,
        plots=drawn(document),
        supplements=appendix(supplements, zone, frame.language),
        forms=tuple(MEDIA_TYPES),
        api="bulletins" if bulletin else "reports",
        checked=frame.address.partition("checked=")[2][:1],
        may_check=not bulletin and service.may_publish(person),
        words=words,
    )


def drawn(document: LaidOut) -> dict[str, list[Markup]]:
    """The plots of a report as pictures, by section."""
    return {
        part.key: [
            charts.ranking(
                plot.labels, [charts.Series(name, values) for name, values in plot.series], title=plot.title
            )
            for plot in part.plots
        ]
        for part in document.parts
    }


def _address(report_id: int, kind: ReportKind) -> str:
    return f"/{'bulletins' if kind is ReportKind.BULLETIN else 'reports'}/{report_id}"
