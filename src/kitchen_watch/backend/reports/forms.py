"""A report in one of its forms as a file, from the content that was sealed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kitchen_watch.backend.pages.languages import Language
from kitchen_watch.backend.pages.report_words import SUPPLEMENT
from kitchen_watch.backend.reports import pdf, workbook
from kitchen_watch.backend.reports.content import ReportContent, SupplementContent
from kitchen_watch.backend.reports.layout import Grid, lay_out, lay_out_supplement
from kitchen_watch.backend.reports.schemas import Form
from kitchen_watch.backend.reports.service import DAMAGED, intact, supplements_of
from kitchen_watch.backend.reports.tables import ReportRow, SupplementRow
from kitchen_watch.errors import Conflict


def sealed(session: Session, report: ReportRow) -> list[SupplementRow]:
    """The supplements of a report, after all seals were checked.

    Raises:
        Conflict: the report or a supplement is not what was issued.
    """
    supplements = supplements_of(session, report.id)
    if not (intact(report) and all(intact(row) for row in supplements)):
        raise Conflict(DAMAGED)
    return supplements


def file_of(report: ReportRow, supplements: list[SupplementRow], form: Form, language: Language) -> bytes:
    """The file; as JSON it is the very text under the seal, without supplements."""
    if form == "json":
        return report.content.encode()
    content = ReportContent.model_validate_json(report.content)
    document = lay_out(content, language)
    added = appendix(supplements, ZoneInfo(content.time_zone), language)
    if form == "pdf":
        return pdf.render(document, issued_at=report.issued_at, supplements=added)
    return workbook.to_xlsx(document, added) if form == "xlsx" else workbook.to_csv(document, added)


def appendix(
    supplements: list[SupplementRow], zone: ZoneInfo, language: Language
) -> list[tuple[str, tuple[Grid, Grid]]]:
    """What the supplements say, with their titles."""
    return [
        (
            language.gettext(SUPPLEMENT) % {"number": row.number},
            lay_out_supplement(SupplementContent.model_validate_json(row.content), zone, language),
        )
        for row in supplements
    ]
