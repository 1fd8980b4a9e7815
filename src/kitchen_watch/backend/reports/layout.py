"""A report laid out for readers: the one source of its page, its PDF, its workbook and its CSV.

Everything is a table of cells. A cell is a number that a workbook can reckon with, or a text in the
reader's language; how a number is written is decided here, once for all forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal, format_percent

from kitchen_watch.backend.pages import report_words as words
from kitchen_watch.backend.pages import wording
from kitchen_watch.backend.pages.languages import Language
from kitchen_watch.backend.reports.content import (
    Cell,
    Count,
    Difference,
    Figure,
    ReportContent,
    Rows,
    Section,
    SupplementContent,
)
from kitchen_watch.backend.reports.tables import ReportKind


@dataclass(frozen=True, slots=True)
class Share:
    """A share of 1; written as a percentage."""

    value: float


MOST_BARS = 12
Value = int | float | Share | str | None
"""A number, a share, a text, or nothing to say."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as it is shown; ``key`` is that of the content."""

    key: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """Lying bars beside a table that holds the same numbers: labels, and rows of values by name."""

    title: str
    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A section with its tables and plots."""

    key: str
    title: str
    grids: tuple[Grid, ...]
    plots: tuple[Plot, ...] = ()


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A whole document in one language."""

    title: str
    reference: str
    issuer: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    footer: str
    language: Language

    def text(self, value: Value) -> str:
        """A cell as it is read."""
        return text_of(value, self.language)


def text_of(value: Value, language: Language) -> str:
    """A cell as it is read."""
    if value is None:
        return "–"
    if isinstance(value, Share):
        return format_percent(value.value, format="0.0%", locale=language.locale)
    if isinstance(value, float):
        return format_decimal(value, format="#,##0.0", locale=language.locale)
    if isinstance(value, int):
        return format_decimal(value, locale=language.locale)
    return value


def lay_out(content: ReportContent, language: Language) -> LaidOut:
    """The report in a language."""
    _ = language.gettext
    zone = ZoneInfo(content.time_zone)
    days = (
        content.first_day if content.kind is ReportKind.DAILY else f"{content.first_day} – {content.last_day}"
    )
    title = _(words.KINDS[content.kind])
    return LaidOut(
        title=title,
        reference=content.reference,
        issuer=_name(content, language),
        facts=(
            (_(words.FACTS["place"]), content.node.place),
            (_(words.FACTS["days"]), days),
            (
                _(words.FACTS["period"]),
                f"{moment(content.since_at, zone, language)} – {moment(content.until_at, zone, language)}",
            ),
            (_(words.FACTS["cut_off"]), moment(content.until_at, zone, language)),
            (_(words.FACTS["drawn"]), moment(content.drawn_at, zone, language)),
            (
                _(words.FACTS["responsible"]),
                (", " if language.code == "en" else "、").join(content.responsible) or "–",
            ),
        ),
        parts=tuple(_part(section, content, language) for section in content.sections),
        footer=content.reference,
        language=language,
    )


def lay_out_supplement(content: SupplementContent, zone: ZoneInfo, language: Language) -> tuple[Grid, Grid]:
    """The lines that are different, and the alerts behind them."""
    _ = language.gettext
    return (
        Grid(
            key="differences",
            title=_(words.TABLES["differences"]),
            headings=tuple(_(words.COLUMNS[key]) for key in ("line", "as_issued", "corrected", "difference")),
            rows=tuple(
                (
                    difference_name(one, language),
                    one.before.value,
                    one.after.value,
                    one.after.value - one.before.value,
                )
                for one in content.differences
            ),
        ),
        Grid(
            key="causes",
            title=_(words.TABLES["causes"]),
            headings=tuple(_(words.COLUMNS[key]) for key in ("alert", "premises", "code", "cause", "at")),
            rows=tuple(
                (
                    f"#{one.alert_id}",
                    one.premises,
                    _code(one.code, language),
                    _(words.CAUSES[one.cause]),
                    moment(one.at, zone, language),
                )
                for one in content.causes
            ),
        ),
    )


def difference_name(one: Difference, language: Language) -> str:
    """Which line of the report it is."""
    section = language.gettext(words.SECTIONS[one.section])
    key = words.FIGURES.get(one.key) or words.COLUMNS.get(one.key, one.key)
    row = f" · {_code(one.row, language)}" if one.row else ""
    return f"{section}{row} · {language.gettext(key)}"


def moment(at: datetime, zone: ZoneInfo, language: Language) -> str:
    """Date and time on the node's clock."""
    return format_datetime(at, "yyyy-MM-dd HH:mm", tzinfo=zone, locale=language.locale)


def _name(content: ReportContent, language: Language) -> str:
    return content.node.name_en if language.code == "en" and content.node.name_en else content.node.name


def _part(section: Section, content: ReportContent, language: Language) -> Part:
    grids = [_rows(table, content, language) for table in section.tables]
    if section.figures:
        grids.insert(0, _figures(section, content, language))
    plots = tuple(plot for grid in grids if (plot := _plot(grid, language)) is not None)
    return Part(section.key, language.gettext(words.SECTIONS[section.key]), tuple(grids), plots)


_PLOTTED = {"by_code": (1, 3), "by_node": (1, 3), "ranking": (2, 3)}
"""Which columns of which tables are drawn."""


def _plot(grid: Grid, language: Language) -> Plot | None:
    columns = _PLOTTED.get(grid.key, ())
    rows = [row for row in grid.rows if any(row[column] for column in columns)][:MOST_BARS]
    if len(rows) < 2:
        return None  # one bar compares nothing
    series = tuple(
        (grid.headings[column], tuple(cell if isinstance(cell := row[column], int) else 0 for row in rows))
        for column in columns
    )
    return Plot(grid.title, tuple(text_of(row[0], language) for row in rows), series)


def _figures(section: Section, content: ReportContent, language: Language) -> Grid:
    _ = language.gettext
    keys = ["figure", "now", "out_of", "share"]
    rated = any(figure.now.out_of is not None for figure in section.figures)
    if not rated:
        keys = ["figure", "now"]
    compared = any(figure.before is not None for figure in section.figures)
    averaged = any(figure.week is not None for figure in section.figures)
    keys += ["before"] if compared else []
    keys += ["week"] if averaged else []
    rows = []
    for figure in section.figures:
        cells: list[Value] = [_(words.FIGURES[figure.key]), _shown(figure, figure.now)]
        if rated:
            cells += [figure.now.out_of, _share(figure, figure.now)]
        if compared:
            cells.append(_compared(figure, figure.before))
        if averaged:
            cells.append(_compared(figure, figure.week, days=7))
        rows.append(tuple(cells))
    headings = tuple(_(_heading(key, content)) for key in keys)
    return Grid(f"{section.key}_figures", "", headings, tuple(rows))


def _heading(column: str, content: ReportContent) -> str:
    general = words.COLUMNS[column]
    daily = content.kind is ReportKind.DAILY
    return general if daily else words.COLUMNS.get(f"{column}_of_period", general)


def _shown(figure: Figure, count: Count) -> Value:
    if figure.unit == "count":
        return count.value
    return count.value / count.out_of / 60 if count.out_of else None


def _share(figure: Figure, count: Count) -> Value:
    return Share(count.value / count.out_of) if figure.unit == "count" and count.out_of else None


def _compared(figure: Figure, count: Count | None, *, days: int = 1) -> Value:
    """A rate beside a rate; else a number beside a number, as the mean of its days."""
    if count is None:
        return None
    if figure.unit == "seconds":
        return _shown(figure, count)
    if count.out_of is not None:
        return _share(figure, count)
    return count.value if days == 1 else count.value / days


def _rows(table: Rows, content: ReportContent, language: Language) -> Grid:
    _ = language.gettext
    zone = ZoneInfo(content.time_zone)
    return Grid(
        table.key,
        _(words.TABLES[table.key]),
        tuple(_(_heading(column, content)) for column in table.columns),
        tuple(
            tuple(
                _cell(column, cell, zone, language) for column, cell in zip(table.columns, row, strict=True)
            )
            for row in table.rows
        ),
    )


def _cell(column: str, cell: Cell, zone: ZoneInfo, language: Language) -> Value:
    if cell is None:
        return None
    if column == "alert":
        return f"#{cell}"
    if isinstance(cell, int):
        return cell
    if column in {"since", "found", "at"}:
        return moment(datetime.fromisoformat(cell), zone, language)
    if column == "code":
        return _code(cell, language)
    known = {
        "state": {key: name for key, (name, _tone) in wording.ALERT_STATES.items()},
        "camera_state": {key: names[0] for key, names in wording.CAMERA_STATES.items()},
        "order": words.ORDERS,
        "duty": words.DUTIES,
    }.get(column, {})
    return language.gettext(known[cell]) if cell in known else cell


def _code(code: str, language: Language) -> str:
    return language.gettext(wording.CODES[code]) if code in wording.CODES else code
