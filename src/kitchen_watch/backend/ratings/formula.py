"""From what was verified to a score, line by line. Pure: the same inputs give the same rating for ever.

Every line takes or gives points; the score is 100 and the sum of all lines, kept between 0 and 100.
Alerts that nobody has verified, false alarms and merged ones are no inputs; so a false alarm rolls
back by being absent the next time. What is measured is kept apart from what a person awards:
honours stand beside the score and change no point.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.ratings.settings import RatingFormula

FULL = 100.0


class LineKind(StrEnum):
    """What a line of the derivation is about."""

    ALERTS = "alerts"
    CAPPED = "capped"
    REPEATS = "repeats"
    LATE = "late"
    RETURNED = "returned"
    UNRECTIFIED = "unrectified"
    RECTIFIED = "rectified"
    UNSEEN = "unseen"
    FINDINGS = "findings"
    SELF_CHECKS = "self_checks"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RatedAlert(_Value):
    """A verified alert, as far as the formula looks at it."""

    alert_id: int
    code: str
    tier: int
    found_at: AwareDatetime
    late: int = 0
    """Deadlines of the restaurant's own steps that were missed, or have passed and still run."""
    returned: int = 0
    closed: bool = False
    closed_in_time: bool = False
    overdue: bool = False


class Findings(_Value):
    """One check by officers and how much was not in order."""

    check_id: int
    findings: int


class RatingInputs(_Value):
    """Everything a rating is made of; stored with a snapshot. What is ``None`` was not measured."""

    premises_id: int
    since_at: AwareDatetime
    until_at: AwareDatetime
    alerts: tuple[RatedAlert, ...] = ()
    """By id; those before ``since_at`` serve only to recognise repeats."""
    online_minutes: int | None = None
    operating_minutes: int | None = None
    checks: tuple[Findings, ...] = ()
    self_checks_due: int | None = None
    self_checks_missing: int | None = None


class Line(_Value):
    """One line: ``count`` times ``each`` (or a share of it) is ``points``, which is negative if taken."""

    kind: LineKind
    code: str | None = None
    tier: int | None = None
    count: int = Field(description="how many")
    each: float | None = Field(default=None, description="points for each; empty where they differ")
    of: int | None = Field(default=None, description="the denominator, where the line is a share")
    most: float | None = Field(default=None, description="the limit that the line has reached")
    points: float
    alert_ids: tuple[int, ...] = ()
    check_ids: tuple[int, ...] = ()


class Rating(_Value):
    """A score with its derivation."""

    score: float = Field(ge=0, le=FULL)
    formula_version: str
    lines: tuple[Line, ...]


def rate(inputs: RatingInputs, formula: RatingFormula) -> Rating:
    """The score of these inputs by this formula, rounded to a tenth."""
    counted = [alert for alert in inputs.alerts if alert.found_at >= inputs.since_at]
    lines = [
        *_alert_lines(counted, formula),
        *_line(LineKind.REPEATS, _repeats(inputs.alerts, inputs.since_at, formula), formula.repeat),
        *_weighed(LineKind.LATE, counted, "late", formula.late),
        *_weighed(LineKind.RETURNED, counted, "returned", formula.returned),
        *_line(
            LineKind.UNRECTIFIED,
            [one for one in counted if one.overdue and not one.closed],
            formula.unrectified,
        ),
        *_rectified(counted, formula),
        *_unseen(inputs, formula),
        *_findings(inputs.checks, formula),
        *_self_checks(inputs, formula),
    ]
    score = round(min(FULL, max(0.0, FULL + sum(line.points for line in lines))), 1)
    return Rating(score=score, formula_version=formula.version, lines=tuple(lines))


def points_of(alert: RatedAlert, formula: RatingFormula) -> float:
    """What one alert takes by itself."""
    by_tier = {1: formula.tier_1, 2: formula.tier_2}.get(alert.tier, formula.tier_3)
    return formula.codes.get(alert.code, by_tier)


def _alert_lines(counted: Sequence[RatedAlert], formula: RatingFormula) -> list[Line]:
    groups: dict[tuple[int, str], list[RatedAlert]] = defaultdict(list)
    for alert in counted:
        groups[alert.tier, alert.code].append(alert)
    lines, taken = [], defaultdict[str, float](float)
    for (tier, code), alerts in sorted(groups.items()):
        each = points_of(alerts[0], formula)
        points = _round(-each * len(alerts))
        taken[code] -= points
        lines.append(
            Line(
                kind=LineKind.ALERTS, code=code, tier=tier, count=len(alerts), each=-each,
                points=points, alert_ids=_ids(alerts),
            )
        )  # fmt: skip
    lines += [
        Line(kind=LineKind.CAPPED, code=code, count=1, points=_round(points - formula.most_per_code))
        for code, points in sorted(taken.items())
        if points > formula.most_per_code
    ]
    return lines


def _repeats(alerts: Iterable[RatedAlert], since_at: datetime, formula: RatingFormula) -> list[RatedAlert]:
    last: dict[str, datetime] = {}
    found = []
    for alert in sorted(alerts, key=lambda one: (one.found_at, one.alert_id)):
        before = last.get(alert.code)
        soon = before is not None and alert.found_at - before <= formula.repeat_within
        if soon and alert.found_at >= since_at:
            found.append(alert)
        last[alert.code] = alert.found_at
    return found


def _rectified(counted: Sequence[RatedAlert], formula: RatingFormula) -> list[Line]:
    good = [alert for alert in counted if alert.closed_in_time]
    # No more is given back than the cap let be taken.
    own, back = defaultdict[str, float](float), defaultdict[str, float](float)
    for alert in counted:
        own[alert.code] += points_of(alert, formula)
    for alert in good:
        back[alert.code] += points_of(alert, formula)
    points = sum(
        formula.rectified_share * given * min(1.0, formula.most_per_code / own[code])
        for code, given in back.items()
        if own[code]
    )
    if not good or not points:
        return []
    return [Line(kind=LineKind.RECTIFIED, count=len(good), points=_round(points), alert_ids=_ids(good))]


def _weighed(kind: LineKind, counted: Sequence[RatedAlert], field: str, each: float) -> list[Line]:
    concerned = [alert for alert in counted if getattr(alert, field)]
    count = sum(int(getattr(alert, field)) for alert in concerned)
    return _line(kind, concerned, each, count=count)


def _line(
    kind: LineKind, alerts: Sequence[RatedAlert], each: float, *, count: int | None = None
) -> list[Line]:
    number = len(alerts) if count is None else count
    if not number or not each:
        return []
    return [Line(kind=kind, count=number, each=-each, points=_round(-each * number), alert_ids=_ids(alerts))]


def _unseen(inputs: RatingInputs, formula: RatingFormula) -> list[Line]:
    if not inputs.operating_minutes or inputs.online_minutes is None:
        return []
    if inputs.operating_minutes < formula.unseen_from_minutes:
        return []
    blind = max(0, inputs.operating_minutes - inputs.online_minutes)
    if not blind or not formula.unseen:
        return []
    return [
        Line(
            kind=LineKind.UNSEEN, count=blind, of=inputs.operating_minutes, each=-formula.unseen,
            points=_round(-formula.unseen * blind / inputs.operating_minutes),
        )
    ]  # fmt: skip


def _findings(checks: Sequence[Findings], formula: RatingFormula) -> list[Line]:
    bad = [check for check in checks if check.findings]
    count = sum(check.findings for check in bad)
    if not count or not formula.finding:
        return []
    return [
        Line(
            kind=LineKind.FINDINGS, count=count, each=-formula.finding,
            most=-formula.most_findings if formula.finding * count > formula.most_findings else None,
            points=_round(-min(formula.most_findings, formula.finding * count)),
            check_ids=tuple(check.check_id for check in bad),
        )
    ]  # fmt: skip


def _self_checks(inputs: RatingInputs, formula: RatingFormula) -> list[Line]:
    if not inputs.self_checks_due or not inputs.self_checks_missing or not formula.self_check:
        return []
    missing = inputs.self_checks_missing
    return [
        Line(
            kind=LineKind.SELF_CHECKS, count=missing, of=inputs.self_checks_due, each=-formula.self_check,
            most=-formula.most_self_checks
            if formula.self_check * missing > formula.most_self_checks
            else None,
            points=_round(-min(formula.most_self_checks, formula.self_check * missing)),
        )
    ]  # fmt: skip


def _ids(alerts: Iterable[RatedAlert]) -> tuple[int, ...]:
    return tuple(sorted(alert.alert_id for alert in alerts))


def _round(points: float) -> float:
    return round(points, 2) + 0.0
