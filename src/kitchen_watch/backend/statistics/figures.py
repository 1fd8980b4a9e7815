"""Alert figures of a subtree and a span, as sums: a parent's figures are the sum of its children's.

Every rate is kept as numerator and denominator (:class:`Share`); dividing is left to whoever shows it.
A false alarm rolls back: it stays counted as found and false, and counts nowhere else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.deadlines.clocks import ClockStep
from kitchen_watch.backend.statistics import questions
from kitchen_watch.backend.statistics.questions import Question

LOCAL_OFFSET_MINUTES = 8 * 60
"""Local days of the same-day figure: China's time, which knows no change of clocks."""
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
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

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


@dataclass(slots=True)
class Grouped:
    """The figures of a span, by grid and, as far as counts of alerts go, by code."""

    by_grid: dict[int, AlertFigures]
    by_code: dict[str, AlertFigures]

    def total(self, grids: Iterable[int] | None = None) -> AlertFigures:
        """The sum over some grids, or over all."""
        whole = AlertFigures()
        for grid in self.by_grid if grids is None else grids:
            if grid in self.by_grid:
                whole.add(self.by_grid[grid])
        return whole


def grouped_figures(session: Session, question: Question, now: datetime) -> Grouped:
    """Everything countable about the alerts of a question, by grid and by code."""
    by_grid: dict[int, AlertFigures] = defaultdict(AlertFigures)
    by_code: dict[str, AlertFigures] = defaultdict(AlertFigures)
    for found in questions.found_by_place_and_kind(session, question):
        for figures in (by_grid[found.node_id], by_code[found.code]):
            _count(figures, found)
    for clocked in questions.deadlines_by_place(session, question, now):
        _clock(by_grid[clocked.node_id], clocked)
    for grid, count in questions.closed_same_day(session, question, LOCAL_OFFSET_MINUTES):
        by_grid[grid].closed_same_day += count
    for grid, made, decided, upheld in questions.appeals_by_place(session, question):
        by_grid[grid].appeals += made
        by_grid[grid].appeals_decided += decided
        by_grid[grid].appeals_won += upheld
    for grid, reviewed, returned in questions.rectifications_by_place(session, question):
        by_grid[grid].reviewed += reviewed
        by_grid[grid].returned += returned
    for grid, week, month in questions.repeats(session, question):
        by_grid[grid].repeats_7_days += week
        by_grid[grid].repeats_30_days += month
    for grid, due_at in questions.overdue(session, question, now):
        by_grid[grid].overdue += 1
        by_grid[grid].overdue_hours += int((now - due_at).total_seconds() // 3600)
    return Grouped(dict(by_grid), dict(by_code))


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
    return grouped_figures(session, question, now or until_at).total()


def by_local_hour(session: Session, question: Question, offset_minutes: int) -> Counter[tuple[str, int, int]]:
    """Alerts that were not false, by local day (ISO), weekday (0 = Monday) and hour."""
    counts: Counter[tuple[str, int, int]] = Counter()
    for at, wrong, count in questions.found_by_hour(session, question):
        local = at + timedelta(minutes=offset_minutes)
        if not wrong:
            counts[(local.date().isoformat(), local.weekday(), local.hour)] += count
    return counts


def _count(figures: AlertFigures, found: questions.Found) -> None:
    state, count = found.state, found.count
    figures.found += count
    tier = f"tier_{found.tier}"
    if hasattr(figures, tier):
        setattr(figures, tier, getattr(figures, tier) + count)
    if state is AlertState.PENDING_VERIFICATION:
        figures.pending += count
    elif state is AlertState.FALSE_ALARM:
        figures.false_alarms += count
    elif state is AlertState.MERGED:
        figures.merged += count
    else:
        figures.believed += count
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
