"""The formula: what takes points, what gives them back, and that it is the same every time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitchen_watch.backend.ratings.formula import (
    Findings,
    Line,
    LineKind,
    RatedAlert,
    RatingInputs,
    rate,
)
from kitchen_watch.backend.ratings.halves import Half, half_before
from kitchen_watch.backend.ratings.settings import RatingFormula

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
FORMULA = RatingFormula()
SHANGHAI = ZoneInfo("Asia/Shanghai")


def alert(number: int, code: str = "NO_HAT", tier: int = 2, *, day: float = 1, **more: Any) -> RatedAlert:
    return RatedAlert(alert_id=number, code=code, tier=tier, found_at=SINCE + timedelta(days=day), **more)


def inputs(*alerts: RatedAlert, **more: Any) -> RatingInputs:
    values = {"premises_id": 1, "since_at": SINCE, "until_at": SINCE + timedelta(days=181)}
    return RatingInputs(**values, alerts=alerts, **more)


def line(kind: LineKind, *alerts: RatedAlert, **more: Any) -> Line | None:
    found = [one for one in rate(inputs(*alerts, **more), FORMULA).lines if one.kind is kind]
    return found[0] if found else None


def test_a_kitchen_without_any_finding_has_a_hundred_points_and_no_line() -> None:
    rating = rate(inputs(), FORMULA)
    assert (rating.score, rating.lines) == (100.0, ())


def test_every_code_of_every_tier_has_its_line_with_its_alerts() -> None:
    rating = rate(inputs(alert(1), alert(2, day=40), alert(3, "RODENT", 1)), FORMULA)
    assert [(one.code, one.count, one.each, one.points, one.alert_ids) for one in rating.lines] == [
        ("RODENT", 1, -10.0, -10.0, (3,)),
        ("NO_HAT", 2, -3.0, -6.0, (1, 2)),
    ]
    assert rating.score == 84.0


def test_the_same_again_within_thirty_days_costs_more_even_if_the_first_was_before_the_period() -> None:
    again = line(LineKind.REPEATS, alert(1, day=-5), alert(2, day=10), alert(3, day=60))
    assert again is not None
    assert (again.count, again.alert_ids) == (1, (2,))
    counted = rate(inputs(alert(1, day=-5)), FORMULA)
    assert counted.score == 100.0, "what was found before the period costs nothing in it"


def test_timeliness_counts_what_the_restaurant_missed_and_gives_back_what_it_did_in_time() -> None:
    late = line(LineKind.LATE, alert(1, late=2))
    assert late is not None
    assert late.points == -4.0
    back = line(LineKind.RECTIFIED, alert(1, closed=True, closed_in_time=True))
    assert back is not None
    assert back.points == 0.75
    open_still = line(LineKind.UNRECTIFIED, alert(1, overdue=True))
    assert open_still is not None
    assert open_still.points == -4.0
    assert line(LineKind.UNRECTIFIED, alert(1, overdue=True, closed=True)) is None


def test_one_code_cannot_take_everything_and_giving_back_keeps_to_that_limit() -> None:
    many = [alert(number, day=number * 1.1, closed=True, closed_in_time=True) for number in range(1, 41)]
    capped = line(LineKind.CAPPED, *many)
    assert capped is not None
    assert capped.points == 40 * 3.0 - 30.0
    back = line(LineKind.RECTIFIED, *many)
    assert back is not None
    assert back.points == 7.5


def test_presence_checks_and_self_checks_count_where_they_are_known() -> None:
    unseen = line(LineKind.UNSEEN, online_minutes=7500, operating_minutes=10_000)
    assert unseen is not None
    assert (unseen.count, unseen.of, unseen.points) == (2500, 10_000, -2.5)
    assert line(LineKind.UNSEEN, online_minutes=0, operating_minutes=5) is None, "too little to say anything"
    assert line(LineKind.UNSEEN) is None
    found = line(LineKind.FINDINGS, checks=(Findings(check_id=7, findings=50),))
    assert found is not None
    assert (found.points, found.most, found.check_ids) == (-20.0, -20.0, (7,))
    missing = line(LineKind.SELF_CHECKS, self_checks_due=30, self_checks_missing=3)
    assert missing is not None
    assert missing.points == -1.5


def test_another_formula_has_another_name_and_the_same_one_the_same() -> None:
    assert RatingFormula().version == FORMULA.version
    turned = RatingFormula(codes=dict(reversed(FORMULA.codes.items())))
    assert turned.version == FORMULA.version, "PostgreSQL keeps keys in another order"
    assert RatingFormula(tier_2=4.0).version != FORMULA.version
    assert rate(inputs(alert(1)), RatingFormula(tier_2=4.0)).score == 96.0


ALERTS = st.lists(
    st.builds(
        alert,
        st.integers(1, 10_000),
        st.sampled_from(["NO_HAT", "RODENT", "NO_MASK", "MADE_UP"]),
        st.integers(1, 3),
        day=st.floats(-30, 180),
        late=st.integers(0, 3),
        returned=st.integers(0, 3),
        closed=st.booleans(),
        closed_in_time=st.booleans(),
        overdue=st.booleans(),
    ),
    max_size=40,
    unique_by=lambda one: one.alert_id,
)


@given(ALERTS)
def test_the_score_is_a_hundred_and_the_sum_of_its_lines_and_survives_being_stored(
    alerts: list[RatedAlert],
) -> None:
    given_inputs = inputs(*alerts)
    rating = rate(given_inputs, FORMULA)
    total = 100 + sum(one.points for one in rating.lines)
    assert rating.score == round(min(100.0, max(0.0, total)), 1)
    again = RatingInputs.model_validate_json(given_inputs.model_dump_json())
    assert rate(again, FORMULA) == rating


@given(ALERTS, st.data())
def test_an_alert_less_never_lowers_the_score_unless_it_was_rectified(
    alerts: list[RatedAlert], data: st.DataObject
) -> None:
    """A false alarm leaves the inputs: nobody may fare worse by it."""
    plain = [one.model_copy(update={"closed": False, "closed_in_time": False}) for one in alerts]
    if not plain:
        return
    false = data.draw(st.sampled_from(plain))
    rest = [one for one in plain if one is not false]
    assert rate(inputs(*rest), FORMULA).score >= rate(inputs(*plain), FORMULA).score


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 6, 30, 15, 59, tzinfo=UTC), Half(2025, 2)),
        (datetime(2026, 6, 30, 16, 0, tzinfo=UTC), Half(2026, 1)),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), Half(2026, 2)),
    ],
)
def test_half_years_are_those_of_the_premises(now: datetime, expected: Half) -> None:
    assert half_before(now, SHANGHAI) == expected
    assert expected.span(SHANGHAI)[1] <= now
