"""Reports, bulletins and the daily list of supervision over the API."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import Visitor
from kitchen_watch.backend.bounds import MAX_ID, PlaceId, RowId
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.pages.languages import languages
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.reports import duties, forms, service
from kitchen_watch.backend.reports.schemas import (
    MEDIA_TYPES,
    CheckResult,
    ConfirmBody,
    DutyList,
    Form,
    ReportDetail,
    ReportPage,
)
from kitchen_watch.backend.reports.tables import ReportKind
from kitchen_watch.backend.reports.views import report_detail, report_page, supplement_view
from kitchen_watch.errors import NotFound

router = APIRouter(prefix="/api/v1", tags=["reports"])

_Id = Annotated[int, Path(ge=0, le=MAX_ID)]
_Node = Annotated[PlaceId | None, Query(description="only this node of the tree and those below it")]
_Cursor = Annotated[RowId | None, Query(description="next_cursor of the page before")]
_Limit = Annotated[int, Query(ge=1, le=200)]
_Language = Annotated[Literal["zh", "en"], Query(description="language of labels; names stay as they are")]
_FILES: dict[int | str, dict[str, object]] = {
    200: {
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}
    }
}
REPORTS = (ReportKind.DAILY, ReportKind.WEEKLY, ReportKind.MONTHLY)
BULLETINS = (ReportKind.BULLETIN,)


@router.get("/reports", summary="Reports")
def list_reports(
    person: Regulator,
    parts: PartsOf,
    *,
    kind: Literal["daily", "weekly", "monthly"] | None = None,
    grid_id: _Node = None,
    to_confirm: Annotated[bool, Query(description="only those that you are asked to confirm")] = False,
    cursor: _Cursor = None,
    limit: _Limit = 50,
) -> ReportPage:
    """Issued reports of the nodes in your area, newest first."""
    kinds = REPORTS if kind is None else (ReportKind(kind),)
    with parts.database.read() as session:
        return report_page(
            session, person, kinds=kinds, node_id=grid_id, to_confirm=to_confirm, before=cursor, limit=limit
        )


@router.get("/bulletins", summary="Bulletins")
def list_bulletins(
    person: Regulator,
    parts: PartsOf,
    *,
    grid_id: _Node = None,
    to_confirm: Annotated[bool, Query(description="only those that you are asked to confirm")] = False,
    cursor: _Cursor = None,
    limit: _Limit = 50,
) -> ReportPage:
    """Bulletins (通报) of the nodes in your area, newest first."""
    with parts.database.read() as session:
        return report_page(
            session,
            person,
            kinds=BULLETINS,
            node_id=grid_id,
            to_confirm=to_confirm,
            before=cursor,
            limit=limit,
        )


@router.get("/reports/tonight", summary="What supervision must look at tonight")
def tonight(person: Regulator, parts: PartsOf) -> DutyList:
    """日督查: overdue cases, tier 1, repeat offenders, cameras that are not seen, and missing reports."""
    with parts.database.read() as session:
        return duties.duty_list(session, person, parts.settings.reports, now=parts.clock.now())


@router.get(
    "/reports/tonight/pdf",
    summary="The same as PDF",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
def tonight_pdf(
    person: Regulator, visitor: VisitorOf, parts: PartsOf, language: _Language = "zh"
) -> Response:
    """To take along; the download is written down."""
    now = parts.clock.now()
    with parts.database.write() as session:
        found = duties.duty_list(session, person, parts.settings.reports, now=now)
        record(session, Actor(person.id, visitor.address), "duty_list_downloaded", at=now)
    file = duties.to_pdf(found, languages()[language], parts.settings.reports)
    return _file(file, "pdf", f"duties-{now:%Y%m%d}", f"日督查{now:%Y%m%d}")


@router.get("/reports/{report_id}", summary="One report")
def get_report(report_id: _Id, person: Regulator, parts: PartsOf) -> ReportDetail:
    """What stands in it, whether it is intact, its supplements, and who has confirmed it."""
    return _detail(parts, person, report_id, REPORTS)


@router.get("/bulletins/{report_id}", summary="One bulletin")
def get_bulletin(report_id: _Id, person: Regulator, parts: PartsOf) -> ReportDetail:
    """What stands in it, whether it is intact, and who has confirmed it."""
    return _detail(parts, person, report_id, BULLETINS)


@router.get(
    "/reports/{report_id}/{form}", summary="A report as a file", response_class=Response, responses=_FILES
)
def download_report(
    report_id: _Id,
    form: Form,
    person: Regulator,
    visitor: VisitorOf,
    parts: PartsOf,
    language: _Language = "zh",
) -> Response:
    """PDF, XLSX, CSV or JSON, checked against its seal; JSON is the very text under it. Written down."""
    return _download(parts, person, visitor, report_id, REPORTS, form, language)


@router.get(
    "/bulletins/{report_id}/{form}", summary="A bulletin as a file", response_class=Response, responses=_FILES
)
def download_bulletin(
    report_id: _Id,
    form: Form,
    person: Regulator,
    visitor: VisitorOf,
    parts: PartsOf,
    language: _Language = "zh",
) -> Response:
    """The same for a bulletin."""
    return _download(parts, person, visitor, report_id, BULLETINS, form, language)


@router.post("/reports/{report_id}/publish", summary="Publish a report")
def publish_report(report_id: _Id, _person: Regulator, write: Writing) -> ReportDetail:
    """Officers of the grid, supervisors, administrators: those concerned are asked to confirm it."""
    return _publish(write, report_id, REPORTS)


@router.post("/bulletins/{report_id}/publish", summary="Publish a bulletin")
def publish_bulletin(report_id: _Id, _person: Regulator, write: Writing) -> ReportDetail:
    """The same for a bulletin; it goes to every officer below."""
    return _publish(write, report_id, BULLETINS)


@router.post("/reports/{report_id}/acknowledge", summary="Confirm a report")
def confirm_report(report_id: _Id, body: ConfirmBody, _person: Regulator, write: Writing) -> ReportDetail:
    """Who was asked to; once."""
    return _confirm(write, report_id, REPORTS, body)


@router.post("/bulletins/{report_id}/acknowledge", summary="Confirm a bulletin")
def confirm_bulletin(report_id: _Id, body: ConfirmBody, _person: Regulator, write: Writing) -> ReportDetail:
    """Who was asked to; once."""
    return _confirm(write, report_id, BULLETINS, body)


@router.post("/reports/{report_id}/check", summary="Check a report against what is known now")
def check_report(report_id: _Id, _person: Regulator, write: Writing, parts: PartsOf) -> CheckResult:
    """A supplement where a line is different now; it also comes by itself with the next daily report."""

    def done(session: Session, by: Author) -> CheckResult:
        row = service.check_again(
            session, by.person, report_id, parts.settings.reports, by=by.actor, now=by.now
        )
        return CheckResult(supplement=None if row is None else supplement_view(row))

    return write.answer(None, CheckResult, done)


def _of(session: Session, person: Person, report_id: int, kinds: tuple[ReportKind, ...]) -> None:
    if service.visible_report(session, person, report_id).kind not in kinds:
        raise NotFound(f"There is no report {report_id} that you may see.")


def _detail(parts: Parts, person: Person, report_id: int, kinds: tuple[ReportKind, ...]) -> ReportDetail:
    with parts.database.read() as session:
        _of(session, person, report_id, kinds)
        return report_detail(session, person, service.visible_report(session, person, report_id))


def _publish(write: Writing, report_id: int, kinds: tuple[ReportKind, ...]) -> ReportDetail:
    def done(session: Session, by: Author) -> ReportDetail:
        _of(session, by.person, report_id, kinds)
        row = service.publish(session, by.person, report_id, by=by.actor, now=by.now)
        return report_detail(session, by.person, row)

    return write.answer(None, ReportDetail, done)


def _confirm(
    write: Writing, report_id: int, kinds: tuple[ReportKind, ...], body: ConfirmBody
) -> ReportDetail:
    def done(session: Session, by: Author) -> ReportDetail:
        _of(session, by.person, report_id, kinds)
        row = service.acknowledge(session, by.person, report_id, note=body.note, by=by.actor, now=by.now)
        return report_detail(session, by.person, row)

    return write.answer(body, ReportDetail, done)


def _download(
    parts: Parts,
    person: Person,
    visitor: Visitor,
    report_id: int,
    kinds: tuple[ReportKind, ...],
    form: Form,
    language: Literal["zh", "en"],
) -> Response:
    with parts.database.write() as session:
        _of(session, person, report_id, kinds)
        report = service.visible_report(session, person, report_id)
        supplements = forms.sealed(session, report)
        record(
            session,
            Actor(person.id, visitor.address),
            "report_downloaded",
            at=parts.clock.now(),
            about=("report", report.id),
            reference=report.reference,
            form=form,
        )
    # Printing takes a while: outside of any transaction.
    file = forms.file_of(report, supplements, form, languages()[language])
    return _file(file, form, f"report-{report.id}", report.reference)


def _file(file: bytes, form: Form, plain: str, name: str) -> Response:
    shown = "inline" if form == "pdf" else "attachment"
    return Response(
        file,
        media_type=MEDIA_TYPES[form],
        headers={
            "content-disposition": f"{shown}; filename={plain}.{form}; filename*=UTF-8''{quote(name)}.{form}",
            "cache-control": "private, no-store",
        },
    )
