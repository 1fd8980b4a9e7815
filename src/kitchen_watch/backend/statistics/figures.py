"""Alert figures of a subtree and a span, as sums: a parent's figures are the sum of its children's.

Every rate is kept as numerator and denominator (:class:`Share`); dividing is left to whoever shows it.
A false alarm rolls back: it stays counted as found and false, and counts nowhere else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime

from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.deadlines.clocks import ClockStep
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.statistics import questions
from kitchen_watch.backend.statistics.questions import Question

UNPUSHED = frozenset(
    {AlertState.PENDING_VERIFICATION, AlertState.VERIFIED, AlertState.FALSE_ALARM}
    | {AlertState.MERGED, AlertState.TRANSFERRED}
)


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` of ``whole``; ``rate`` is empty where there is nothing to be a part of."""

    part: int
    whole: int

    @property
    def rate(self) -> float | None:
        """0..1."""
        return self.part / self.whole if self.whole else None


@dataclass(slots=True)
class AlertFigures:
    """Plain sums over the alerts found in a span.

    ``believed`` are alerts that somebody verified and nobody took back or merged. Deadlines count
    once they are met or missed; ``*_due`` are those, ``*_in_time`` the met ones among them.
    """

    found: int = 0
    tier_1: int = 0
    tier_2: int = 0
    tier_3: int = 0
    pending: int = 0
    false_alarms: int = 0
    merged: int = 0
    believed: int = 0
    pushed: int = 0
    transferred: int = 0
    closed: int = 0
    closed_same_day: int = 0
    open: int = 0
    overdue: int = 0
    overdue_hours: int = 0
    verify_due: int = 0
    verify_in_time: int = 0
    accept_due: int = 0
    accept_in_time: int = 0
    fix_due: int = 0
    fix_in_time: int = 0
    fix_settled: int = 0
    fix_seconds: float = 0.0
    reviewed: int = 0
    returned: int = 0
    repeats_7_days: int = 0
    repeats_30_days: int = 0
    reminders: int = 0
    supervised: int = 0
    appeals: int = 0
    appeals_decided: int = 0
    appeals_won: int = 0

    def add(self, other: AlertFigures) -> None:
        """Take another's sums in."""
        for name in _NAMES:
            more = getattr(other, name)
            if more:
                setattr(self, name, getattr(self, name) + more)

    @property
    def verify_timeliness(self) -> Share:
        """Verified or refused in time, of those whose time is over."""
        return Share(self.verify_in_time, self.verify_due)

    @property
    def false_alarm_rate(self) -> Share:
        """False, of all that were judged."""
        return Share(self.false_alarms, self.found - self.pending)

    @property
    def same_day_rate(self) -> Share:
        """当日办结率: closed on the day they were found, of those believed."""
        return Share(self.closed_same_day, self.believed)

    @property
    def on_time_rate(self) -> Share:
        """Rectified in time, of those whose time is over."""
        return Share(self.fix_in_time, self.fix_due)

    @property
    def rectification_rate(self) -> Share:
        """Closed, of those believed that had to be rectified here."""
        return Share(self.closed, self.believed - self.transferred)

    @property
    def return_rate(self) -> Share:
        """Rectifications sent back, of those reviewed."""
        return Share(self.returned, self.reviewed)

    @property
    def repeat_rate_7_days(self) -> Share:
        """Had the same at the same premises within 7 days before."""
        return Share(self.repeats_7_days, self.believed)

    @property
    def repeat_rate_30_days(self) -> Share:
        """Had the same at the same premises within 30 days before."""
        return Share(self.repeats_30_days, self.believed)

    @property
    def appeals_won_rate(self) -> Share:
        """Appeals upheld, of those decided."""
        return Share(self.appeals_won, self.appeals_decided)

    @property
    def mean_hours_to_rectify(self) -> float | None:
        """From verification to closing."""
        return self.fix_seconds / self.fix_settled / 3600 if self.fix_settled else None


_NAMES = tuple(one.name for one in fields(AlertFigures))


@dataclass(slots=True)
class GridSums:
    """Everything counted of one grid and span; sums of these are sums of everything."""

    figures: AlertFigures = field(default_factory=AlertFigures)
    codes: dict[str, AlertFigures] = field(default_factory=dict)
    """Only what was found, believed and false: a year of a city is thousands of these."""
    days: Counter[str] = field(default_factory=Counter)
    """Found and not false, by local day (ISO)."""
    hours: Counter[str] = field(default_factory=Counter)
    """The same by weekday (0 = Monday) and local hour: ``"0/13"``."""
    premises: Counter[int] = field(default_factory=Counter)
    """Believed alerts by premises."""

    def add(self, other: GridSums) -> None:
        """Take another's sums in."""
        self.figures.add(other.figures)
        for code, figures in other.codes.items():
            self.codes.setdefault(code, AlertFigures()).add(figures)
        self.days.update(other.days)
        self.hours.update(other.hours)
        self.premises.update(other.premises)


def sums_by_grid(
    session: Session, question: Question, now: datetime, *, hours_by_grid: bool = False
) -> dict[int, GridSums]:
    """Everything countable about the alerts of a question, in a few grouped queries.

    Days and hours of all grids together stand under :data:`~.questions.NO_GRID`, unless asked for by grid.
    """
    sums: dict[int, GridSums] = defaultdict(GridSums)
    for found in questions.found_by_place_and_kind(session, question):
        grid = sums[found.node_id]
        _count(grid.figures, found)
        _count_code(grid.codes.setdefault(found.code, AlertFigures()), found)
    zone = zone_in(session)
    for node_id, at, count in questions.found_by_hour(session, question, by_grid=hours_by_grid):
        local = at.astimezone(zone)
        sums[node_id].days[local.date().isoformat()] += count
        sums[node_id].hours[f"{local.weekday()}/{local.hour}"] += count
    for node_id, premises_id, count in questions.believed_by_premises(session, question):
        sums[node_id].premises[premises_id] += count
    for clocked in questions.deadlines_by_place(session, question, now):
        _clock(sums[clocked.node_id].figures, clocked)
    for node_id, count in questions.closed_same_day(session, question, zone):
        sums[node_id].figures.closed_same_day += count
    for node_id, made, decided, upheld in questions.appeals_by_place(session, question):
        sums[node_id].figures.appeals += made
        sums[node_id].figures.appeals_decided += decided
        sums[node_id].figures.appeals_won += upheld
    for node_id, reviewed, returned in questions.rectifications_by_place(session, question):
        sums[node_id].figures.reviewed += reviewed
        sums[node_id].figures.returned += returned
    for node_id, week, month in questions.repeats(session, question):
        sums[node_id].figures.repeats_7_days += week
        sums[node_id].figures.repeats_30_days += month
    return dict(sums)


def count_overdue(session: Session, question: Question, now: datetime, sums: dict[int, GridSums]) -> None:
    """Add what is overdue now: it depends on the moment alone and is never summed beforehand."""
    for node_id, count, hours in questions.overdue(session, question, now):
        figures = sums.setdefault(node_id, GridSums()).figures
        figures.overdue += count
        figures.overdue_hours += hours


def total(sums: Iterable[GridSums]) -> GridSums:
    """One sum of several."""
    whole = GridSums()
    for one in sums:
        whole.add(one)
    return whole


def statistics_figures(
    session: Session,
    node_path: str,
    since_at: datetime,
    until_at: datetime,
    *,
    now: datetime | None = None,
) -> AlertFigures:
    """The figures of one subtree; a half-open span in UTC. ``now`` decides what is overdue."""
    question = Question(since_at=since_at, until_at=until_at, paths=(node_path,))
    sums = sums_by_grid(session, question, now or until_at)
    count_overdue(session, question, now or until_at, sums)
    return total(sums.values()).figures


def count_found(figures: AlertFigures, found: questions.Found) -> None:
    """Add what was found, by tier and by what people made of it."""
    figures.found += found.count
    tier = f"tier_{found.tier}"
    if hasattr(figures, tier):
        setattr(figures, tier, getattr(figures, tier) + found.count)
    if found.state is AlertState.PENDING_VERIFICATION:
        figures.pending += found.count
    elif found.state is AlertState.FALSE_ALARM:
        figures.false_alarms += found.count
    elif found.state is AlertState.MERGED:
        figures.merged += found.count
    else:
        figures.believed += found.count


def _count(figures: AlertFigures, found: questions.Found) -> None:
    count_found(figures, found)
    state, count = found.state, found.count
    if state not in UNPUSHED:
        figures.pushed += count
    if state is AlertState.TRANSFERRED:
        figures.transferred += count
    if state is AlertState.CLOSED:
        figures.closed += count
    if state not in FINISHED:
        figures.open += count
    if state is not AlertState.FALSE_ALARM:
        figures.reminders += found.reminders
        figures.supervised += found.supervised


def _count_code(figures: AlertFigures, found: questions.Found) -> None:
    figures.found += found.count
    if found.state is AlertState.FALSE_ALARM:
        figures.false_alarms += found.count
    elif found.state not in questions.NOT_BELIEVED:
        figures.believed += found.count


def _clock(figures: AlertFigures, clocked: questions.Clocked) -> None:
    if clocked.step is ClockStep.VERIFY:
        figures.verify_due += clocked.due
        figures.verify_in_time += clocked.met
    elif clocked.step is ClockStep.ACCEPT:
        figures.accept_due += clocked.due
        figures.accept_in_time += clocked.met
    elif clocked.step is ClockStep.FIX:
        figures.fix_due += clocked.due
        figures.fix_in_time += clocked.met
        figures.fix_settled += clocked.met + clocked.late
        figures.fix_seconds += clocked.seconds
