"""The page of statistics: what is found, how it is handled and how fast, at a glance and as tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from kitchen_watch.backend.alerts.service import AlertFilters, alert_page
from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.auth.callers import Regulator
from kitchen_watch.backend.local_time import midnight
from kitchen_watch.backend.organisations.service import node_tree
from kitchen_watch.backend.pages import charts
from kitchen_watch.backend.pages.administration_words import BUSINESS_TYPES, ZONE_TYPES
from kitchen_watch.backend.pages.answers import FrameOf, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.pages.wording import CODES, TIERS
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.presence.service import coverage
from kitchen_watch.backend.statistics.schemas import StatisticsView
from kitchen_watch.backend.statistics.service import every_precision, question_of, statistics

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
SHOWN_CODES, SHOWN_SOURCES, WALL_ALERTS = 10, 10, 6
UNFINISHED = tuple(state for state in AlertState if state not in FINISHED)


@router.get("/statistics")
def show_statistics(request: Request, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """Addresses are typed and shared: what cannot be understood is left out."""
    values = request.query_params
    period = values.get("period", "30")
    period = period if period in PERIODS else "30"
    code = values.get("code", "") if values.get("code", "") in CODES else ""
    tier = next((one for one in TIERS if str(one) == values.get("tier", "")), None)
    business = values.get("type", "") if values.get("type", "") in BUSINESS_TYPES else ""
    since_at, until_at = span(frame.now, int(period), frame.zone)
    with parts.database.read() as session:
        nodes = node_tree(session, person)
        node_id = next((node.id for node in nodes if str(node.id) == values.get("grid", "")), None)
        question = question_of(
            session, person, since_at=since_at, until_at=until_at, node_id=node_id,
            codes=(code,) if code else (), tiers=(tier,) if tier else (),
            business_types=(business,) if business else (),
        )  # fmt: skip
        found = statistics(session, question, now=frame.now, node_id=node_id)
        precise = every_precision(session, question)
    sources = {by: found_[:SHOWN_SOURCES] for by, found_ in precise.items()}
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


def span(now: datetime, days: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """So many local days, today among them, up to now."""
    first = now.astimezone(zone).date() - timedelta(days=days - 1)
    return midnight(first, zone), now


def heat(hours: list[list[int]]) -> list[list[int]]:
    """How hot each hour is, 0 to 4, by its share of the hottest."""
    most = max(map(max, hours))
    return [
        [0 if not count else 1 + min(3, 4 * (count - 1) // max(1, most)) for count in row] for row in hours
    ]


def pictures(found: StatisticsView, frame: Frame) -> dict[str, Markup]:
    """The charts of the page, in the language of the page."""
    gettext = frame.language.gettext
    english = frame.language.code == "en"
    names = [child.name_en if english and child.name_en else child.name for child in found.children]
    codes = [one for one in found.codes if one.believed][:SHOWN_CODES]
    alerts = gettext("Verified alerts")
    return {
        "trend": charts.lines(
            [f"{one.day:%m-%d}" for one in found.days],
            [charts.Series(gettext("Alerts"), [one.count for one in found.days])],
            title=gettext("Alerts by day, false ones left out"),
        ),
        "pareto": charts.pareto(
            [gettext(CODES[one.code]) if one.code in CODES else one.code for one in codes],
            [one.believed for one in codes],
            [one.cumulative_share for one in codes],
            title=gettext("What is found most"),
            names=(alerts, gettext("Share with all before, in percent")),
        ),
        "ranking": charts.ranking(
            names,
            [
                charts.Series(alerts, [child.figures.believed for child in found.children]),
                charts.Series(
                    gettext("False alarms"), [child.figures.false_alarms for child in found.children]
                ),
            ],
            title=gettext("By area"),
        ),
        "map": charts.tree_map(
            [
                (name, [(name, child.figures.believed)])
                for name, child in zip(names, found.children, strict=True)
            ],
            title=gettext("Shares of the areas"),
        ),
    }


CAMERA_TROUBLE = MappingProxyType(
    {
        "unknown": N_("never heard of"),
        "silent": N_("the edge node is silent"),
        "connecting": N_("connecting"),
        "stalled": N_("the picture stands still"),
        "offline": N_("offline"),
        "ended": N_("the film has ended"),
    }
)


@router.get("/coverage")
def show_coverage(request: Request, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """How far the cameras have got, who is watching, who is blind."""
    values = request.query_params
    with parts.database.read() as session:
        nodes = node_tree(session, person)
        node_id = next((node.id for node in nodes if str(node.id) == values.get("grid", "")), None)
        found = coverage(session, person, parts.settings.presence, now=frame.now, node_id=node_id)
    gettext = frame.language.gettext
    english = frame.language.code == "en"
    line = charts.lines(
        [f"{one.day:%m-%d}" for one in found.days],
        [
            charts.Series(
                gettext("Premises covered, in percent"), [_percent(one.covered.rate) for one in found.days]
            ),
            charts.Series(
                gettext("Minutes watched, in percent"), [_percent(one.watched.rate) for one in found.days]
            ),
            charts.Series(gettext("Target, in percent"), [_percent(found.target) for _ in found.days]),
        ],
        title=gettext("Coverage and presence by day"),
    )
    areas = charts.ranking(
        [one.name_en if english and one.name_en else one.name for one in found.areas],
        [
            charts.Series(
                gettext("Premises covered, in percent"), [_percent(one.covered.rate) for one in found.areas]
            ),
            charts.Series(
                gettext("Minutes watched, in percent"), [_percent(one.watched.rate) for one in found.areas]
            ),
        ],
        title=gettext("By area"),
    )
    return page(
        "coverage.html", frame, found=found, nodes=nodes, node_id=node_id, line=line, areas=areas,
        trouble=CAMERA_TROUBLE, zone_types=ZONE_TYPES,
    )  # fmt: skip


@router.get("/duty")
def show_duty_wall(person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """A wall for the duty room: large figures of today, read from across the room; nothing to click."""
    since_at, until_at = span(frame.now, 1, frame.zone)
    with parts.database.read() as session:
        question = question_of(session, person, since_at=since_at, until_at=until_at)
        today = statistics(session, question, now=frame.now)
        found = coverage(session, person, parts.settings.presence, now=frame.now, days=1)
        urgent = alert_page(
            session,
            person,
            links=parts.links,
            filters=AlertFilters(tiers=(1,)),
            cursor=None,
            limit=WALL_ALERTS,
        )
    return page(
        "duty.html", frame, today=today, found=found, urgent=urgent.items, pictures=pictures(today, frame)
    )


def _percent(rate: float | None) -> float | None:
    return None if rate is None else round(100 * rate, 1)
