"""The page of statistics: what is found, how it is handled and how fast, at a glance and as tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from kitchen_watch.backend.auth.callers import Regulator
from kitchen_watch.backend.organisations.service import node_tree
from kitchen_watch.backend.pages import charts
from kitchen_watch.backend.pages.administration_words import BUSINESS_TYPES
from kitchen_watch.backend.pages.answers import FrameOf, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.pages.wording import CODES, TIERS
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.statistics.figures import LOCAL_OFFSET_MINUTES
from kitchen_watch.backend.statistics.schemas import StatisticsView
from kitchen_watch.backend.statistics.service import precision, question_of, statistics

router = APIRouter(include_in_schema=False)

PERIODS = MappingProxyType(
    {
        "1": N_("Today"),
        "7": N_("7 days"),
        "30": N_("30 days"),
        "90": N_("90 days"),
        "365": N_("A year"),
    }
)
WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
RATES = (
    ("same_day_rate", N_("Closed on the same day"), N_("of those verified"), True),
    ("on_time_rate", N_("Rectified in time"), N_("of those whose time is over"), True),
    ("verify_timeliness", N_("Verified in time"), N_("of those whose time is over"), True),
    ("rectification_rate", N_("Rectified"), N_("of those verified"), True),
    ("false_alarm_rate", N_("False alarms"), N_("of those judged"), False),
    ("return_rate", N_("Sent back"), N_("of rectifications reviewed"), False),
    ("repeat_rate_30_days", N_("Repeated within 30 days"), N_("of those verified"), False),
    ("appeals_won_rate", N_("Appeals upheld"), N_("of those decided"), False),
)
"""Rate, its name, what it is a rate of, and whether more of it is better."""
SHOWN_CODES, SHOWN_SOURCES = 10, 15


@router.get("/statistics")
def show_statistics(request: Request, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """Addresses are typed and shared: what cannot be understood is left out."""
    values = request.query_params
    period = values.get("period", "30")
    period = period if period in PERIODS else "30"
    code = values.get("code", "") if values.get("code", "") in CODES else ""
    tier = next((one for one in TIERS if str(one) == values.get("tier", "")), None)
    business = values.get("type", "") if values.get("type", "") in BUSINESS_TYPES else ""
    since_at, until_at = span(frame.now, int(period))
    with parts.database.read() as session:
        nodes = node_tree(session, person)
        node_id = next((node.id for node in nodes if str(node.id) == values.get("grid", "")), None)
        question = question_of(
            session, person, since_at=since_at, until_at=until_at, node_id=node_id,
            codes=(code,) if code else (), tiers=(tier,) if tier else (),
            business_types=(business,) if business else (),
        )  # fmt: skip
        found = statistics(session, question, now=frame.now, node_id=node_id)
        sources = {by: precision(session, question, by)[:SHOWN_SOURCES] for by in ("rule", "camera", "model")}
    chosen = {
        "since_at": since_at.isoformat(), "until_at": until_at.isoformat(), "grid_id": node_id or "",
        "code": code, "tier": tier or "", "business_type": business,
    }  # fmt: skip
    return page(
        "statistics.html",
        frame,
        found=found,
        nodes=nodes,
        node_id=node_id,
        period=period,
        code=code,
        tier=tier,
        business=business,
        periods=PERIODS,
        weekdays=WEEKDAYS,
        rates=RATES,
        codes=CODES,
        tiers=TIERS,
        business_types=BUSINESS_TYPES,
        sources=sources,
        heat=heat(found.hours),
        pictures=pictures(found, frame),
        table_query=urlencode({name: value for name, value in chosen.items() if value != ""}),
    )


def span(now: datetime, days: int) -> tuple[datetime, datetime]:
    """So many local days, today among them, up to now."""
    offset = timedelta(minutes=LOCAL_OFFSET_MINUTES)
    local = now + offset
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days - 1) - offset, now


def heat(hours: list[list[int]]) -> list[list[int]]:
    """How hot each hour is, 0 to 4, by its share of the hottest."""
    most = max(map(max, hours))
    return [
        [0 if not count else 1 + min(3, 4 * (count - 1) // max(1, most)) for count in row] for row in hours
    ]


def pictures(found: StatisticsView, frame: Frame) -> dict[str, Markup]:
    """The charts of the page, in the language of the page."""
    say = frame.language.gettext
    english = frame.language.code == "en"
    names = [child.name_en if english and child.name_en else child.name for child in found.children]
    codes = [one for one in found.codes if one.believed][:SHOWN_CODES]
    alerts = say("Verified alerts")
    return {
        "trend": charts.lines(
            [f"{one.day:%m-%d}" for one in found.days],
            [charts.Series(say("Alerts"), [one.count for one in found.days])],
            title=say("Alerts by day, false ones left out"),
        ),
        "pareto": charts.pareto(
            [say(CODES[one.code]) if one.code in CODES else one.code for one in codes],
            [one.believed for one in codes],
            [one.cumulative_share for one in codes],
            title=say("What is found most"),
            names=(alerts, say("Share with all before, %")),
        ),
        "ranking": charts.ranking(
            names,
            [
                charts.Series(alerts, [child.figures.believed for child in found.children]),
                charts.Series(say("False alarms"), [child.figures.false_alarms for child in found.children]),
            ],
            title=say("By area"),
        ),
        "map": charts.tree_map(
            [
                (name, [(name, child.figures.believed)])
                for name, child in zip(names, found.children, strict=True)
            ],
            title=say("Shares of the areas"),
        ),
    }
